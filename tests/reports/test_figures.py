import math
import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import made_up
import numpy as np
import pytest

from tvir.contracts.metric import Axis, Direction, Score
from tvir.reports.figures import Scale, dot_plot, expected_best, learning_curve, scatter, thin
from tvir.reports.language import load_words
from tvir.reports.scores import score_rows

EN, UK = load_words("en"), load_words("uk")


@pytest.fixture(scope="module")
def row():
    return score_rows(made_up.summaries())["fidelity"][0]


def parsed(svg):
    return ET.fromstring(svg.replace("<svg ", '<svg xmlns:xlink="http://www.w3.org/1999/xlink" ', 1))


def test_a_figure_is_one_element_with_words_for_those_who_cannot_see_it(row):
    root = parsed(dot_plot(row, made_up.MODELS, EN, "vae < gan"))
    assert root.get("role") == "img"
    assert root[0].tag.endswith("title")
    assert root[0].text == "vae < gan"


def test_a_figure_takes_its_colours_and_font_from_the_page(row):
    svg = dot_plot(row, made_up.MODELS, EN, "alt")
    assert all(f"var(--{name})" in svg for name in ("ink", "rule", "sans", "model-0", "model-1", "model-2"))
    assert not re.search(r"#0[1-5]0\d0\d", svg)
    assert "DejaVu" not in svg


def test_a_figure_brings_no_style_sheet_that_would_reach_the_page(row):
    assert "<style" not in dot_plot(row, made_up.MODELS, EN, "alt")


def test_text_in_a_figure_stays_text_and_few_bytes(row):
    svg = dot_plot(row, made_up.MODELS, EN, "alt")
    assert "unbalanced-gan" in svg
    assert len(svg) < 12_000


def test_two_figures_share_no_id(row):
    one, other = (dot_plot(row, made_up.MODELS, EN, alt) for alt in ("one", "other"))
    ids = [set(re.findall(r' id="([^"]+)"', svg)) for svg in (one, other)]
    assert ids[0]
    assert not ids[0] & ids[1]
    assert set(re.findall(r'href="#([^"]+)"', one)) <= ids[0]


def test_equal_numbers_make_equal_bytes(row):
    assert dot_plot(row, made_up.MODELS, EN, "alt") == dot_plot(row, made_up.MODELS, EN, "alt")


def test_numbers_on_the_axes_are_written_as_in_the_language(row):
    assert re.search(r">0,\d+<", dot_plot(row, made_up.MODELS, UK, "alt"))
    assert re.search(r">0\.\d+<", dot_plot(row, made_up.MODELS, EN, "alt"))


def test_a_curve_is_drawn_per_seed_and_what_is_not_finite_is_left_out():
    curves = [[(0.0, 1.0), (1.0, math.nan), (2.0, 3.0)], [(0.0, 2.0), (1.0, math.inf), (2.0, 1.0)]]
    svg = learning_curve("loss", curves, 3, EN, "alt")
    assert svg.count("var(--model-3)") == 2
    assert "nan" not in svg
    assert "inf" not in svg


def test_a_curve_with_a_far_peak_is_drawn_on_a_log_scale_that_is_named():
    curve = [(float(second), 1e4 * math.exp(-second) + 1) for second in range(60)]
    assert "log scale" in learning_curve("loss", [curve], 0, EN, "alt")
    assert "log scale" not in learning_curve("loss", [[(x, y - 2) for x, y in curve]], 0, EN, "alt")


def test_a_curve_without_finite_values_still_makes_a_figure():
    assert "loss" in learning_curve("loss", [[(0.0, math.nan)]], 0, EN, "alt")


def test_thinning_keeps_the_mean_and_the_ends():
    curve = [(float(x), float(y)) for x, y in enumerate(np.random.default_rng(0).normal(size=1600))]
    thinned = thin(curve, 160)
    assert len(thinned) == 160
    assert np.mean([y for _, y in thinned]) == pytest.approx(np.mean([y for _, y in curve]))
    assert thinned[0][0] < 10
    assert thinned[-1][0] > 1590
    assert thin(curve[:100], 160) == curve[:100]


def test_precision_against_recall_shows_real_data_where_there_is_a_floor():
    cards = made_up.summaries()
    found = {
        card.subject: tuple(next(s for s in card.scores if s.metric == name) for name in ("recall", "precision"))
        for card in cards
    }
    svg = scatter("title", found, (Scale(label="along"), Scale(label="up")), made_up.MODELS, EN, "alt")
    assert all(text in svg for text in ("real data", "along", "up", *made_up.MODELS))


def test_a_cost_over_orders_of_magnitude_is_drawn_on_a_logarithmic_scale():
    cost = Score(
        axis=Axis.COST, metric="training_flops", space="-", value=1e12, interval=None, floor=None,
        better=Direction.LOWER, n_real=9, n_generated=9,
    )  # fmt: skip
    pair = {"vae": (cost, cost), "gan": (replace(cost, value=1e15), cost)}
    scales = (Scale(label="cost", logarithmic=True), Scale(label="cost", logarithmic=True))
    ticks = scatter("title", pair, scales, made_up.MODELS, EN, "alt")
    assert "real data" not in ticks
    assert "10" in ticks


def test_the_expected_best_has_a_line_for_every_model():
    svg = expected_best({"vae": [3.0, 2.0], "gan": [1.0]}, "score", made_up.MODELS, EN, "alt")
    assert all(text in svg for text in ("vae", "gan", "score", EN("search.tried")))
