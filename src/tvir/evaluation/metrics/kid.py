"""Kernel distance with the cubic kernel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from tvir.contracts.metric import Axis, Context, Direction, Metric, Points, Quantity
from tvir.evaluation.matrices import matrix, require
from tvir.evaluation.remembering import remembered

_ROWS = 1024


class Kid(Metric):
    """Unbiased squared maximum mean discrepancy with the kernel (x.y / D + 1)^3, over all points at once.

    Reference:
        Demystifying MMD GANs, arXiv 1801.01401.

    Sample size:
        Unbiased at any N; a thousand points. No subsets are drawn: their spread is no standard error, and the
        variance of the U-statistic gives one.

    Known failure:
        A cubic kernel sees three moments at most: N(0, I) and random signs are the same to it. Its size depends on
        the scale of the features.
    """

    quantities = (Quantity("kid", Axis.FIDELITY, Direction.LOWER),)
    error_source = "the variance of its U-statistic"

    def applies(self, real: Points, context: Context) -> bool:
        return True

    def measure(self, real: Points, generated: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        require(real, 2, "real")
        require(generated, 2, "generated")
        for space in real.features:
            cross = _across(generated, real, space).mean
            yield "kid", space, _within(real, space).mean + _within(generated, space).mean - 2 * cross

    def standard_error(self, name: str, space: str, value: float, real: Points, generated: Points) -> float:
        own, other, cross = _within(real, space), _within(generated, space), _across(generated, real, space)
        return u_statistic_error(own, other, cross)


@dataclass(frozen=True)
class KernelMeans:
    """A kernel over all pairs of two sets, or over all pairs of distinct points of one.

    Args:
        rows: Mean over the second set for each point of the first, (N,).
        columns: Mean over the first set for each point of the second, (M,).
        mean: Over all pairs.
        square: Mean squared kernel over all pairs.
    """

    rows: Tensor
    columns: Tensor
    mean: float
    square: float

    @property
    def interaction(self) -> float:
        """Variance of the kernel that neither point explains alone."""
        return max(0.0, self.square - self.mean**2 - float(self.rows.var() + self.columns.var()))


def u_statistic_error(own: KernelMeans, other: KernelMeans, cross: KernelMeans) -> float:
    """Standard error of the unbiased squared MMD, by Hoeffding's decomposition of its U-statistic.

    4 V(a) / n + 4 V(b) / m, where a(x) = E k(x, x') - E k(x, y) and b likewise, plus the variance of the interactions,
    2 s_xx / n^2 + 2 s_yy / m^2 + 4 s_xy / (nm), which is all that is left where the distributions agree. The means
    that estimate a and b carry twice the latter as noise.

    Reference:
        Generative Models and Model Criticism via Optimized Maximum Mean Discrepancy, arXiv 1611.04488, eq. 5.

    Args:
        own: Within the n points x.
        other: Within the m points y.
        cross: Between y (rows) and x (columns).
    """
    n, m = len(own.rows), len(other.rows)
    first = 4 * float((own.rows - cross.columns).var()) / n + 4 * float((other.rows - cross.rows).var()) / m
    second = 2 * own.interaction / n**2 + 2 * other.interaction / m**2 + 4 * cross.interaction / (n * m)
    return max(first - second, second) ** 0.5


@remembered
def _within(points: Points, space: str) -> KernelMeans:
    features = matrix(points, space)
    count, dimensions = features.shape
    own = (features.double().square().sum(1) / dimensions + 1).pow(3)
    rows, _, square = _kernel_sums(features, features)
    rows = (rows - own) / (count - 1)
    return KernelMeans(rows, rows, float(rows.mean()), float(square - own.square().sum()) / (count * (count - 1)))


@remembered
def _across(generated: Points, real: Points, space: str) -> KernelMeans:
    first, second = matrix(generated, space), matrix(real, space)
    rows, columns, square = _kernel_sums(first, second)
    rows, columns = rows / len(second), columns / len(first)
    return KernelMeans(rows, columns, float(rows.mean()), float(square) / (len(first) * len(second)))


def _kernel_sums(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Sums over rows and columns, and of squares; in float32 cubes of features lose the small difference."""
    right = second.double().T / second.shape[1]
    rows: list[Tensor] = []
    columns, squares = torch.zeros(len(second), dtype=torch.float64, device=second.device), []
    for part in first.split(_ROWS):
        kernel = (part.double() @ right).add_(1).pow_(3)
        rows.append(kernel.sum(1))
        columns += kernel.sum(0)
        squares.append(kernel.flatten().dot(kernel.flatten()))
    return torch.cat(rows), columns, torch.stack(squares).sum()
