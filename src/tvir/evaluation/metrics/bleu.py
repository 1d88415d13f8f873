"""How much of each generated text stands in real ones."""

from __future__ import annotations

from collections.abc import Iterator

from tvir.contracts.data import TextSpec
from tvir.contracts.metric import Axis, Context, Direction, Metric, Points, Quantity
from tvir.evaluation.bleu import mean_bleu
from tvir.evaluation.matrices import require
from tvir.evaluation.words import sentences

_ORDER = 4
REFERENCES = 1000
"""Texts of either side at most: BLEU grows with the number of references, and must not with that of samples."""


class Bleu(Metric):
    """Mean BLEU-4 of generated texts against 1,000 real ones at most.

    The share of each text's runs of one to four words that some real text holds, as a geometric mean. Shown, never
    ranked on.

    Reference:
        BLEU: a Method for Automatic Evaluation of Machine Translation (Papineni et al. 2002); Texygen, arXiv
        1802.01886 (of text without a source).

    Sample size:
        Compare only at equal numbers of references. A standard error of about 0.01 with 500 texts.

    Known failure:
        One good sentence said again and again scores far above real text: without a measure of variety it says
        nothing (Caccia et al. 2020, arXiv 1811.02549).
    """

    quantities = (Quantity("bleu_4", Axis.FIDELITY, Direction.HIGHER, ranked=False),)
    in_blocks = False

    def applies(self, real: Points, context: Context) -> bool:
        return isinstance(context.spec, TextSpec)

    def measure(self, real: Points, generated: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        require(real, 1, "real")
        require(generated, 1, "generated")
        known, made = (sentences(points, context.spec).all[:REFERENCES] for points in (real, generated))
        yield "bleu_4", "-", mean_bleu(made, known, _ORDER)
