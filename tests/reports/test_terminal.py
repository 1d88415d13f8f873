from dataclasses import replace

import made_up
import pytest
from rich.console import Console

from tvir.models.catalogue import Entry
from tvir.reports.terminal import comparison_table, models_table, models_tree, scorecard_table


def printed(renderable, width=100):
    console = Console(width=width, record=True, file=open("/dev/null", "w"), color_system=None)  # noqa: PTH123, SIM115
    console.print(renderable)
    return console.export_text()


@pytest.fixture(scope="module")
def report():
    return made_up.comparison()


@pytest.mark.parametrize("language", ["en", "uk"])
def test_a_comparison_of_three_models_fits_100_columns_a_score_per_line(report, language):
    lines = printed(comparison_table(report.cards, language, verdicts=report.verdicts)).splitlines()
    scores = [line for line in lines if line.strip().startswith(("↓", "↑"))]
    assert len(scores) == len(made_up.SCORES)
    # Nothing was cut, and every score has all of its numbers on its own line.
    assert not any("…" in line for line in lines)
    assert all(line.count("±") == (2 if "–" in line else 3) for line in scores)


def test_every_score_stands_beside_its_floor(report):
    text = printed(comparison_table(report.cards))
    line = next(line for line in text.splitlines() if "Coverage [pixels]" in line)
    assert "0.969" in line
    assert "half of the 95 % interval" in text


def test_axes_are_kept_apart(report):
    text = printed(comparison_table(report.cards))
    order = [text.index(name) for name in ("Fidelity", "Diversity", "Memorisation", "Likelihood")]
    assert order == sorted(order)


def test_hashes_of_spaces_are_left_to_the_page(report):
    assert "3fa91c02" not in printed(comparison_table(report.cards))


def test_failed_runs_are_counted(report):
    text = printed(comparison_table(report.cards, runs=[run.record for run in report.runs]))
    assert "gan: 1 of 4 runs failed" in text
    assert "vae: " not in text


def test_without_cards_the_table_says_that_nothing_was_judged():
    assert "no run was judged" in printed(comparison_table([]))


def test_a_scorecard_shows_value_floor_and_findings():
    card = replace(made_up.card(0, 0), findings=("labels are missing: no class histogram",))
    text = printed(scorecard_table(card))
    assert "Scorecard of vae" in text
    assert "labels are missing" in text
    assert "±" not in text
    measured = replace(card, scores=tuple(replace(score, interval=(0.0, 1.0)) for score in card.scores))
    assert "over the samples" in printed(scorecard_table(measured))


MISSING = Entry(name="some-flow", family="flow", model=None, extra="families")


def test_a_model_that_is_not_installed_says_how_to_install_it():
    assert "pip install 'tvir[families]'" in printed(models_table([MISSING]), 160)
    assert "pip install 'tvir[families]'" in printed(models_tree([MISSING]))


@pytest.mark.parametrize(
    ("density", "branch"), [("exact", "exact"), ("bound", "bound"), ("implicit", "implicit density")]
)
def test_the_tree_puts_a_model_under_what_it_knows_of_the_density(density, branch):
    from tvir.contracts.model import GenerativeModel, HasLikelihood, HasLikelihoodBound

    base = {"exact": HasLikelihood, "bound": HasLikelihoodBound, "implicit": GenerativeModel}[density]
    model = type("Toy", (base,), {"paper": "Gauss 1809, Theoria motus"})
    entry = Entry(name="toy", family="flow", model=model)
    lines = [line.strip("│├└─ ") for line in printed(models_tree([entry])).splitlines()]
    assert lines[lines.index(branch) + 1] == "toy  Gauss 1809"
    table = printed(models_table({"toy": entry}))
    assert "Theoria motus" in table
    assert density in table
