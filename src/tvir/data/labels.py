"""From whatever a source calls its labels to class indices and class names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tvir.contracts.data import Array
from tvir.data.files import printable

_MOST_CLASSES = 65_536
"""More different values are measurements or identities, not classes."""


@dataclass(frozen=True, kw_only=True)
class Labels:
    """Class indices with -1 for unlabelled examples, or None; the classes' names; what was noticed."""

    indices: Array | None = None
    classes: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()


def index_labels(values: Array, names: Sequence[str] = ()) -> Labels:
    """Class indices for labels that are whole numbers or texts.

    Args:
        values: Array (N,) of numbers, where a negative one means unlabelled, or of texts, where an empty one does.
        names: The classes that the numbers count, where the source names them.

    Example:
        >>> index_labels(np.array([7, 3, -1, 7])).indices.tolist()
        [1, 0, -1, 1]
    """
    if values.dtype.kind in "OUS":
        return _index_texts(values)
    if values.dtype.kind not in "biuf":
        return Labels(findings=(f"labels of type {values.dtype} are no classes: the data is taken as unlabelled",))
    whole = np.where(np.isfinite(values), values, -1).astype(np.int64)
    if values.dtype.kind == "f" and not np.array_equal(whole[np.isfinite(values)], values[np.isfinite(values)]):
        return Labels(findings=("the labels are not whole numbers: the data is taken as unlabelled",))
    return _index_named(whole, names) if names else _index_numbers(whole)


def natural_order(name: str) -> tuple[tuple[int, int, str], ...]:
    """A sorting key by which ``class 9`` comes before ``class 10``."""
    parts = re.findall(r"\d+|\D+", name)
    return tuple((0, int(part), "") if part.isascii() and part.isdigit() else (1, 0, part) for part in parts)


def _index_texts(values: Array) -> Labels:
    texts = [value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "") for value in values]
    names = sorted(set(texts) - {""}, key=natural_order)
    if len(names) > _MOST_CLASSES:
        return _too_many(len(names))
    positions = {name: index for index, name in enumerate(names)}
    indices = np.array([positions.get(text, -1) for text in texts], np.int64)
    return _labels(indices, tuple(map(printable, names)))


def _index_numbers(values: Array) -> Labels:
    known = np.unique(values[values >= 0])
    if len(known) > _MOST_CLASSES:
        return _too_many(len(known))
    indices = np.where(values >= 0, np.searchsorted(known, values), -1)
    return _labels(indices, tuple(str(value) for value in known))


def _index_named(values: Array, names: Sequence[str]) -> Labels:
    outside = int(((values < -1) | (values >= len(names))).sum())
    indices = np.where((values >= 0) & (values < len(names)), values, -1)
    finding = f"labels outside 0 ... {len(names) - 1} are taken as unlabelled: {outside:,}"
    return _labels(indices, tuple(map(printable, names)), (finding,) if outside else ())


def _labels(indices: Array, classes: tuple[str, ...], findings: tuple[str, ...] = ()) -> Labels:
    if not (indices >= 0).any():
        return Labels(findings=findings)
    return Labels(indices=indices, classes=classes, findings=findings)


def _too_many(count: int) -> Labels:
    return Labels(findings=(f"{count:,} different labels are no classes: the data is taken as unlabelled",))
