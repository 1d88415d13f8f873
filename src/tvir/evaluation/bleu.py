"""BLEU of many texts against many, each once or each against all others."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tvir.evaluation.words import Sentence, runs

_NOTHING = 0.1
"""What counts as matched where nothing is: Chen and Cherry 2014, smoothing 1."""


@dataclass
class _Most:
    """How often a run occurs in the reference that has it most often, which that is, and how often in any other."""

    count: int = 0
    owner: int = -1
    others: int = 0

    def see(self, count: int, owner: int) -> None:
        if count > self.count:
            self.count, self.owner, self.others = count, owner, self.count
        else:
            self.others = max(self.others, count)


class References:
    """What texts are compared with: how often each run occurs in any of them, and how long they are.

    Papineni et al. 2002, BLEU: a Method for Automatic Evaluation of Machine Translation. A text's own BLEU, smoothed
    as in Chen and Cherry 2014, method 1, and not that of a corpus, as in Texygen (arXiv 1802.01886).

    Args:
        references: At least one.
        order: The longest runs.

    Example:
        >>> references = References([("a", "b", "c", "d"), ("a", "b")], order=2)
        >>> references.bleu(("a", "b", "c", "d"), order=2)
        1.0
    """

    def __init__(self, references: Sequence[Sentence], order: int) -> None:
        self._most: list[dict[Sentence, _Most]] = [{} for _ in range(order)]
        for owner, sentence in enumerate(references):
            for found, size in zip(self._most, range(1, order + 1), strict=True):
                for run, count in Counter(runs(sentence, size)).items():
                    found.setdefault(run, _Most()).see(count, owner)
        self._lengths = Counter(map(len, references))

    def bleu(self, sentence: Sentence, order: int, *, itself: int = -1) -> float:
        """BLEU with runs of up to ``order`` words.

        Args:
            sentence: The text.
            order: At most that of the references.
            itself: Its place among the references, which is left out; -1 where it is none of them.
        """
        logs = 0.0
        for size in range(1, order + 1):
            counts = Counter(runs(sentence, size))
            matched = sum(min(count, self._allowed(run, size, itself)) for run, count in counts.items())
            if size == 1 and matched == 0:
                return 0.0
            logs += math.log((matched or _NOTHING) / max(1, counts.total()))
        nearest = self._nearest_length(len(sentence), itself)
        brevity = 1.0 if len(sentence) > nearest else math.exp(1 - nearest / len(sentence))
        return brevity * math.exp(logs / order)

    def _allowed(self, run: Sentence, size: int, itself: int) -> int:
        most = self._most[size - 1].get(run)
        if most is None:
            return 0
        return most.others if most.owner == itself else most.count

    def _nearest_length(self, length: int, itself: int) -> int:
        left = (
            known for known, count in self._lengths.items() if count > (1 if itself >= 0 and known == length else 0)
        )
        return min(left, key=lambda known: (abs(known - length), known))


def mean_bleu(candidates: Iterable[Sentence], references: Sequence[Sentence], order: int) -> float:
    """Mean BLEU of texts against all references."""
    known = References(references, order)
    values = [known.bleu(sentence, order) for sentence in candidates]
    return sum(values) / len(values)


def self_bleu(sentences: Sequence[Sentence], orders: Sequence[int]) -> list[float]:
    """Mean BLEU of each text against all others, for each order; two texts at least.

    Zhu et al. 2018, Texygen, arXiv 1802.01886.

    Example:
        >>> self_bleu([("a", "b"), ("a", "b"), ("a", "b")], [2])
        [1.0]
    """
    known = References(sentences, max(orders))
    return [
        sum(known.bleu(sentence, order, itself=place) for place, sentence in enumerate(sentences)) / len(sentences)
        for order in orders
    ]
