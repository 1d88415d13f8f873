import re
from dataclasses import replace

import made_up
import numpy as np
import pytest

from tvir.contracts.evidence import (
    ClassHistogram,
    DistanceHistogram,
    Evidence,
    NearestPair,
    NearestTraining,
    Spectrum,
)
from tvir.contracts.metric import Axis, Direction, Score
from tvir.reports.content import PickedGrid, ScoreReport
from tvir.reports.html import comparison_page, run_page, score_page, write_report
from tvir.reports.scores import from_floor, score_rows

HISTOGRAM = DistanceHistogram(space="pixels@raw", width=0.5, real=(0.2, 0.5, 0.3), generated=(0.6, 0.3, 0.1))
DARK, BRIGHT = (np.full((8, 8, 1), value, dtype=np.uint8) for value in (10, 245))
EVIDENCE = Evidence(
    spectrum=Spectrum(frequencies=(0.0, 0.5, 1.0), real=(0.7, 0.2, 0.1), generated=(0.9, 0.09, 0.01)),
    distances=(HISTOGRAM,),
    classes=ClassHistogram(classes=("0", "1"), real=(0.5, 0.5), generated=(0.9, 0.1)),
    nearest=NearestTraining(
        distances=replace(HISTOGRAM, space="-"),
        threshold=2.0,
        pairs=(
            NearestPair(generated=DARK, training=DARK, distance=0.0),
            NearestPair(generated=BRIGHT, training=DARK, distance=7.25),
        ),
        count=180,
    ),
)
HEADINGS = tuple(
    f"<h4>{heading}</h4>"
    for heading in (
        "Power spectra",
        "Pairwise distances",
        "Classes",
        "Distance to the training set",
        "The most suspicious samples",
    )
)


def compared(**changes):
    return replace(made_up.comparison(), grids=(), strips=(), evidence={"vae": EVIDENCE, "gan": EVIDENCE}, **changes)


def scored(**changes):
    grid = PickedGrid(image=made_up.picture(1, 0.1), source="theirs", seed=5, count=64, total=180)
    values = {
        "generated": "/somewhere/theirs", "real": "/somewhere/mnist", "spec": made_up.DATA.spec,
        "card": replace(made_up.card(0, 0), findings=("intervals are over 5 disjoint blocks",)),
        "evidence": EVIDENCE, "grids": [grid, replace(grid, source="mnist", real=True)],
    }  # fmt: skip
    return ScoreReport(**(values | changes))


@pytest.mark.parametrize("language", ["en", "uk"])
def test_every_figure_is_there_and_says_what_would_be_bad(language):
    page = comparison_page(compared(), language)
    figures = re.findall(r'<figure class="evidence.*?</figure>', page, re.DOTALL)
    assert len(figures) == 7  # all at a glance, precision and recall, classes, spectra, distances, nearest, pairs
    assert all(re.search(r"<figcaption>[^<]{80,}</figcaption>", figure) for figure in figures)


def test_what_was_not_measured_has_no_figure():
    page = comparison_page(compared(cards=(), verdicts=()))
    assert "All models at a glance" not in page
    page = run_page(replace(made_up.run_report(), evidence=Evidence()))
    assert not any(heading in page for heading in HEADINGS)


def test_the_pair_below_the_threshold_is_marked_and_the_other_is_not():
    page = run_page(replace(made_up.run_report(), evidence=EVIDENCE, grids=(), strip=None))
    assert page.count('<li class="copy">') == 1
    assert page.count("and its nearest training example, distance") == 2
    assert "the 2 closest of 180 samples" in page


@pytest.mark.parametrize("language", ["en", "uk"])
def test_training_examples_are_hidden_where_asked(language):
    run = replace(made_up.run_report(), evidence=EVIDENCE, grids=(), strip=None, show_training_examples=False)
    pages = [run_page(run, language), comparison_page(compared(show_training_examples=False), language)]
    assert all("<img" not in page for page in pages)
    assert score_page(scored(show_training_examples=False), language).count("<img") == 1


def test_anybodys_samples_have_a_page(tmp_path):
    write_report(tmp_path / "score.html", scored(), "en")
    page = (tmp_path / "score.html").read_text("utf-8")
    assert "theirs against mnist" in page
    assert "theirs: 64 of 180, seed 5" in page
    assert "intervals are over 5 disjoint blocks" in page
    assert all(heading in page for heading in HEADINGS)
    assert "<script" not in page
    assert "Learning curves" not in page


def test_further_scores_stand_below_the_first_ones_of_their_axis():
    page = comparison_page(compared())
    fidelity = page[page.rindex("<h3>Fidelity") : page.rindex("<h3>Diversity")]
    assert fidelity.index("Density [pixels]") < fidelity.index("<details") < fidelity.index("Fréchet distance [pixels]")
    assert "More: 3 further scores" in fidelity


def test_places_are_measured_from_the_floor_to_the_furthest_model():
    (row,) = score_rows(made_up.summaries())[Axis.FIDELITY][:1]
    values = (1.0, 3.0, 0.9)
    scores = tuple(replace(row.scores[0], value=value, floor=1.0, interval=None) for value in values)
    assert [found.place for found in from_floor(replace(row, scores=scores))] == pytest.approx([0, 1, -0.05])
    higher = tuple(replace(score, better=Direction.HIGHER) for score in scores)
    places = [found.place for found in from_floor(replace(row, scores=higher, better=Direction.HIGHER))]
    assert places == pytest.approx([0, -20, 1])


def test_a_score_without_floor_or_model_has_no_place():
    score = Score(axis=Axis.FIDELITY, metric="kid", space="-", value=1, better=Direction.LOWER, n_real=1, n_generated=1)
    card = replace(made_up.summaries()[0], scores=(score,))
    assert from_floor(score_rows([card])[Axis.FIDELITY][0]) == [None]
