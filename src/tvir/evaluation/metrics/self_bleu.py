"""How much of each generated text stands in other generated texts."""

from __future__ import annotations

from collections.abc import Iterator

from tvir.contracts.data import DataSpec, TextSpec
from tvir.contracts.metric import Axis, Context, Direction, Metric, Points, Quantity
from tvir.evaluation.bleu import self_bleu
from tvir.evaluation.matrices import require
from tvir.evaluation.metrics.bleu import REFERENCES
from tvir.evaluation.remembering import remembered
from tvir.evaluation.words import sentences

_ORDERS = (2, 3, 4)


class SelfBleu(Metric):
    """Mean BLEU-2, -3 and -4 of each of at most 1,000 generated texts against all others.

    Shown beside the value of real text, its floor, and never ranked on: less than real is no better than real.

    Reference:
        Texygen: A Benchmarking Platform for Text Generation Models, arXiv 1802.01886.

    Sample size:
        Grows with the number of texts: compare only at equal numbers.

    Known failure:
        Noise scores best. A set of texts that differ only in a word scores near that of a single text.
    """

    quantities = tuple(Quantity(f"self_bleu_{n}", Axis.DIVERSITY, Direction.LOWER, ranked=False) for n in _ORDERS)
    in_blocks = False

    def applies(self, real: Points, context: Context) -> bool:
        return isinstance(context.spec, TextSpec)

    def measure(self, real: Points, generated: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        require(generated, 2, "generated")
        for order, value in zip(_ORDERS, _self_bleu(generated, context.spec), strict=True):
            yield f"self_bleu_{order}", "-", value


@remembered
def _self_bleu(points: Points, spec: DataSpec) -> list[float]:
    return self_bleu(sentences(points, spec).all[:REFERENCES], _ORDERS)
