"""Dealing examples to train, validation and test, always in the same way."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np

from tvir.contracts.data import Array
from tvir.data.files import FileState
from tvir.data.source import Contents

SPLITS = ("train", "validation", "test")

SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
"""What people call their splits."""

_SMALL = 5_000
"""Below this a fifth is held back for each purpose, above it a tenth."""

_MOST_VALIDATION = 10_000


def assign_splits(contents: Contents) -> tuple[Array, tuple[str, ...]]:
    """The split of every example, and what there is to say about it.

    A source's own splits are kept; what is missing is dealt from its training examples. An example's place depends
    on its key alone, so that adding a file to a folder leaves nearly all others where they were.

    Returns:
        uint8 array (count,) of positions in ``SPLITS``, and one line for each thing that was done.
    """
    keys = position_keys(contents.count) if contents.split_keys is None else contents.split_keys
    names = {name for name, count in contents.splits if count}
    if "train" not in names or names == {"train"}:
        return _deal(keys, both=True), (_sizes(contents.count, both=True),)
    assignment = np.concatenate([np.full(count, SPLITS.index(name), np.uint8) for name, count in contents.splits])
    if names == set(SPLITS):
        return assignment, ()
    done: tuple[str, ...] = ()
    if "test" not in names:
        assignment[assignment == 1] = 2
        done = ("the source has no test split: its validation split is used as one",)
    train = np.flatnonzero(assignment == 0)
    assignment[train] = _deal(keys[train], both=False)
    return assignment, (*done, _sizes(len(train), both=False))


def named_parts(files: Sequence[FileState]) -> list[tuple[str, FileState]]:
    """The files to read with their splits in order; one nameless split where none is named."""
    named = [(_named_split(file.name), file) for file in files]
    if len(files) == 1 or not any(split == "train" for split, _ in named):
        return [("", file) for file in files]
    return sorted(
        ((split, file) for split, file in named if split), key=lambda part: (SPLITS.index(part[0]), part[1].name)
    )


def _named_split(name: str) -> str | None:
    """The split that a file name (``train-00000-of-00002.parquet``) or its folder (``train/0000.parquet``) says."""
    parts = name.lower().split("/")
    stem = parts[-1].rpartition(".")[0] or parts[-1]
    for text in (stem, *reversed(parts[:-1])):
        words = text.replace("_", "-").replace(".", "-").split("-")
        for word in (words[0], words[-1]):
            if word in SPLIT_NAMES:
                return SPLIT_NAMES[word]
    return None


def position_keys(count: int) -> Array:
    """A well-mixed uint64 for every position (splitmix64, Steele, Lea and Flood 2014)."""
    mixed = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def name_keys(names: Iterable[bytes]) -> Array:
    """A well-mixed uint64 for every name."""
    digests = b"".join(hashlib.blake2b(name, digest_size=8).digest() for name in names)
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)


def _held_back(count: int, *, both: bool) -> int:
    """How many examples go to each split that has to be dealt."""
    if count < 3:
        return 0
    if both:
        return max(1, round(count * (0.2 if count < _SMALL else 0.1)))
    return min(_MOST_VALIDATION, max(1, round(count * 0.1)))


def _deal(keys: Array, *, both: bool) -> Array:
    held = _held_back(len(keys), both=both)
    order = np.argsort(keys, kind="stable")
    assignment = np.zeros(len(keys), np.uint8)
    assignment[order[:held]] = 1
    if both:
        assignment[order[held : 2 * held]] = 2
    return assignment


def _sizes(count: int, *, both: bool) -> str:
    held = _held_back(count, both=both)
    if both:
        return f"split into {count - 2 * held:,} training, {held:,} validation and {held:,} test examples"
    return f"{held:,} of the {count:,} training examples are held back for validation"
