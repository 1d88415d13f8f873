"""How many numbers it takes to say where on its manifold a point is."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from tvir.contracts.metric import Axis, Context, Direction, Metric, Points, Quantity
from tvir.evaluation.distances import nearest
from tvir.evaluation.matrices import require
from tvir.evaluation.remembering import remembered
from tvir.evaluation.subsampling import some_features

_POINTS = 4000


class IntrinsicDimensionRatio(Metric):
    """The intrinsic dimensions of both sets, the smaller over the larger; 1 is equal.

    Two nearest neighbours: where density is locally constant, r2 / r1 has the distribution Pareto(d), whose unbiased
    maximum-likelihood estimate is d = (n - 1) / sum log(r2 / r1). At most 4,000 drawn points of either set.

    Reference:
        Estimating the intrinsic dimension of datasets by a minimal neighborhood information, arXiv 1803.06992.

    Sample size:
        The same number on both sides, at least 100; relative error 1 / sqrt(n).

    Known failure:
        Underestimates above ten dimensions, on both sides alike. Noise of the size of the distance to the neighbour
        counts as dimensions. Says nothing of where the manifold lies.
    """

    quantities = (Quantity("intrinsic_dimension_ratio", Axis.STRUCTURE, Direction.HIGHER),)

    def applies(self, real: Points, context: Context) -> bool:
        return True

    def measure(self, real: Points, generated: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        require(real, 10, "real")
        require(generated, 10, "generated")
        count = min(len(real), len(generated), _POINTS)
        for space in real.features:
            first = _dimension(real, space, count, context.seed)
            second = _dimension(generated, space, count, context.seed)
            yield "intrinsic_dimension_ratio", space, min(first, second) / max(first, second)


@remembered
def _dimension(points: Points, space: str, count: int, seed: int) -> float:
    return intrinsic_dimension(some_features(points, space, count, seed))


def intrinsic_dimension(points: Tensor) -> float:
    """The estimate from (N, D); repeated points are passed over.

    Raises:
        ValueError: Fewer than ten points have two neighbours at different, positive distances.
    """
    squared = nearest(points, points, 2, same=True).squared
    ratios = 0.5 * torch.log(squared[:, 1] / squared[:, 0])
    usable = ratios[(squared[:, 0] > 0) & (ratios > 0)]
    if len(usable) < 10:
        raise ValueError("too many points repeat each other for a dimension")
    return float((len(usable) - 1) / usable.sum())
