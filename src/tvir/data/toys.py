"""Mixtures of Gaussians in the plane whose truth is known exactly."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np

from tvir.contracts.data import Modes
from tvir.data.blocks import Block, VectorBlock
from tvir.data.source import Contents, Progress, Source

_COUNTS = (("train", 20_000), ("validation", 10_000), ("test", 10_000))

_SEED = 20_020_211


def _ring(modes: int) -> Modes:
    angles = 2 * np.pi * np.arange(modes) / modes
    return Modes(centres=np.stack([np.cos(angles), np.sin(angles)], axis=1), sigma=0.01)


def _grid(side: int) -> Modes:
    places = 2.0 * (np.arange(side) - (side - 1) / 2)
    return Modes(centres=np.stack(np.meshgrid(places, places), axis=-1).reshape(-1, 2), sigma=0.05)


class Toys(Source):
    """Equal mixtures of isotropic Gaussians: ``ring8`` on a circle of radius 1, ``grid25`` 2 apart on a 5 x 5 grid.

    Reference: Srivastava et al. 2017, VEEGAN (arXiv 1705.07761), which counts the modes that a model finds.

    Args:
        name: ``ring8`` or ``grid25``.
        truth: The mixture.
    """

    expects = "the toys ring8 or grid25"
    built_in = ("ring8", "grid25")
    precedence = 10

    def __init__(self, name: str, truth: Modes) -> None:
        self.name = name
        self.truth = truth

    @classmethod
    def recognise(cls, reference: str) -> Source | None:
        truths = {"ring8": _ring(8), "grid25": _grid(5)}
        return cls(reference, truths[reference]) if reference in truths else None

    def content_hash(self, progress: Progress) -> str:
        # The definition, not the numbers: their last bits may differ between versions of NumPy.
        definition = (self.name, _COUNTS, _SEED, self.truth.sigma, self.truth.centres.round(6).tolist())
        return hashlib.blake2b(repr(definition).encode(), digest_size=16).hexdigest()

    def contents(self) -> Contents:
        return Contents(count=sum(count for _, count in _COUNTS), splits=_COUNTS, features=2)

    def blocks(self) -> Iterator[Block]:
        for position, (_, count) in enumerate(_COUNTS):
            random = np.random.default_rng([_SEED, position])
            centres = self.truth.centres[random.integers(len(self.truth.centres), size=count)]
            yield VectorBlock((centres + self.truth.sigma * random.normal(size=(count, 2))).astype(np.float32))

    def modes(self) -> Modes:
        return self.truth
