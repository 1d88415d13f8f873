"""Frechet distance as it would be with infinitely many points."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from tvir.contracts.metric import Axis, Context, Direction, Metric, Points, Quantity
from tvir.contracts.noise import mix_seed
from tvir.evaluation.matrices import matrix, require
from tvir.evaluation.moments import frechet, moments

_PARTS = (1, 2, 4)
"""Both sets are split into so many blocks of equal size."""

_LEAST_RATIO = 2
"""The smallest blocks need more points than this many times the dimensions, or the bias is no straight line in 1/n."""


class FrechetDistanceInfinity(Metric):
    """Frechet distance with both sample sizes extrapolated to infinity.

    The bias falls like 1/n. Both sets are split at random into 1, 2 and 4 disjoint blocks, the distance of size n is
    the mean over pairs of blocks, and a straight line through these means against 1/n is read off at 0. With only the
    generated side subsampled the real side's bias would stay.

    Reference:
        Effectively Unbiased FID and Inception Score and Where to Find Them, arXiv 1911.07023 (there the generated side
        alone is subsampled).

    Sample size:
        More than eight points per dimension on either side; left out otherwise.

    Known failure:
        May be slightly negative. What falls faster than 1/n remains, and it has all the blind spots of the Frechet
        distance.
    """

    quantities = (Quantity("frechet_distance_infinity", Axis.FIDELITY, Direction.LOWER),)

    def applies(self, real: Points, context: Context) -> bool:
        return True

    def measure(self, real: Points, generated: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        require(real, 8, "real")
        require(generated, 8, "generated")
        for space in real.features:
            if _enough(real, generated, space):
                value = extrapolated_distance(matrix(real, space), matrix(generated, space), seed=context.seed)
                yield "frechet_distance_infinity", space, value

    def doubts(self, real: Points, generated: Points, context: Context) -> Iterator[str]:
        for space in real.features:
            if not _enough(real, generated, space):
                yield (
                    f"frechet_distance_infinity in {space}: left out, needs more than "
                    f"{_LEAST_RATIO * _PARTS[-1]} points per dimension"
                )


def _enough(real: Points, generated: Points, space: str) -> bool:
    count, dimensions = min(len(real), len(generated)), matrix(real, space).shape[1]
    return count // _PARTS[-1] > _LEAST_RATIO * dimensions


def extrapolated_distance(real: Tensor, generated: Tensor, *, seed: int = 0) -> float:
    """The intercept of the distance against 1/n; as many points of both sets are used."""
    count = min(len(real), len(generated))
    generator = torch.Generator().manual_seed(mix_seed(seed, "blocks"))
    sides = [points[torch.randperm(len(points), generator=generator)[:count]] for points in (real, generated)]
    means = []
    for parts in _PARTS:
        size = count // parts
        blocks = [side[: size * parts].split(size) for side in sides]
        means.append(np.mean([frechet(moments(x), moments(y)) for x, y in zip(*blocks, strict=True)]))
    inverse = [1 / (count // parts) for parts in _PARTS]
    return float(np.polyfit(inverse, means, 1)[1])
