"""How many different words and runs of words a set of texts uses."""

from __future__ import annotations

from collections.abc import Iterator

from tvir.contracts.data import TextSpec
from tvir.contracts.metric import Axis, Context, Direction, Metric, Points, Quantity
from tvir.evaluation.matrices import require
from tvir.evaluation.words import run_counts

_ORDERS = (1, 2, 3)


class Distinct(Metric):
    """Different runs of one, two and three words divided by all runs of that length.

    Shown beside the value of real text, its floor, and never ranked on: more than real is no better than real.

    Reference:
        A Diversity-Promoting Objective Function for Neural Conversation Models, arXiv 1510.03055.

    Sample size:
        Falls as texts are added: compare only at equal sizes.

    Known failure:
        Noise scores best; longer texts score worse.
    """

    quantities = tuple(Quantity(f"distinct_{n}", Axis.DIVERSITY, Direction.HIGHER, ranked=False) for n in _ORDERS)

    def applies(self, real: Points, context: Context) -> bool:
        return isinstance(context.spec, TextSpec)

    def measure(self, real: Points, generated: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        require(generated, 1, "generated")
        for order in _ORDERS:
            counts = run_counts(generated, context.spec, order)
            yield f"distinct_{order}", "-", len(counts) / max(1, counts.total())
