"""Quality against diversity: a model is compared with what another reaches as it grows more and more careful."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise

from tvir.contracts.plane import PlanePoint


class Side(StrEnum):
    """Where a point lies, seen from a curve."""

    ABOVE = "above"
    """Better at the same diversity."""
    ON = "on"
    BELOW = "below"
    BESIDE = "beside"
    """The curve has no point of that diversity."""


def gap_to_curve(curve: Sequence[PlanePoint], point: PlanePoint) -> float | None:
    """How much better than the curve a point is at its own diversity; None beyond the ends of the curve.

    A single score lets a model that says little, but says it well, look good. A language model at falling temperatures
    shows what such caution is worth: Caccia et al. 2020, Language GANs Falling Short, arXiv 1811.02549.

    Args:
        curve: One model at several temperatures, in any order.
        point: The other.

    Example:
        >>> curve = [PlanePoint(repetition=0.2, fidelity=0.3), PlanePoint(repetition=0.4, fidelity=0.5)]
        >>> round(gap_to_curve(curve, PlanePoint(repetition=0.3, fidelity=0.35)), 6)
        -0.05
    """
    ordered = sorted(curve, key=lambda one: one.repetition)
    for left, right in pairwise(ordered):
        if left.repetition <= point.repetition <= right.repetition:
            width = right.repetition - left.repetition
            share = (point.repetition - left.repetition) / width if width else 0.5
            return point.fidelity - (left.fidelity + share * (right.fidelity - left.fidelity))
    return None


def side_of_curve(curve: Sequence[PlanePoint], point: PlanePoint, tolerance: float) -> Side:
    """On which side of a curve a point lies; within ``tolerance`` of fidelity it lies on it."""
    gap = gap_to_curve(curve, point)
    if gap is None:
        return Side.BESIDE
    if abs(gap) <= tolerance:
        return Side.ON
    return Side.ABOVE if gap > 0 else Side.BELOW
