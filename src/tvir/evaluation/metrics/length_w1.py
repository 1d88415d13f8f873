"""Whether texts are as long as real ones."""

from __future__ import annotations

from collections.abc import Iterator

from scipy.stats import wasserstein_distance

from tvir.contracts.data import TextSpec
from tvir.contracts.metric import Axis, Context, Direction, Metric, Points, Quantity
from tvir.evaluation.matrices import require
from tvir.evaluation.words import lengths


class LengthW1(Metric):
    """Wasserstein-1 distance between the numbers of words of generated and real texts, in words.

    Reference:
        Optimal Transport, Old and New (Villani 2009), for the distance.

    Sample size:
        A standard error of about the spread of lengths divided by sqrt(n).

    Known failure:
        Blind to everything but length; where all texts are windows of equal length it says next to nothing.
    """

    quantities = (Quantity("length_w1", Axis.STRUCTURE, Direction.LOWER),)

    def applies(self, real: Points, context: Context) -> bool:
        return isinstance(context.spec, TextSpec)

    def measure(self, real: Points, generated: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        require(real, 1, "real")
        require(generated, 1, "generated")
        known, made = (lengths(points, context.spec) for points in (real, generated))
        yield "length_w1", "-", float(wasserstein_distance(known, made))
