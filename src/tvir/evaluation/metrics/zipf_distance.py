"""Whether the first, second, ... most frequent word is as frequent as in real text."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tvir.contracts.data import Array, TextSpec
from tvir.contracts.metric import Axis, Context, Direction, Metric, Points, Quantity
from tvir.evaluation.matrices import require
from tvir.evaluation.words import run_counts


class ZipfDistance(Metric):
    """Mean distance between the curves of log10 frequency against log rank, whichever word has the rank.

    Each rank weighs 1 / rank, so that every decade of ranks weighs alike. A rank that one side does not reach has half
    an occurrence there.

    Reference:
        Human Behavior and the Principle of Least Effort (Zipf 1949).

    Sample size:
        The tail depends on the size: compare only at equal sizes, with a few thousand words.

    Known failure:
        Blind to which words they are and to their order: real words in any order score as real text.
    """

    quantities = (Quantity("zipf_distance", Axis.STRUCTURE, Direction.LOWER),)

    def applies(self, real: Points, context: Context) -> bool:
        return isinstance(context.spec, TextSpec)

    def measure(self, real: Points, generated: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        require(real, 1, "real")
        require(generated, 1, "generated")
        counts = (
            np.array(sorted(run_counts(points, context.spec, 1).values(), reverse=True), dtype=np.float64)
            for points in (real, generated)
        )
        yield "zipf_distance", "-", rank_distance(*counts)


def rank_distance(real: Array, generated: Array) -> float:
    """The distance between two falling lists of counts; infinite where one is empty.

    Example:
        >>> rank_distance(np.array([10.0]), np.array([10.0])), rank_distance(np.array([2.0, 2.0]), np.array([8.0, 8.0]))
        (0.0, 0.0)
    """
    if not len(real) or not len(generated):
        return float("inf")
    ranks = max(len(real), len(generated))
    curves = [
        np.log10(np.concatenate([counts, np.full(ranks - len(counts), 0.5)]) / counts.sum())
        for counts in (real, generated)
    ]
    return float(np.average(np.abs(curves[0] - curves[1]), weights=1 / np.arange(1, ranks + 1)))
