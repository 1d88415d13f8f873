"""A language model that is counted and not trained: it is cheap, and the same texts always give the same one."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable

from tvir.evaluation.words import Sentence

BEGIN, STOP, UNKNOWN = "\0begin", "\0stop", "\0unknown"


class KneserNey:
    """Interpolated Kneser-Ney smoothing over words, with one discount for each order.

    The longest runs are counted; of a shorter run it counts after how many different words it was seen. Below
    single words lies the uniform distribution over the vocabulary, the unknown word and the end of a text.

    Kneser and Ney 1995, Improved Backing-off for M-gram Language Modeling; Chen and Goodman 1999, An Empirical Study
    of Smoothing Techniques for Language Modeling (the interpolated form, and the discount n1 / (n1 + 2 n2)).

    Args:
        sentences: What it learns from.
        vocabulary: Words it knows; all others are one.
        order: Words of the longest runs.

    Example:
        >>> model = KneserNey([("a", "b")], {"a", "b"}, order=2)
        >>> round(sum(model.probability((BEGIN,), word) for word in ("a", "b", STOP, UNKNOWN)), 12)
        1.0
    """

    def __init__(self, sentences: Iterable[Sentence], vocabulary: Iterable[str], order: int = 3) -> None:
        self._vocabulary = frozenset(vocabulary)
        self._order = order
        self._counts: list[Counter[Sentence]] = [Counter() for _ in range(order)]
        for sentence in sentences:
            words = self._framed(sentence)
            for end in range(order - 1, len(words)):
                self._counts[-1][words[end - order + 1 : end + 1]] += 1
        for size in range(order - 1, 0, -1):
            self._counts[size - 1] = Counter(run[1:] for run in self._counts[size])
        self._discounts = [_discount(counts) for counts in self._counts]
        self._after: list[dict[Sentence, tuple[int, int]]] = [_by_context(counts) for counts in self._counts]

    def probability(self, before: Sentence, word: str) -> float:
        """Of a word after the ``order - 1`` words before it."""
        found = 1 / (len(self._vocabulary) + 2)
        for size in range(1, self._order + 1):
            context = before[len(before) - size + 1 :]
            total, kinds = self._after[size - 1].get(context, (0, 0))
            if not total:
                break  # a longer context was not seen either
            discount = self._discounts[size - 1]
            count = self._counts[size - 1].get((*context, word), 0)
            found = max(count - discount, 0.0) / total + discount * kinds / total * found
        return found

    def perplexity(self, sentences: Iterable[Sentence]) -> float:
        """The exponential of the mean surprise of a word, the end of each text counted as one."""
        surprise, count = 0.0, 0
        for sentence in sentences:
            words = self._framed(sentence)
            for end in range(self._order - 1, len(words)):
                surprise -= math.log(self.probability(words[end - self._order + 1 : end], words[end]))
                count += 1
        return math.exp(surprise / count)

    def _framed(self, sentence: Sentence) -> Sentence:
        known = (word if word in self._vocabulary else UNKNOWN for word in sentence)
        return (*(BEGIN,) * (self._order - 1), *known, STOP)


def _discount(counts: Counter[Sentence]) -> float:
    once, twice = (sum(count == times for count in counts.values()) for times in (1, 2))
    # Where no run was seen twice or none once the estimate would be 1 or 0, and nothing or all be left to the rest.
    return min(max(once / (once + 2 * twice), 0.1), 0.9) if once or twice else 0.75


def _by_context(counts: Counter[Sentence]) -> dict[Sentence, tuple[int, int]]:
    found: dict[Sentence, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for run, count in counts.items():
        total, kinds = found[run[:-1]]
        found[run[:-1]] = (total + count, kinds + 1)
    return dict(found)
