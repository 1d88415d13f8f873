"""Texts as words and as runs of words, which is how text is judged whatever tokens it was written in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tvir.contracts.data import END, Array, DataSpec, TextSpec
from tvir.contracts.metric import Points
from tvir.evaluation.remembering import remembered, remembered_by_row

Sentence = tuple[str, ...]
"""The words of one text, in order."""

_WORD = re.compile(r"\w+(?:['’ʼ-]\w+)*|[^\w\s]")


@dataclass(frozen=True)
class Sentences:
    """The words of several texts."""

    all: tuple[Sentence, ...]

    def __len__(self) -> int:
        return len(self.all)

    def __iter__(self) -> Iterator[Sentence]:
        return iter(self.all)

    def __getitem__(self, indices: Array) -> Sentences:
        return Sentences(tuple(self.all[index] for index in indices))


def split_words(text: str) -> Sentence:
    """Words, each mark of punctuation one of its own; an apostrophe or hyphen within a word parts nothing.

    Example:
        >>> split_words("Мати п'є чай, м'який.")
        ('Мати', "п'є", 'чай', ',', "м'який", '.')
    """
    return tuple(_WORD.findall(text))


@remembered_by_row
def sentences(points: Points, spec: DataSpec) -> Sentences:
    """The words of every text; tokens that are no text are words themselves."""
    assert isinstance(spec, TextSpec)
    if spec.pieces:
        return Sentences(tuple(map(split_words, spec.texts(points.rows))))
    return Sentences(tuple(tuple(map(str, row[: _end(row)])) for row in points.rows.tolist()))


def _end(row: Sequence[int]) -> int:
    return row.index(END) if END in row else len(row)


def runs(sentence: Sentence, count: int) -> Iterator[Sentence]:
    """The runs of ``count`` neighbouring words (n-grams), in order.

    Example:
        >>> list(runs(("a", "b", "c"), 2))
        [('a', 'b'), ('b', 'c')]
    """
    return zip(*(sentence[start:] for start in range(count)), strict=False)


@remembered
def run_counts(points: Points, spec: DataSpec, count: int) -> Counter[Sentence]:
    """How often each run of ``count`` words occurs in all texts; not to be changed."""
    return Counter(run for sentence in sentences(points, spec) for run in runs(sentence, count))


@remembered
def lengths(points: Points, spec: DataSpec) -> Array:
    """Words of each text, (N,)."""
    return np.array([len(sentence) for sentence in sentences(points, spec)], dtype=np.int64)
