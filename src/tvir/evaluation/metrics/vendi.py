"""How many different points a set seems to hold."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from tvir.contracts.metric import Axis, Context, Direction, Metric, Points, Quantity
from tvir.evaluation.matrices import matrix, require
from tvir.evaluation.remembering import remembered


class Vendi(Metric):
    """Effective number of different points: the exponential of the entropy of the eigenvalues of K / n.

    K holds the cosines between features; its non-zero eigenvalues are those of the D x D matrix of the normalised
    features, so no n x n matrix is formed. The floor is what real points score.

    Reference:
        The Vendi Score: A Diversity Evaluation Metric for Machine Learning, arXiv 2210.02410.

    Sample size:
        Grows with n up to the number of dimensions: compare only at equal n.

    Known failure:
        Rewards noise as diversity. With cosines it is bounded by the number of dimensions.
    """

    quantities = (Quantity("vendi", Axis.DIVERSITY, Direction.HIGHER),)

    def applies(self, real: Points, context: Context) -> bool:
        return True

    def measure(self, real: Points, generated: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        require(generated, 1, "generated")
        for space in real.features:
            yield "vendi", space, _vendi(generated, space)


@remembered
def _vendi(points: Points, space: str) -> float:
    return vendi_score(matrix(points, space))


def vendi_score(points: Tensor) -> float:
    """Between 1 for identical rows and n for orthogonal ones; rows of zeros count as one more direction."""
    normalised = torch.nn.functional.normalize(points.double(), dim=1)
    count, dimensions = normalised.shape
    gram = normalised @ normalised.T if count < dimensions else normalised.T @ normalised
    values = torch.linalg.eigvalsh(gram / count).clamp_min(0)
    values = torch.cat([values, (1 - values.sum()).clamp_min(0)[None]])
    return float(torch.exp(-torch.xlogy(values, values).sum()))
