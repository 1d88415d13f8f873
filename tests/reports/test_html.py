import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import made_up
import pytest
from PIL import Image

from tvir.contracts.errors import UsageError
from tvir.contracts.run import SpecRecord
from tvir.reports.html import comparison_page, run_page, write_report
from tvir.reports.language import load_words
from tvir.reports.panels import costs, example_text

VOID = {"meta", "img", "br", "col", "link", "input", "hr"}


class Checker(HTMLParser):
    """Notes tags, ids and whether every element is closed in order."""

    def __init__(self, page):
        super().__init__()
        self.stack, self.wrong, self.ids, self.tags, self.attributes = [], [], [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.ids += [value for name, value in attrs if name == "id"]

    def handle_endtag(self, tag):
        if not self.stack or self.stack.pop() != tag:
            self.wrong.append(tag)


@pytest.fixture(scope="module")
def pages():
    report = made_up.comparison()
    small = replace(report, grids=report.grids[:2], strips=report.strips[:1])
    return {language: comparison_page(small, language) for language in ("en", "uk")}


@pytest.fixture(scope="module")
def run_pages():
    return {language: run_page(made_up.run_report(), language) for language in ("en", "uk")}


@pytest.mark.parametrize("language", ["en", "uk"])
def test_ranks_and_the_search_are_shown_where_there_are_any(pages, language):
    words = load_words(language)
    report = made_up.comparison()
    without = comparison_page(replace(report, ranks=(), attempts=(), expected_bests={}, grids=[], strips=[]), language)
    for heading in ("ranks.heading", "search.heading"):
        assert f">{words(heading)}</h" in pages[language]
        assert f">{words(heading)}</h" not in without
    assert words("ranks.nobody") in pages[language]
    best = comparison_page(replace(report, dominating="gan", grids=[], strips=[]), language)
    assert words("ranks.nobody") not in best
    assert re.search(words("ranks.dominating").replace("{model}", "<b[^>]*>gan</b>"), best)
    assert "generator_learning_rate = 0.001" in pages[language]
    assert words("sizes.matched.parameters") in pages[language]
    assert words("sizes.mismatch", ratio=words.number("1.50")) in pages[language]


@pytest.mark.parametrize("language", ["en", "uk"])
def test_the_page_is_well_formed_and_says_its_language(pages, run_pages, language):
    for page in (pages[language], run_pages[language]):
        checked = Checker(page)
        assert checked.wrong == []
        assert checked.stack == []
        assert len(checked.ids) == len(set(checked.ids))
        assert f'<html lang="{language}">' in page


def test_the_page_loads_nothing_and_runs_nothing(pages, run_pages):
    for page in (*pages.values(), *run_pages.values()):
        checked = Checker(page)
        assert not {"script", "link", "iframe"} & set(checked.tags)
        sources = [values[name] for _, values in checked.attributes for name in ("src", "href") if name in values]
        assert all(source.startswith(("data:image/png;base64,", "#")) for source in sources)
        assert "@import" not in page
        assert not re.search(r"url\((?!#)", page)


def test_every_picture_has_words_and_survives_the_way_into_the_page(run_pages):
    pictures = [values for tag, values in Checker(run_pages["en"]).attributes if tag == "img"]
    assert len(pictures) == 8
    assert all(values["alt"] for values in pictures)
    content = base64.b64decode(pictures[0]["src"].partition(",")[2])
    assert Image.open(io.BytesIO(content)).tobytes() == made_up.run_report().grids[0].image.tobytes()


def test_the_caption_says_what_a_grid_was_made_from(pages):
    assert "vae, training seed 0, 3,050 steps; 64 samples from sample seed 0" in pages["en"]


def test_no_score_is_shown_without_floor_and_interval(pages):
    row = re.search(r"<tr><th[^>]*>Coverage \[pixels\].*?</tr>", pages["en"], re.DOTALL)[0]
    assert '<td class="floor">0.969</td>' in row
    assert row.count("±") == 3
    assert "coverage[pixels@raw, 180 real, 180 generated]" in row


def test_a_model_that_lacks_a_score_shows_a_gap_and_no_number(pages):
    row = re.search(r"<tr><th[^>]*>Reconstruction error.*?</tr>", pages["en"], re.DOTALL)[0]
    assert "not measured" in row
    assert row.count("±") == 2


def test_verdicts_and_failures_are_told(pages):
    text = re.sub(r"<[^>]+>", "", pages["en"])
    assert "gan is ahead of vae on RBF MMD²" in text
    assert "gan copies: " in text
    assert "was not finite at step 310" in text
    assert "11 of 12 runs" in text


def test_a_ukrainian_page_is_ukrainian_but_for_names_and_the_programs_own_lines(pages):
    page = re.sub(r"<(style|title|code|b|svg)\b.*?</\1>", "", pages["uk"], flags=re.DOTALL)
    page = re.sub(r'<span lang="en">.*?</span>|<span class="full">.*?</span>', "", page, flags=re.DOTALL)
    facts = re.search(r'<dl class="record">.*?</dl>', page, re.DOTALL)[0]
    text = re.sub(r"<[^>]+>", " ", page.replace(facts, ""))
    known = {"tvir", "digits", "vae", "gan", "unbalanced", "MMD", "RBF", "hash"}
    assert set(re.findall(r"[A-Za-z]{3,}", text)) <= known


def test_two_seeds_say_that_nothing_is_decided():
    report = made_up.comparison()
    few = replace(report, seeds=(0, 1), cards=made_up.summaries((0, 1)), verdicts=(), grids=(), strips=(), runs=())
    assert "Fewer than three seeds" in comparison_page(few)


def test_a_comparison_of_which_every_run_failed_still_has_a_page():
    runs = [made_up.run(model, 0, failed=True) for model in made_up.MODELS]
    page = comparison_page(replace(made_up.comparison(), runs=runs, cards=(), verdicts=(), grids=(), strips=()))
    assert "no run was judged" in page
    assert page.count("has no verdict: every run failed") == 3


def test_what_comes_from_outside_cannot_write_mark_up():
    report = made_up.comparison()
    evil = "<script>alert(1)</script>"
    hostile = replace(
        report,
        title=evil,
        data=replace(report.data, reference=evil),
        findings=(evil,),
        runs=[replace(report.runs[0], path=evil, record=replace(report.runs[0].record, model=evil, failure=evil))],
        cards=[replace(report.cards[0], subject=evil, findings=(evil,))],
        verdicts=(),
        grids=[replace(report.grids[0], model=evil)],
        strips=[replace(report.strips[0], model=evil)],
    )
    assert "<script" not in comparison_page(hostile)
    assert "<script" not in comparison_page(hostile, "uk")


def test_a_run_that_failed_before_it_was_judged_has_a_page():
    report = made_up.run_report()
    page = run_page(replace(report, run=made_up.run("gan", 2, failed=True), card=None, grids=(), strip=None))
    assert "was not finite at step 310" in page
    assert "No losses were logged" in page


def test_reports_are_written_where_asked(tmp_path):
    report = replace(made_up.comparison(), cards=(), runs=(), grids=(), strips=(), verdicts=())
    write_report(tmp_path / "comparison.html", report)
    write_report(tmp_path / "run.html", replace(made_up.run_report(), run=made_up.run("vae", 0, failed=True)), "uk")
    assert (tmp_path / "comparison.html").read_text("utf-8").startswith("<!DOCTYPE html>")
    assert 'lang="uk"' in (tmp_path / "run.html").read_text("utf-8")


def test_an_unknown_language_is_refused(tmp_path):
    with pytest.raises(UsageError, match="choose one of"):
        write_report(tmp_path / "x.html", made_up.comparison(), "fr")


def test_two_contestants_of_one_model_are_kept_apart():
    names = ("gan:loss=hinge", "gan:loss=r1")
    runs = [replace(made_up.run("gan", 0), subject=name) for name in names]
    assert [cost.model for cost in costs(runs, names)] == list(names)
    page = comparison_page(replace(made_up.comparison(), runs=runs, cards=(), verdicts=(), grids=(), strips=()))
    assert all(f'<b class="model model-{place}">{name}</b>' in page for place, name in enumerate(names))


def test_costs_are_means_over_finished_runs():
    runs = [
        made_up.run("vae", 0),
        made_up.run("vae", 2),
        made_up.run("vae", 1, failed=True),
        made_up.run("gan", 0, failed=True),
    ]
    (cost,) = costs(runs, ["vae", "gan"])
    assert (cost.model, cost.runs, cost.seconds, cost.steps) == ("vae", 2, 30.0, 3061.0)
    assert cost.speed == pytest.approx(390_400 / 30)


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (SpecRecord(kind="image", size=(1, 8, 12)), "image, 12 × 8 pixels, gray"),
        (SpecRecord(kind="image", size=(7, 8, 8)), "image, 8 × 8 pixels, 7 channels"),
        (SpecRecord(kind="vector", size=(2,)), "vector of 2 numbers"),
        (SpecRecord(kind="text", size=(100, 16)), "text of 16 tokens out of 100"),
    ],
)
def test_an_example_is_told_in_words(spec, text):
    assert example_text(spec, load_words("en")) == text
