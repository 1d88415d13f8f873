"""How much of what is generated is the training set."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from tvir.contracts.data import Array
from tvir.contracts.metric import Axis, Context, Direction, Metric, Points, Quantity
from tvir.evaluation.distances import nearest
from tvir.evaluation.matrices import first_space, matrix, require
from tvir.evaluation.remembering import remembered_by_row

HONEST_SHARE = 0.01
"""Share of honest points that count as copies by the choice of threshold."""

_SHORTLIST = 4
"""Nearest training points in the first space whose distance is decided on the rows themselves."""


class CopyRate(Metric):
    """Share of generated points closer to a training point than 99 % of real points outside the training set are.

    The nearest training points are shortlisted in the first space (pixels, or their principal components) and the
    distance is decided on the rows themselves, in float64. The threshold is the 1 % quantile of the same distance from
    the reference set, so an honest generator scores about 0.01 and the floor says what honest means here.

    Reference:
        A Non-Parametric Test to Detect Data-Copying in Generative Models, arXiv 2004.05675 (the idea of held-out
        distances as the yardstick).

    Sample size:
        500 reference points at least, for the quantile; any number of generated ones.

    Known failure:
        Sees copies of pixels, not copies that are shifted, mirrored or recoloured. Smooth or averaged examples lie
        closer to everything: a blurred generator may score somewhat above its floor without having copied.
    """

    quantities = (Quantity("copy_rate", Axis.MEMORISATION, Direction.LOWER),)
    needs = "a training split"

    def applies(self, real: Points, context: Context) -> bool:
        return len(context.train) > 0

    def measure(self, real: Points, generated: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        require(real, 2, "real")
        require(generated, 1, "generated")
        threshold = float(np.quantile(_to_train(real, context.train), HONEST_SHARE))
        distances = _to_train(generated, context.train)
        # An exact copy is one even where real duplicates bring the threshold down to 0.
        yield "copy_rate", "-", float(((distances < threshold) | (distances == 0)).mean())

    def doubts(self, real: Points, generated: Points, context: Context) -> Iterator[str]:
        if len(real) < 5 / HONEST_SHARE:
            yield f"copy_rate: the threshold is a 1 % quantile of only {len(real)} real points"


@remembered_by_row
def _to_train(points: Points, train: Points) -> Array:
    space = first_space(points)
    shortlist = nearest(matrix(points, space), matrix(train, space), min(_SHORTLIST, len(train))).indices
    return row_distances(points.rows, train.rows, shortlist)


def row_distances(rows: Array, train: Array, candidates: Tensor) -> Array:
    """Root mean squared difference of every row to the nearest of its candidates, float64 (N,)."""
    best = []
    for start in range(0, len(rows), 512):
        few = slice(start, start + 512)
        own = _flat(rows[few])
        # One gather per column of candidates bounds the memory.
        squared = [(own - _flat(train[column])).square_().mean(1) for column in candidates[few].cpu().numpy().T]
        best.append(torch.stack(squared).amin(0).sqrt())
    return torch.cat(best).numpy()


def _flat(rows: Array) -> Tensor:
    return torch.from_numpy(np.asarray(rows, dtype=np.float64).reshape(len(rows), -1))
