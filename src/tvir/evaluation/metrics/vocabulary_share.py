"""How much of the vocabulary of real text is used."""

from __future__ import annotations

from collections.abc import Iterator

from tvir.contracts.data import TextSpec
from tvir.contracts.metric import Axis, Context, Direction, Metric, Points, Quantity
from tvir.evaluation.matrices import require
from tvir.evaluation.words import run_counts


class VocabularyShare(Metric):
    """Share of the different words of the reference that generated texts use as well.

    Reference:
        Language GANs Falling Short, arXiv 1811.02549 (that models leave out rare words is one of its findings).

    Sample size:
        Grows with the number of texts: compare only at equal sizes.

    Known failure:
        A word counts once however rarely or wrongly it is used.
    """

    quantities = (Quantity("vocabulary_share", Axis.STRUCTURE, Direction.HIGHER),)

    def applies(self, real: Points, context: Context) -> bool:
        return isinstance(context.spec, TextSpec)

    def measure(self, real: Points, generated: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        require(real, 1, "real")
        known, made = (run_counts(points, context.spec, 1) for points in (real, generated))
        yield "vocabulary_share", "-", len(known.keys() & made.keys()) / max(1, len(known))
