"""A model is compared with the curve at its own diversity, and not where there is no curve."""

import pytest

from tvir.comparison.quality_diversity import Side, gap_to_curve, side_of_curve
from tvir.contracts.plane import PlanePoint


def at(repetition, fidelity):
    return PlanePoint(repetition=repetition, fidelity=fidelity)


CURVE = [at(0.6, 0.5), at(0.2, 0.2), at(0.4, 0.4)]


@pytest.mark.parametrize(
    ("point", "gap"),
    [(at(0.2, 0.2), 0.0), (at(0.3, 0.35), 0.05), (at(0.5, 0.35), -0.1), (at(0.6, 0.7), 0.2)],
)
def test_the_gap_is_taken_at_the_same_diversity_whatever_the_order_of_the_curve(point, gap):
    assert gap_to_curve(CURVE, point) == pytest.approx(gap)


@pytest.mark.parametrize("point", [at(0.1, 0.9), at(0.7, 0.0)])
def test_beyond_the_ends_of_the_curve_nothing_is_compared(point):
    assert gap_to_curve(CURVE, point) is None
    assert side_of_curve(CURVE, point, 0.01) is Side.BESIDE


def test_what_lies_close_to_the_curve_lies_on_it():
    sides = [side_of_curve(CURVE, at(0.3, fidelity), 0.02) for fidelity in (0.33, 0.315, 0.285, 0.27)]
    assert sides == [Side.ABOVE, Side.ON, Side.ON, Side.BELOW]


def test_two_temperatures_of_one_diversity_are_no_division_by_nothing():
    assert gap_to_curve([at(0.3, 0.2), at(0.3, 0.4)], at(0.3, 0.3)) == pytest.approx(0)
