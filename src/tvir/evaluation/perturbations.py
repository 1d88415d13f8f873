"""Known ways of being wrong, made from honest examples: what a metric sees of each is measured, not believed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from tvir.contracts.data import Array, DataSpec


@dataclass(frozen=True, kw_only=True)
class Material:
    """What perturbed sets are made of.

    Args:
        rows: Honest square images uint8 (M, side, side, channels), or rows of text, more than are wanted.
        labels: Their classes (M,), -1 where they have none.
        train: The training split, to copy from.
        count: Images of a perturbed set, at most M / 2.
        seed: Of what is drawn.
        spec: What a row is; only what rewrites text asks.
    """

    rows: Array
    labels: Array
    train: Array
    count: int
    seed: int = 0
    spec: DataSpec | None = None

    @property
    def honest(self) -> Array:
        """The first ``count`` rows, as they are."""
        return self.rows[: self.count]

    @property
    def drawing(self) -> np.random.Generator:
        """A fresh generator: every perturbation draws the same numbers, whatever was made before."""
        return np.random.default_rng(self.seed)

    def replaced(self, share: float, others: Array) -> Array:
        """Honest rows of which the first ``share`` are others."""
        rows = self.honest.copy()
        few = round(share * self.count)
        rows[:few] = others[:few]
        return rows


Perturbation = Callable[[Material], Array]


def _pixels(numbers: Array) -> Array:
    return np.clip(np.round(numbers), 0, 255).astype(np.uint8)


def mean_shift(material: Material) -> Array:
    """Every pixel 20 gray levels brighter."""
    return _pixels(material.honest.astype(float) + 20)


def scale_shift(material: Material) -> Array:
    """Every image drawn 30 % nearer to the mean image: the mean stays, the covariance halves."""
    mean = material.honest.mean(0, dtype=float)
    return _pixels(mean + 0.7 * (material.honest - mean))


def outliers(material: Material) -> Array:
    """Three images in a hundred replaced by uniform noise."""
    absurd = material.drawing.integers(0, 256, size=material.honest.shape)
    return material.replaced(0.03, absurd)


def mode_dropped(material: Material) -> Array:
    """The most frequent class is never made; the others fill its place."""
    dropped = np.bincount(material.labels[: material.count]).argmax()
    return material.rows[material.labels != dropped][: material.count]


def modes_thinned(material: Material) -> Array:
    """Every class keeps only the half of its images that lie nearest to its mean; all are real images."""
    rows, labels = material.rows[: 2 * material.count], material.labels[: 2 * material.count]
    flat = rows.reshape(len(rows), -1).astype(float)
    rank = np.empty(len(rows))
    for label in np.unique(labels):
        inside = np.flatnonzero(labels == label)
        distance = ((flat[inside] - flat[inside].mean(0)) ** 2).sum(1)
        rank[inside[np.argsort(distance)]] = np.arange(len(inside)) / len(inside)
    return rows[np.sort(np.argsort(rank, kind="stable")[: material.count])]


def mode_invented(material: Material) -> Array:
    """One image in ten is turned by 90 degrees."""
    return material.replaced(0.1, np.rot90(material.honest, axes=(1, 2)))


def blur(material: Material) -> Array:
    """A Gaussian blur of 0.2 sqrt(side) pixels: 0.57 pixels of 8, 1.06 of 28."""
    sigma = 0.2 * np.sqrt(material.rows.shape[1])
    return _pixels(gaussian_filter(material.honest.astype(float), (0, sigma, sigma, 0)))


def noise(material: Material) -> Array:
    """Normal noise of 20 gray levels on every pixel."""
    return _pixels(material.honest + 20 * material.drawing.normal(size=material.honest.shape))


def contrast(material: Material) -> Array:
    """Every image at 80 % of its contrast, around its own mean gray."""
    mean = material.honest.mean((1, 2), keepdims=True, dtype=float)
    return _pixels(mean + 0.8 * (material.honest - mean))


def copies(share: float) -> Perturbation:
    """A share of the images are training images, bit for bit."""

    def perturbed(material: Material) -> Array:
        return material.replaced(share, material.train)

    return perturbed


def moved_copies(material: Material) -> Array:
    """One image in five is a training image, moved by a pixel to the right."""
    return material.replaced(0.2, np.roll(material.train, 1, axis=2))


PERTURBATIONS: Mapping[str, Perturbation] = {
    "mean shift": mean_shift,
    "scale shift": scale_shift,
    "outliers": outliers,
    "mode dropped": mode_dropped,
    "modes thinned": modes_thinned,
    "mode invented": mode_invented,
    "blur": blur,
    "noise": noise,
    "contrast": contrast,
    "copies 1 %": copies(0.01),
    "copies 5 %": copies(0.05),
    "copies 20 %": copies(0.2),
    "moved copies 20 %": moved_copies,
}
"""By the name that tables show."""
