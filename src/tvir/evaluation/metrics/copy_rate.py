"""How much of what is generated is the training set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tvir.contracts.data import Array, TextSpec
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
        Sees copies of pixels, not copies that are shifted, mirrored or recoloured; text has a metric of its own
        (text_copies). Smooth or averaged examples lie closer to everything: a blurred generator may score somewhat
        above its floor without having copied.
    """

    quantities = (Quantity("copy_rate", Axis.MEMORISATION, Direction.LOWER),)
    needs = "a training split of images or vectors"

    def applies(self, real: Points, context: Context) -> bool:
        return len(context.train) > 0 and not isinstance(context.spec, TextSpec)

    def measure(self, real: Points, generated: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        require(real, 2, "real")
        require(generated, 1, "generated")
        threshold = copy_threshold(real, context.train)
        distances = nearest_training(generated, context.train).distances
        # An exact copy is one even where real duplicates bring the threshold down to 0.
        yield "copy_rate", "-", float(((distances < threshold) | (distances == 0)).mean())

    def doubts(self, real: Points, generated: Points, context: Context) -> Iterator[str]:
        if len(real) < 5 / HONEST_SHARE:
            yield f"copy_rate: the threshold is a 1 % quantile of only {len(real)} real points"


@dataclass(frozen=True)
class NearestRows:
    """The nearest row of every point: root mean squared differences (N,), float64, and indices (N,)."""

    distances: Array
    indices: Array

    def __getitem__(self, chosen: Array) -> NearestRows:
        return NearestRows(self.distances[chosen], self.indices[chosen])


def copy_threshold(real: Points, train: Points) -> float:
    """The distance to the training set below which a point is called a copy."""
    return float(np.quantile(nearest_training(real, train).distances, HONEST_SHARE))


@remembered_by_row
def nearest_training(points: Points, train: Points) -> NearestRows:
    """The nearest training row of every point, shortlisted in the first space and decided on the rows."""
    space = first_space(points)
    shortlist = nearest(matrix(points, space), matrix(train, space), min(_SHORTLIST, len(train))).indices
    return nearest_of(points.rows, train.rows, shortlist)


def row_distances(rows: Array, train: Array, candidates: Tensor) -> Array:
    """Root mean squared difference of every row to the nearest of its candidates, float64 (N,)."""
    return nearest_of(rows, train, candidates).distances


def nearest_of(rows: Array, train: Array, candidates: Tensor) -> NearestRows:
    """The nearest of the candidates (N, K) of every row."""
    distances, indices = [], []
    for start in range(0, len(rows), 512):
        few = slice(start, start + 512)
        own, chosen = _flat(rows[few]), candidates[few].cpu()
        # One gather per column of candidates bounds the memory.
        squared = [(own - _flat(train[column])).square_().mean(1) for column in chosen.numpy().T]
        best, place = torch.stack(squared).min(0)
        distances.append(best.sqrt())
        indices.append(chosen.gather(1, place[:, None])[:, 0])
    return NearestRows(torch.cat(distances).numpy(), torch.cat(indices).numpy())


def _flat(rows: Array) -> Tensor:
    return torch.from_numpy(np.asarray(rows, dtype=np.float64).reshape(len(rows), -1))
