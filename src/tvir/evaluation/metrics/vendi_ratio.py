"""The effective number of generated points against that of real ones."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from tvir.contracts.metric import Axis, Context, Direction, Metric, Points, Quantity
from tvir.evaluation.matrices import matrix, require
from tvir.evaluation.remembering import remembered


class VendiRatio(Metric):
    """Vendi score of order 2 of the generated set divided by that of the real one.

    1 / sum lambda^2 over the eigenvalues of K / n is 1 / |K / n|_F^2: the inverse of the mean squared cosine between
    two points, without any eigenvalue being computed. Order 2 listens to the frequent modes and settles with few
    points.

    Reference:
        Cousins of the Vendi Score, arXiv 2310.12952.

    Sample size:
        A few hundred points; converges like 1/n, unlike order 1.

    Known failure:
        Rewards noise as diversity: above 1 is not better than real. Nearly blind to rare modes that were dropped.
    """

    quantities = (Quantity("vendi_ratio", Axis.DIVERSITY, Direction.HIGHER),)

    def applies(self, real: Points, context: Context) -> bool:
        return True

    def measure(self, real: Points, generated: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        require(real, 1, "real")
        require(generated, 1, "generated")
        for space in real.features:
            yield "vendi_ratio", space, _order_two(generated, space) / _order_two(real, space)


@remembered
def _order_two(points: Points, space: str) -> float:
    return order_two_vendi(matrix(points, space))


def order_two_vendi(points: Tensor) -> float:
    """Between 1 for identical rows and n for orthogonal ones; rows of zeros count as one more direction."""
    normalised = torch.nn.functional.normalize(points.double(), dim=1)
    count, dimensions = normalised.shape
    gram = normalised @ normalised.T if count < dimensions else normalised.T @ normalised
    empty = float(1 - gram.trace() / count)
    return 1 / float((gram / count).square().sum() + max(0.0, empty) ** 2)
