"""E0: the examples themselves, or their principal components."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from tvir.contracts.data import Array, Dataset, ImageSpec, TextSpec
from tvir.evaluation.extractor import FeatureExtractor, Report, content_hash
from tvir.evaluation.keeping import kept_tensors

COMPONENTS = 64
"""Directions of largest variance that are kept; examples with no more numbers than this are left as they are."""

_RECIPE = f"pixels-1 components={COMPONENTS}"

_FITTED_NUMBERS = 2**27
"""Numbers, rows times dimensions, that the components are fitted to at most."""

_FITTED_ROWS = 10_000

_CHUNK_NUMBERS = 2**24


class Pixels(FeatureExtractor):
    """Pixels scaled to [0, 1] or vectors as they are; beyond 64 numbers, their 64 principal components.

    The components are those of the training split, so distances in this space are distances between pixels less what
    64 directions do not explain.

    Args:
        name: extractor@hash.
        scale: What a number is divided by.
        mean: (D,) or None, with ``components``.
        components: (D, 64) or None.
    """

    level = 0

    def __init__(self, name: str, scale: float, mean: Tensor | None = None, components: Tensor | None = None) -> None:
        self._name = name
        self._scale = scale
        self._mean = mean
        self._components = components

    @classmethod
    def prepare(cls, dataset: Dataset, *, seed: int, report: Report, weights: Sequence[Path] = ()) -> Pixels | None:
        del seed, report, weights
        if isinstance(dataset.spec, TextSpec):
            return None
        kind, scale = ("pixels", 255.0) if isinstance(dataset.spec, ImageSpec) else ("vectors", 1.0)
        dimensions = int(np.prod(dataset.spec.row_shape))
        if dimensions <= COMPONENTS:
            return cls(f"{kind}@{content_hash(_RECIPE, kind)}", scale)
        shapes = {"mean": (dimensions,), "components": (dimensions, COMPONENTS)}
        key = f"{kind}-{content_hash(_RECIPE, kind)}-{content_hash(dataset.fingerprint)}"
        kept = kept_tensors(key, shapes, lambda: principal_components(_flat(_some(dataset), scale)))
        name = f"{kind}-pca{COMPONENTS}@{content_hash(_RECIPE, kept['mean'], kept['components'])}"
        return cls(name, scale, kept["mean"], kept["components"])

    @property
    def name(self) -> str:
        return self._name

    def features(self, rows: Array) -> Array:
        if self._mean is None or self._components is None:
            return _flat(rows, self._scale).numpy()
        chunk = max(1, _CHUNK_NUMBERS // len(self._mean))
        parts = [
            (_flat(rows[start : start + chunk], self._scale) - self._mean) @ self._components
            for start in range(0, len(rows), chunk)
        ]
        return torch.cat(parts).numpy() if parts else np.zeros((0, COMPONENTS), dtype=np.float32)


def _flat(rows: Array, scale: float) -> Tensor:
    flat = torch.from_numpy(np.asarray(rows).reshape(len(rows), -1).astype(np.float32))
    return flat.div_(scale) if scale != 1 else flat


def _some(dataset: Dataset) -> Array:
    dimensions = int(np.prod(dataset.spec.row_shape))
    size = min(len(dataset.train), _FITTED_ROWS, max(2 * COMPONENTS, _FITTED_NUMBERS // dimensions))
    # Evenly spaced rows: sources are often sorted by class.
    return dataset.train.take(np.linspace(0, len(dataset.train) - 1, size).astype(np.int64))


def principal_components(points: Tensor) -> dict[str, Tensor]:
    """Mean (D,) and leading directions (D, 64) of (N, D), by whichever of D x D and N x N is smaller.

    Directions beyond the rank of the points are 0.
    """
    mean = points.mean(0, dtype=torch.float64)
    centred = points - mean.float()
    count, dimensions = points.shape
    kept = min(COMPONENTS, count, dimensions)
    if dimensions <= count:
        values, vectors = torch.linalg.eigh((centred.T @ centred).double())
        directions = vectors[:, -kept:].flip(1)
    else:
        values, vectors = torch.linalg.eigh((centred @ centred.T).double())
        usable = values[-kept:].clamp_min(values[-1] * 1e-10 + 1e-30).rsqrt() * (values[-kept:] > values[-1] * 1e-10)
        directions = (centred.T.double() @ (vectors[:, -kept:] * usable)).flip(1)
    # The sign of an eigenvector is arbitrary; the largest entry is made positive.
    largest = directions.abs().argmax(0, keepdim=True)
    directions = directions * directions.gather(0, largest).sign()
    components = torch.zeros(dimensions, COMPONENTS)
    components[:, :kept] = directions.float()
    return {"mean": mean.float(), "components": components}
