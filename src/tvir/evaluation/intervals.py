"""How far a value would land from here with other points of the same two distributions.

A metric that knows its own variance says so (``Metric.standard_error``). Otherwise both sets are cut into disjoint
blocks: the values of B blocks of N/B points have B times the variance of the value of all N, so their standard
deviation over sqrt(B) is its standard error. The interval lies around the *full* value, never around the mean of the
blocks, which carries the larger bias of smaller sets; it speaks of the metric at its own sample size. Where a metric's
variance falls faster than 1/N (distances between equal distributions) the interval is wider than it need be. Points are
never drawn twice: the duplicates of a bootstrap move a Frechet distance beyond its own interval.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from tvir.contracts.metric import Context, Metric, Points
from tvir.contracts.noise import mix_seed
from tvir.evaluation.measuring import FAILURES, Key, Measurement
from tvir.evaluation.remembering import remembered

LEVEL = 0.95
"""Confidence of every interval."""

BLOCKS = 8
_FEWEST_BLOCKS = 4
_FEWEST_POINTS = 25
"""Points of a block, at least."""

_AGREEMENT = 1e-12
"""Standard errors below this, relative to the value, are rounding."""


@dataclass(frozen=True)
class StandardError:
    """A standard error, and its degrees of freedom (None where a formula gives it).

    Example:
        >>> low, high = StandardError(1.0, None).interval(10.0)
        >>> round(low, 2), round(high, 2)
        (8.04, 11.96)
    """

    value: float
    freedom: int | None

    def interval(self, centre: float) -> tuple[float, float]:
        """The 95 % interval around the full value."""
        level = (1 + LEVEL) / 2
        quantile = stats.norm.ppf(level) if self.freedom is None else stats.t.ppf(level, self.freedom)
        half = float(quantile) * self.value
        return centre - half, centre + half


def standard_errors(
    measured: Sequence[Measurement], real: Points, generated: Points, context: Context
) -> dict[Key, StandardError]:
    """The standard errors of values just measured; keys without one are left out.

    Args:
        measured: Values of all ``real`` against all ``generated``.
        real: One side.
        generated: The other, of any size.
        context: As the values were measured with.
    """
    by_metric: dict[Metric, list[Measurement]] = defaultdict(list)
    for one in measured:
        by_metric[one.metric].append(one)
    found: dict[Key, StandardError] = {}
    for metric, values in by_metric.items():
        known = {
            one.key: error
            for one in values
            if (error := metric.standard_error(one.name, one.space, one.value, real, generated)) is not None
        }
        errors = {key: StandardError(error, None) for key, error in known.items()}
        if metric.in_blocks and len(known) < len(values):
            errors = {**_over_blocks(metric, real, generated, context), **errors}
        # Blocks that all agree (ten modes found of ten) do not show that another set would.
        found |= {
            one.key: errors[one.key]
            for one in values
            if one.key in errors and errors[one.key].value > _AGREEMENT * abs(one.value)
        }
    return found


def block_count(real: Points, generated: Points) -> int:
    """How many disjoint blocks two sets are cut into; 0 where they are too small for any."""
    count = min(BLOCKS, min(len(real), len(generated)) // _FEWEST_POINTS)
    return count if count >= _FEWEST_BLOCKS else 0


@remembered
def disjoint_blocks(points: Points, count: int, seed: int) -> tuple[Points, ...]:
    """A set cut into ``count`` parts at random: what was generated may lie in an order that means something."""
    order = np.random.default_rng(mix_seed(seed, "blocks")).permutation(len(points))
    return tuple(points.subset(part) for part in np.array_split(order, count))


def _over_blocks(metric: Metric, real: Points, generated: Points, context: Context) -> Mapping[Key, StandardError]:
    count = block_count(real, generated)
    values: dict[Key, list[float]] = defaultdict(list)
    if count:
        sides = (disjoint_blocks(side, count, context.seed) for side in (real, generated))
        try:
            for few_real, few_generated in zip(*sides, strict=True):
                for name, space, value in metric.measure(few_real, few_generated, context):
                    values[name, space].append(value)
        except FAILURES:
            return {}  # a block may be too small where the whole is not
    return {
        key: StandardError(float(np.std(found, ddof=1)) / math.sqrt(count), count - 1)
        for key, found in values.items()
        if len(found) == count and np.isfinite(found).all()
    }


INTERVALS = "intervals: "
"""How the finding begins that says where the intervals of a scorecard come from."""


def about_intervals(
    measured: Sequence[Measurement], errors: Mapping[Key, StandardError], real: Points, generated: Points
) -> Iterator[str]:
    """One finding: which kind of interval the scores have, and which have none."""
    if not measured:
        return
    with_error = [one for one in measured if one.key in errors]
    parts: list[str] = []
    if any(errors[one.key].freedom is not None for one in with_error):
        count = block_count(real, generated)
        parts.append(
            f"95 %, over {count} disjoint blocks of {len(generated) // count:,} generated and {len(real) // count:,} "
            "real points, around the value of all"
        )
    elif not block_count(real, generated):
        parts.append(f"too few points for disjoint blocks, which need {_FEWEST_BLOCKS * _FEWEST_POINTS}")
    by_formula = {one.name: one.metric.error_source for one in with_error if errors[one.key].freedom is None}
    parts += [f"{name}: {source}" for name, source in by_formula.items()]
    if without := dict.fromkeys(one.name for one in measured if one.key not in errors):
        parts.append(f"none for some or all of {', '.join(without)}")
    yield INTERVALS + "; ".join(parts)
