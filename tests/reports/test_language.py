import json
import re
from pathlib import Path
from string import Formatter

import pytest

import tvir.reports
from tvir.contracts.errors import UsageError
from tvir.contracts.health import Condition
from tvir.contracts.metric import Axis, Direction
from tvir.contracts.run import Status
from tvir.evaluation.scorecard import find_metrics
from tvir.health.check import find_checks
from tvir.models.catalogue import catalogue
from tvir.reports.language import languages, load_words
from tvir.reports.sentences import DOUBTS

ROOM = Path(tvir.reports.__file__).parent
LITERAL = re.compile(r"""(?<!\w)(?:words|self)(?:\.count|\.form|, )?\(?\s*["']([^"'{}]+)["']\s*[,)]""")


def phrases(language):
    return json.loads((ROOM / "words" / f"{language}.json").read_text("utf-8"))


def placeholders(phrase):
    forms = phrase.values() if isinstance(phrase, dict) else [phrase]
    return {name for form in forms for _, name, _, _ in Formatter().parse(form) if name}


def used_keys():
    """Every key written out in the code and the templates, and those put together from a known set of endings."""
    files = [*ROOM.glob("*.py"), *(ROOM / "templates").glob("*.j2")]
    keys = {key for file in files for key in LITERAL.findall(file.read_text("utf-8"))}
    keys |= {f"axis.{axis}{ending}" for axis in Axis for ending in ("", ".asks")}
    keys |= {f"better.{direction}" for direction in Direction}
    keys |= {f"status.{status}" for status in Status.__args__}
    keys |= {f"verdict.undecided.{doubt}" for doubt in DOUBTS}
    keys |= {f"verdict.copies.{answer}" for answer in ("yes", "no", "unknown")}
    keys |= {
        f"reading.{topic}{ending}"
        for topic in ("floor", "interval", "verdict", "budget", "spaces")
        for ending in ("", ".text")
    }
    keys |= {f"spec.channels.{count}" for count in (1, 3, 4, "other")}
    keys |= {f"prefix.{sign}" for sign in "kMG"}
    keys |= {f"health.{check.name}{ending}" for check in find_checks() for ending in ("", ".seen")}
    keys |= {f"health.condition.{condition}" for condition in Condition}
    return {key for key in keys if not key.endswith(".")}


def test_both_languages_have_the_same_keys():
    assert phrases("en").keys() == phrases("uk").keys()


def test_both_languages_fill_the_same_places():
    english, ukrainian = phrases("en"), phrases("uk")
    different = [key for key in english if placeholders(english[key]) != placeholders(ukrainian[key])]
    assert different == []


@pytest.mark.parametrize(("language", "forms"), [("en", {"one", "many"}), ("uk", {"one", "few", "many"})])
def test_plural_phrases_have_every_form(language, forms):
    wrong = [key for key, phrase in phrases(language).items() if isinstance(phrase, dict) and phrase.keys() != forms]
    assert wrong == []


def test_every_key_in_use_exists():
    used = used_keys()
    assert len(used) > 80
    assert used - phrases("en").keys() == set()


def test_no_phrase_is_left_over():
    families = ("metric.", "space.", "unit.of.", "capability.", "models.density.", "sizes.matched.")
    assert {key for key in phrases("en").keys() - used_keys() if not key.startswith(families)} == set()


def test_every_model_is_told_of_in_every_language():
    for language in ("en", "uk"):
        words = load_words(language)
        for entry in catalogue().values():
            assert entry.density is None or words(f"models.density.{entry.density}")
            assert all(words(f"capability.{name.replace(' ', '-')}") for name in entry.capabilities)


def test_every_metric_says_what_it_sees():
    named = {key.removeprefix("metric.").removesuffix(".sees") for key in phrases("en") if key.startswith("metric.")}
    assert all(f"metric.{name}.sees" in phrases("en") and f"metric.{name}" in phrases("en") for name in named)


def test_every_metric_that_is_found_has_words_in_both_languages():
    names = {quantity.name for metric in find_metrics() for quantity in metric.quantities}
    assert {(name, code) for name in names for code in languages() if f"metric.{name}" not in phrases(code)} == set()


def test_no_ukrainian_phrase_was_left_in_english():
    latin = re.compile(r"[A-Za-z]{3,}")
    known = {
        "MMD",
        "RBF",
        "KID",
        "MTop",
        "Div",
        "SSIM",
        "PCA",
        "RGB",
        "RGBA",
        "tvir",
        "Inception",
        "Score",
        "FLD",
        "FLOP",
        "BLEU",
        "MAUVE",
        "self",
    }
    for key, phrase in phrases("uk").items():
        for form in phrase.values() if isinstance(phrase, dict) else [phrase]:
            text = re.sub(r"\{\w+\}", "", form)
            assert set(latin.findall(text)) <= known, key


@pytest.mark.parametrize(
    ("number", "text"),
    [(1, "1 запуск"), (2, "2 запуски"), (5, "5 запусків"), (11, "11 запусків"), (12, "12 запусків"), (21, "21 запуск"),
     (24, "24 запуски"), (111, "111 запусків"), (0, "0 запусків")],
)  # fmt: skip
def test_ukrainian_plurals(number, text):
    assert load_words("uk").count("count.runs", number) == text


def test_numbers_take_the_signs_of_the_language():
    assert load_words("uk").number("-1,234.5") == "−1\u202f234,5"
    assert load_words("en").number("-1,234.5") == "−1,234.5"


def test_lists_are_joined_as_people_do():
    words = load_words("en")
    assert [words.both(list("abc")[:count]) for count in range(4)] == ["", "a", "a and b", "a, b and c"]


def test_a_missing_key_is_an_error_and_no_empty_place():
    with pytest.raises(KeyError):
        load_words("en")("no such key")


def test_an_unknown_language_is_refused_with_the_known_ones():
    with pytest.raises(UsageError, match="en, uk"):
        load_words("fr")
    assert languages() == ("en", "uk")


def test_a_metric_of_a_later_version_is_shown_by_its_own_name():
    words = load_words("uk")
    assert words.metric("new_fancy_score") == "new fancy score"
    assert words.sees("new_fancy_score") is None
    assert words.space("dino@1234") == "dino"


def test_short_names_of_spaces_leave_out_hash_and_components():
    assert load_words("en").space("pixels-pca64@0a1b") == "pixels"
    assert load_words("uk").space("classifier@0a1b") == "класифікатор"
