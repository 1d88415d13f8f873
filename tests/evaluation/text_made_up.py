"""Sentences made on the spot, for tests of judging text."""

import numpy as np
from synthetic import points as vectors

from tvir.contracts.data import Dataset, Examples, TextSpec, VectorSpec
from tvir.contracts.metric import Context, Points

LETTERS = " .abcdefghijklmnopqrstuvwxyz"
SPEC = TextSpec(vocabulary=1 + len(LETTERS), length=64, pieces=(b"", *(letter.encode() for letter in LETTERS)))

WHO = ["a cat", "the dog", "a tall man", "two women", "the old train", "a bird", "my sister", "some children"]
DOES = ["sits", "stands", "is waiting", "runs", "sleeps", "looks around", "is eating"]
WHERE = ["on a mat", "near the river", "in the park", "at home", "under a tree", "by the station", "on the road"]
HOW = ["", " quietly", " in the rain", " all day", " with a friend"]


def tokens_of(texts):
    """Boundary rows of texts."""
    rows = np.zeros((len(texts), SPEC.length), dtype=SPEC.row_dtype)
    for row, text in zip(rows, texts, strict=True):
        row[: len(text)] = [LETTERS.index(letter) + 1 for letter in text]
    return rows


def points_of(texts):
    return Points(rows=tokens_of(list(texts)), features={})


def made_up(count, *, seed=0):
    """Sentences of a small grammar, whose words are the rarer the later they stand in their list."""
    drawing = np.random.default_rng(seed)

    def one(words):
        weights = 1 / np.arange(1, len(words) + 1)
        return words[drawing.choice(len(words), p=weights / weights.sum())]

    return [f"{one(WHO)} {one(DOES)} {one(WHERE)}{one(HOW)}." for _ in range(count)]


def sentence_dataset(*, train=300, other=160):
    splits = [Examples(SPEC, tokens_of(made_up(count, seed=seed))) for seed, count in enumerate((train, other, other))]
    return Dataset(
        reference="sentences",
        fingerprint=f"sentences-{train}-{other}",
        train=splits[0],
        validation=splits[1],
        test=splits[2],
    )


def vector_context():
    nothing = vectors(np.zeros((3, 2)))
    return Context(spec=VectorSpec(features=2), train=nothing, held_out=nothing)
