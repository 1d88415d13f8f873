"""Known ways in which text is wrong, made from honest texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tvir.contracts.data import END, Array, TextSpec
from tvir.evaluation.perturbations import Material, Perturbation, copies

Words = list[str]

Rewriting = Callable[[list[Words], np.random.Generator], list[Words]]
"""From the words of all texts to other words."""


def rewritten(change: Rewriting) -> Perturbation:
    """Honest texts with other words, which stand between spaces; written in the characters of the data."""

    def perturbed(material: Material) -> Array:
        spec = material.spec
        assert isinstance(spec, TextSpec)
        texts = [text.split(" ") for text in spec.texts(material.honest)]
        return encoded(spec, [" ".join(words) for words in change(texts, material.drawing)])

    return perturbed


def encoded(spec: TextSpec, texts: Sequence[str]) -> Array:
    """Boundary rows of texts whose tokens are characters.

    Raises:
        ValueError: A character has no token of its own.
    """
    tokens = {piece: token for token, piece in enumerate(spec.pieces) if piece}
    rows = np.full((len(texts), spec.length), END, dtype=spec.row_dtype)
    for row, text in zip(rows, texts, strict=True):
        pieces = [character.encode() for character in text[: spec.length]]
        if unknown := [piece for piece in pieces if piece not in tokens]:
            raise ValueError(f"{unknown[0].decode()!r} has no token of its own; texts of characters are expected")
        row[: len(pieces)] = [tokens[piece] for piece in pieces]
    return rows


def _shuffled(texts: list[Words], drawing: np.random.Generator) -> list[Words]:
    return [[words[place] for place in drawing.permutation(len(words))] for words in texts]


def _one_word_in_ten_replaced(texts: list[Words], drawing: np.random.Generator) -> list[Words]:
    known = sorted({word for words in texts for word in words})
    return [
        [known[drawing.integers(len(known))] if drawing.random() < 0.1 else word for word in words] for words in texts
    ]


def _cut_short(texts: list[Words], drawing: np.random.Generator) -> list[Words]:
    del drawing
    return [words[: -(-len(words) // 2)] for words in texts]


def _said_again(texts: list[Words], drawing: np.random.Generator) -> list[Words]:
    del drawing
    few = texts[: max(1, len(texts) // 10)]
    return [few[place % len(few)] for place in range(len(texts))]


def _without_rare_words(texts: list[Words], drawing: np.random.Generator) -> list[Words]:
    counts = Counter(word for words in texts for word in words)
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    kept = ranked[: -(-len(ranked) // 2)]
    return [[word if word in kept else kept[drawing.integers(len(kept))] for word in words] for words in texts]


def _misspelt(texts: list[Words], drawing: np.random.Generator) -> list[Words]:
    """One word in five has two neighbouring letters swapped, where it has two."""

    def swapped(word: str) -> str:
        if len(word) < 2 or drawing.random() >= 0.2:
            return word
        place = int(drawing.integers(len(word) - 1))
        return word[:place] + word[place + 1] + word[place] + word[place + 2 :]

    return [[swapped(word) for word in words] for words in texts]


TEXT_PERTURBATIONS: Mapping[str, Perturbation] = {
    "words shuffled": rewritten(_shuffled),
    "words replaced": rewritten(_one_word_in_ten_replaced),
    "cut short": rewritten(_cut_short),
    "said again": rewritten(_said_again),
    "rare words lost": rewritten(_without_rare_words),
    "misspelt": rewritten(_misspelt),
    "copies 20 %": copies(0.2),
}
"""By the name that tables show."""
