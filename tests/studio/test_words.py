import json
import re
from pathlib import Path

import pytest

import tvir.studio

PAGES = Path(tvir.studio.__file__).with_name("pages")
WORDS = {path.stem: json.loads(path.read_text("utf-8")) for path in (PAGES / "words").glob("*.json")}
SOURCES = {path: path.read_text("utf-8") for path in [*PAGES.rglob("*.js"), PAGES / "index.html"]}
PLURAL = re.compile(r"\.(one|few|many|other)$")


def keys(language):
    return {PLURAL.sub("", key) for key in WORDS[language]}


def test_both_languages_have_the_same_keys_and_placeholders():
    assert set(WORDS) == {"en", "uk"}
    assert keys("en") == keys("uk")
    for key in set(WORDS["en"]) & set(WORDS["uk"]):
        wanted, found = (set(re.findall(r"\{(\w+)\}", WORDS[language][key])) for language in ("en", "uk"))
        assert wanted == found, key


@pytest.mark.parametrize("language", ["en", "uk"])
def test_every_plural_has_the_forms_of_its_language(language):
    forms = {"en": {"one", "other"}, "uk": {"one", "few", "many", "other"}}[language]
    stems = {PLURAL.sub("", key) for key in WORDS[language] if PLURAL.search(key)}
    for stem in stems:
        assert {key.rpartition(".")[2] for key in WORDS[language] if PLURAL.sub("", key) == stem} == forms, stem


def test_every_key_that_a_page_asks_for_exists():
    for path, text in SOURCES.items():
        for key in re.findall(r"""(?:say|count)\("([\w.-]+)\"""", text) + re.findall(r'data-say="([^"]+)"', text):
            assert key in keys("en"), f"{path.name} asks for {key}"


def test_every_phrase_is_asked_for_by_some_page():
    told = "\n".join(SOURCES.values())
    families = (*re.findall(r"`([\w-]+\.)\$\{", told), "undo.", "redo.")
    unused = [key for key in keys("en") if not key.startswith(families) and f'"{key}"' not in told]
    assert unused == []


def test_every_refusal_and_origin_in_the_code_has_words():
    code = "\n".join(path.read_text("utf-8") for path in PAGES.parent.rglob("*.py"))
    codes = set(re.findall(r'RefusalError\(\s*"([\w-]+)"', code)) - {"no-point", "no-class", "failed"}
    assert {f"refusal.{found}" for found in codes} <= keys("en")
    actions = set(re.findall(r'\.change\(\s*who, "([\w-]+)"', code))
    assert {f"did.{action}" for action in actions} <= keys("en")


def test_pages_need_nothing_from_elsewhere_and_no_inline_code():
    for path, text in SOURCES.items():
        assert "innerHTML" not in text, path
        assert "eval(" not in text, path
        outside = set(re.findall(r"https?://[^\s\"'`]+", text)) - {
            "http://www.w3.org/2000/svg",
            "http://www.w3.org/1999/xlink",
        }
        assert outside == set(), path
    index = SOURCES[PAGES / "index.html"]
    assert "style=" not in index
    assert re.search(r"\son\w+=", index) is None


def test_the_first_page_is_small():
    assert sum(path.stat().st_size for path in PAGES.rglob("*") if path.is_file()) < 200_000
