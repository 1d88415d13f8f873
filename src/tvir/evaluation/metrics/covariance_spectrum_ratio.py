"""Whether variance is spread over directions as it is in the data."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from tvir.contracts.metric import Axis, Context, Direction, Metric, Points, Quantity
from tvir.evaluation.matrices import matrix, require
from tvir.evaluation.moments import centred_covariance
from tvir.evaluation.remembering import remembered

_EXPLAINED = 0.99
"""Share of the real variance whose directions are compared; the rest is noise."""


class CovarianceSpectrumRatio(Metric):
    """Typical ratio between the sorted eigenvalues of the two covariances, the smaller over the larger; 1 is equal.

    exp(-mean_i |log(g_i / r_i)|) over the largest real eigenvalues r_i that explain 99 % of the real variance.

    Reference:
        Defined here; the eigenvalues of the covariance of features are compared in the spirit of Understanding
        Dimensional Collapse in Contrastive Self-supervised Learning, arXiv 2110.09348.

    Sample size:
        Ten points per dimension: sample eigenvalues are spread wider than true ones.

    Known failure:
        Sees neither the mean nor the directions, only how variance is shared among them.
    """

    quantities = (Quantity("covariance_spectrum_ratio", Axis.STRUCTURE, Direction.HIGHER),)

    def applies(self, real: Points, context: Context) -> bool:
        return True

    def measure(self, real: Points, generated: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        require(real, 2, "real")
        require(generated, 2, "generated")
        for space in real.features:
            yield (
                "covariance_spectrum_ratio",
                space,
                spectrum_ratio(_spectrum(real, space), _spectrum(generated, space)),
            )


def spectrum_ratio(real: Tensor, generated: Tensor) -> float:
    """The ratio from descending eigenvalues (D,).

    Raises:
        ValueError: The real points do not vary.
    """
    if float(real[0]) <= 0:
        raise ValueError("the real points do not vary")
    explained = real.cumsum(0) / real.sum()
    kept = int((explained < _EXPLAINED).sum()) + 1
    smallest = torch.finfo(torch.float64).tiny
    ratios = generated[:kept].clamp_min(smallest).log() - real[:kept].clamp_min(smallest).log()
    return float(torch.exp(-ratios.abs().mean()))


@remembered
def _spectrum(points: Points, space: str) -> Tensor:
    return torch.linalg.eigvalsh(centred_covariance(matrix(points, space))[1]).flip(0).clamp_min(0)
