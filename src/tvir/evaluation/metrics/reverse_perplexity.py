"""How well real text is foreseen by who has learnt from generated text alone."""

from __future__ import annotations

from collections.abc import Iterator

from tvir.contracts.data import TextSpec
from tvir.contracts.metric import Axis, Context, Direction, Metric, Points, Quantity
from tvir.evaluation.kneser_ney import KneserNey
from tvir.evaluation.matrices import require
from tvir.evaluation.words import run_counts, sentences


class ReversePerplexity(Metric):
    """Perplexity of the reference, word by word, under a smoothed trigram model of the generated texts.

    The model is interpolated Kneser-Ney over the words of the training split (of the reference where there is none);
    all others are one unknown word, on either side. Low only for texts that are as real and as varied as the data.

    Reference:
        Adversarially Regularized Autoencoders, arXiv 1706.04223 (reverse perplexity); Chen and Goodman 1999
        (the model).

    Sample size:
        Falls as texts are added: compare only at equal sizes, with a thousand texts at least.

    Known failure:
        Sees three words at a time. Copies of the training split score as well as real text.
    """

    quantities = (Quantity("reverse_perplexity", Axis.STRUCTURE, Direction.LOWER),)

    def applies(self, real: Points, context: Context) -> bool:
        return isinstance(context.spec, TextSpec)

    def measure(self, real: Points, generated: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        require(real, 1, "real")
        require(generated, 1, "generated")
        known = run_counts(context.train if len(context.train) else real, context.spec, 1)
        model = KneserNey(sentences(generated, context.spec), (word for (word,) in known))
        yield "reverse_perplexity", "-", model.perplexity(sentences(real, context.spec))
