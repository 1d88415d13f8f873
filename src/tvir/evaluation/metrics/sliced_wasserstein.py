"""Wasserstein distance over random directions."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from tvir.contracts.metric import Axis, Context, Direction, Metric, Points, Quantity
from tvir.contracts.noise import mix_seed
from tvir.evaluation.matrices import matrix, require

_DIRECTIONS = 256
_QUANTILES = 2048


class SlicedWasserstein(Metric):
    """Squared 2-Wasserstein distance of projections, averaged over 256 random directions.

    A shift d in D dimensions costs |d|^2 / D.

    Reference:
        Wasserstein Barycenter and Its Application to Texture Mixing, SSVM 2011; Sliced and Radon Wasserstein
        Barycenters of Measures, JMIV 51 (2015) 22-45.

    Sample size:
        A thousand points; biased upwards by about the variance / N.

    Known failure:
        Random directions of a high-dimensional space look Gaussian, whatever the set is.
    """

    quantities = (Quantity("sliced_wasserstein", Axis.FIDELITY, Direction.LOWER),)

    def applies(self, real: Points, context: Context) -> bool:
        return True

    def measure(self, real: Points, generated: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        require(real, 2, "real")
        require(generated, 2, "generated")
        for space in real.features:
            yield (
                "sliced_wasserstein",
                space,
                sliced_distance(matrix(real, space), matrix(generated, space), seed=context.seed),
            )


def sliced_distance(first: Tensor, second: Tensor, *, seed: int = 0) -> float:
    """Mean squared difference of the sorted projections of (N, D) and (M, D)."""
    generator = torch.Generator().manual_seed(mix_seed(seed, "directions"))
    directions = torch.randn(first.shape[1], _DIRECTIONS, generator=generator, dtype=torch.float64)
    directions = (directions / directions.norm(dim=0)).to(first.device)
    left, right = (points.double() @ directions for points in (first, second))
    left, right = left.sort(0).values, right.sort(0).values
    if len(left) != len(right):
        grid = (torch.arange(_QUANTILES, dtype=torch.float64, device=left.device) + 0.5) / _QUANTILES
        left, right = torch.quantile(left, grid, dim=0), torch.quantile(right, grid, dim=0)
    return float((left - right).square().mean())
