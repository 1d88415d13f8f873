"""What a feature extractor is, and features that are computed when they are first asked for."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from torch import Tensor

from tvir.contracts.data import Array, Dataset
from tvir.contracts.discovery import discover

Report = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


class FeatureExtractor(ABC):
    """Maps rows to the vectors that metrics compare.

    A final subclass in a file of its own under ``evaluation/features`` is found by walking.
    """

    level: ClassVar[int]
    """Place in the order of spaces: 0 is the pixels or the vector itself, higher ones know more."""

    @classmethod
    @abstractmethod
    def prepare(cls, dataset: Dataset, *, seed: int, report: Report, weights: Sequence[Path] = ()) -> Self | None:
        """Fit to the training split alone; None where the data does not have what the extractor needs.

        Args:
            dataset: Only its training split may be learnt from.
            seed: Of the training.
            report: Told how far it has come.
            weights: Files of pretrained weights that a person named; for extractors that are not trained here.

        Raises:
            TvirError: A file or an extra that the extractor needs is missing; one line says how to get it.
        """

    @property
    @abstractmethod
    def name(self) -> str:
        """extractor@hash, where the hash changes with the recipe and with the weights."""

    @abstractmethod
    def features(self, rows: Array) -> Array:
        """Boundary rows (N, *row_shape) to float32 (N, D)."""


class ClassifiesFeatures(FeatureExtractor):
    """An extractor that can also name the class of what it has seen."""

    @abstractmethod
    def classify(self, features: Array) -> Array:
        """Class indices int64 (N,) from this extractor's own features (N, D)."""


class LazyFeatures(Mapping[str, Array]):
    """The features of some rows in every space, each extracted when it is first asked for."""

    def __init__(self, rows: Array, extractors: Sequence[FeatureExtractor]) -> None:
        self._rows = rows
        self._extractors = {extractor.name: extractor for extractor in extractors}
        self._known: dict[str, Array] = {}

    def __getitem__(self, space: str) -> Array:
        if space not in self._known:
            self._known[space] = self._extractors[space].features(self._rows)
        return self._known[space]

    def __iter__(self) -> Iterator[str]:
        return iter(self._extractors)

    def __len__(self) -> int:
        return len(self._extractors)


def find_extractors() -> list[type[FeatureExtractor]]:
    """Every extractor there is, in the order of their levels."""
    from tvir.evaluation import features

    return sorted(discover(features, FeatureExtractor), key=lambda found: (found.level, found.__name__))


def content_hash(*parts: str | Array | Tensor) -> str:
    """Eight hexadecimal digits that change with any of the parts."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, str):
            digest.update(part.encode())
        else:
            array = np.ascontiguousarray(part.cpu().numpy() if isinstance(part, Tensor) else part)
            digest.update(f"{array.dtype.str}{array.shape}".encode())
            digest.update(array.tobytes())
        digest.update(b"\0")
    return digest.hexdigest()[:8]
