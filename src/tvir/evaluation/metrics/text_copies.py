"""How much of what is written stands word for word in the training split."""

from __future__ import annotations

from collections.abc import Iterator

from tvir.contracts.data import DataSpec, TextSpec
from tvir.contracts.metric import Axis, Context, Direction, Metric, Points, Quantity
from tvir.evaluation.matrices import require
from tvir.evaluation.remembering import remembered
from tvir.evaluation.words import Sentence, run_counts, sentences

LONG = 8
"""Words in a row that honest texts seldom share."""


class TextCopies(Metric):
    """Share of runs of eight words, and of whole texts, that the training split holds word for word.

    The floor is what real texts outside the training split score: set phrases are no copies.

    Reference:
        How much do language models copy from their training data? RAVEN, arXiv 2111.09509.

    Sample size:
        A hundred texts of more than eight words; shorter texts count only as whole ones.

    Known failure:
        One word changed in every eight hides a copy. Sets of short texts share many of them honestly.
    """

    quantities = (
        Quantity("ngram_copy_rate", Axis.MEMORISATION, Direction.LOWER),
        Quantity("text_copy_rate", Axis.MEMORISATION, Direction.LOWER),
    )

    def applies(self, real: Points, context: Context) -> bool:
        return isinstance(context.spec, TextSpec) and len(context.train) > 0

    def measure(self, real: Points, generated: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        require(generated, 1, "generated")
        known = run_counts(context.train, context.spec, LONG)
        made = run_counts(generated, context.spec, LONG)
        if made:
            copied = sum(count for run, count in made.items() if run in known)
            yield "ngram_copy_rate", "-", copied / made.total()
        whole = _whole(context.train, context.spec)
        yield "text_copy_rate", "-", sum(text in whole for text in sentences(generated, context.spec)) / len(generated)


@remembered
def _whole(points: Points, spec: DataSpec) -> frozenset[Sentence]:
    return frozenset(sentences(points, spec))
