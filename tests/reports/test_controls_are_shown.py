"""Controls stand beside what they are compared with, and take nothing from it: no scale, no place in the title."""

import made_up
import pytest
from rich.console import Console

from tvir.comparison.statistics import verdicts
from tvir.contracts.metric import Axis
from tvir.reports.html import comparison_page
from tvir.reports.scores import from_floor, score_rows
from tvir.reports.terminal import comparison_table

ASKED, CONTROL = made_up.MODELS[:2], made_up.MODELS[2]


@pytest.fixture(scope="module")
def report():
    from dataclasses import replace

    found = verdicts(made_up.cards_by_seed((0, 1, 2, 3)), controls=[CONTROL])
    return replace(made_up.comparison(), controls=[CONTROL], verdicts=found)


def test_the_page_shows_controls_but_is_not_named_after_them(report):
    page = comparison_page(report)
    title = page.partition("<title>")[2].partition("</title>")[0]
    assert all(name in title for name in ASKED)
    assert CONTROL not in title
    assert f"fitted without a step of training: {CONTROL}" in page
    assert page.count(CONTROL) > 10


def test_in_the_terminal_they_have_a_table_of_their_own(report):
    console = Console(width=100, record=True, file=open("/dev/null", "w"), color_system=None)  # noqa: PTH123, SIM115
    console.print(comparison_table(report.cards, verdicts=report.verdicts, controls=report.controls))
    asked, _, controls = console.export_text().partition("\nControls ")
    assert CONTROL not in asked
    assert controls.splitlines()[2].split() == ["score", "floor", CONTROL]


def test_a_model_that_beats_every_other_but_a_control_is_ahead(report):
    rows = [row for found in score_rows(report.cards, report.verdicts, [CONTROL]).values() for row in found]
    assert {row.ahead for row in rows} <= {*ASKED, None}
    assert any(row.ahead for row in rows)


def test_a_control_sets_no_scale(report):
    rows = score_rows(report.cards, report.verdicts, [CONTROL])
    places = from_floor(rows[Axis.FIDELITY][0])
    assert max(place.place for place in places[:2]) == pytest.approx(1)
