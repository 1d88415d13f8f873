import pytest

from tvir.contracts.metric import Axis, Direction, Score
from tvir.reports.language import load_words
from tvir.reports.numbers import compact, duration, floor_format, half_width, row_format

EN = load_words("en")


def score(value, half=None, floor=None):
    return Score(
        axis=Axis.FIDELITY, metric="density", space="pixels", value=value, floor=floor, better=Direction.HIGHER,
        interval=None if half is None else (value - half, value + half), n_real=1, n_generated=1,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("value", "half", "text"),
    [
        (0.91234, 0.0123, "0.912 ± 0.012"),
        (23.456, 4.4, "23.5 ± 4.4"),
        (0.0002134, 0.000092, "0.000213 ± 0.000092"),
        (12345.6, 321.0, "12,346 ± 321"),
        (-0.0001, 0.01, "0.000 ± 0.010"),
        (10.0, 0.0, "10 ± 0"),
        (0.5, None, "0.500"),
        (3e-9, None, "3.00·10⁻⁹"),
        (2.5e8, None, "2.50·10⁸"),
        (0.0, None, "0"),
    ],
)
def test_a_score_shows_the_digits_that_its_interval_supports(value, half, text):
    one = score(value, half)
    assert row_format([one]).score(one, EN) == text


def test_all_numbers_of_a_row_have_the_same_decimals():
    row = [score(0.5931, 0.0353), score(0.6492, 0.0085), score(0.7801, 0.0262)]
    layout = row_format(row)
    assert {len(layout.number(one.value, EN)) for one in row} == {5}


def test_a_value_that_is_not_a_number_is_a_dash():
    assert row_format([score(1.0)]).number(float("nan"), EN) == "–"


def test_a_floor_below_the_rows_resolution_is_not_rounded_to_nothing():
    layout = row_format([score(0.25, 0.05, floor=0.00043)])
    assert layout.number(0.25, EN) == "0.250"
    assert floor_format(layout, 0.00043).number(0.00043, EN) == "0.00043"
    assert floor_format(layout, 0.9) == layout
    assert floor_format(layout, 0.0) == layout


def test_half_of_an_interval():
    assert half_width(score(2.0, 0.5)) == pytest.approx(0.5)
    assert half_width(score(2.0)) is None


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (999, "999"), (1000, "1.00 k"), (655_105, "655 k"), (2.5e9, "2.50 G")]
)
def test_counts_are_short(number, text):
    assert compact(number, EN) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (30, "30 s"), (59.96, "1 min"), (60, "1 min"), (3600, "1 h"), (3725, "1 h 2 min")]
)
def test_durations_read_as_people_say_them(seconds, text):
    assert duration(seconds, EN) == text
