"""How two sets cover one another, by balls around their points."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from tvir.contracts.metric import Axis, Context, Direction, Metric, Points, Quantity
from tvir.evaluation.distances import Pairs, nearest
from tvir.evaluation.matrices import matrix, require
from tvir.evaluation.remembering import remembered

NEIGHBOURS = 5
"""The radius of a ball reaches the fifth neighbour; the ball is open."""


@dataclass(frozen=True)
class BallScores:
    """Shares between 0 and 1; density may exceed 1."""

    precision: float
    recall: float
    density: float
    coverage: float


class PrecisionRecallDensityCoverage(Metric):
    """Whether generated points lie among the real ones and real points among the generated ones.

    With open balls around every point that reach its fifth neighbour within its own set: precision is the share of
    generated points in a real ball, recall the share of real points in a generated ball, density the mean number of
    real balls around a generated point divided by five, coverage the share of real balls with a generated point.

    Reference:
        Improved Precision and Recall Metric for Assessing Generative Models, arXiv 1904.06991;
        Reliable Fidelity and Diversity Metrics for Generative Models, arXiv 2002.09797.

    Sample size:
        The same number on both sides. For equal distributions E[coverage] is 1 - prod (N-j)/(M+N-j), j = 1 ... 5
        (0.969 at 2,000 and above), E[density] about 1. A thousand points or more.

    Known failure:
        One outlier has a huge ball, which inflates precision and recall: neither is fit to rank on. In many
        dimensions density rewards a generator that crowds the middle. Exact duplicates have empty balls.
    """

    quantities = (
        # Shown, never ranked on: they reward tight clusters or wild outliers (Naeem et al. 2020, arXiv 2002.09797).
        Quantity("precision", Axis.FIDELITY, Direction.HIGHER, ranked=False),
        Quantity("recall", Axis.DIVERSITY, Direction.HIGHER, ranked=False),
        Quantity("density", Axis.FIDELITY, Direction.HIGHER),
        Quantity("coverage", Axis.DIVERSITY, Direction.HIGHER),
    )

    def applies(self, real: Points, context: Context) -> bool:
        return True

    def measure(self, real: Points, generated: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        require(real, NEIGHBOURS + 1, "real")
        require(generated, NEIGHBOURS + 1, "generated")
        for space in real.features:
            scores = ball_scores(
                matrix(real, space), matrix(generated, space), _radii(real, space), _radii(generated, space)
            )
            for quantity in self.quantities:
                yield quantity.name, space, getattr(scores, quantity.name)


@remembered
def _radii(points: Points, space: str) -> Tensor:
    return squared_radii(matrix(points, space))


def squared_radii(points: Tensor, neighbours: int = NEIGHBOURS) -> Tensor:
    """Squared distance of every point to its k-th neighbour within the set, float64 (N,)."""
    return nearest(points, points, neighbours, same=True).squared[:, -1]


def ball_scores(
    real: Tensor, generated: Tensor, real_radii: Tensor, generated_radii: Tensor, neighbours: int = NEIGHBOURS
) -> BallScores:
    """All four scores in one pass over the pairs.

    Args:
        real: (N, D).
        generated: (M, D).
        real_radii: Squared, float64 (N,).
        generated_radii: Squared, float64 (M,).
        neighbours: The k of the radii.
    """
    pairs = Pairs(real, generated)
    balls_around = torch.zeros(len(generated), dtype=torch.int64, device=real.device)
    covered, recalled = torch.zeros(2, len(real), dtype=torch.bool, device=real.device)
    for rows, columns, squared in pairs.blocks():
        in_real = pairs.below(rows, columns, squared, real_radii[rows, None])
        balls_around[columns] += in_real.sum(0, dtype=torch.int32)
        covered[rows] |= in_real.any(1)
        recalled[rows] |= pairs.below(rows, columns, squared, generated_radii[None, columns]).any(1)
    return BallScores(
        precision=float((balls_around > 0).double().mean()),
        recall=float(recalled.double().mean()),
        density=float(balls_around.double().mean()) / neighbours,
        coverage=float(covered.double().mean()),
    )
