"""Kernel distance with the cubic kernel."""

from __future__ import annotations

from collections.abc import Iterator

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
        Unbiased at any N; a thousand points. No subsets are drawn: their spread is no standard error.

    Known failure:
        A cubic kernel sees three moments at most: N(0, I) and random signs are the same to it. Its size depends on
        the scale of the features.
    """

    quantities = (Quantity("kid", Axis.FIDELITY, Direction.LOWER),)

    def applies(self, real: Points, context: Context) -> bool:
        return True

    def measure(self, real: Points, generated: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        require(real, 2, "real")
        require(generated, 2, "generated")
        for space in real.features:
            cross = float(_kernel_total(matrix(real, space), matrix(generated, space))) / (len(real) * len(generated))
            yield "kid", space, _within(real, space) + _within(generated, space) - 2 * cross


@remembered
def _within(points: Points, space: str) -> float:
    features = matrix(points, space)
    count, dimensions = features.shape
    own = (features.double().square().sum(1) / dimensions + 1).pow(3).sum()
    return float(_kernel_total(features, features) - own) / (count * (count - 1))


def _kernel_total(first: Tensor, second: Tensor) -> Tensor:
    """Sum of the kernel over all pairs, in float64: cubes of features lose the small difference in float32."""
    right = second.double().T / second.shape[1]
    parts = [(part.double() @ right).add_(1).pow_(3).sum() for part in first.split(_ROWS)]
    return torch.stack(parts).sum()
