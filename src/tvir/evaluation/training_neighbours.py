"""How near some points are to the training split, and how near its own points are to one another there."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tvir.contracts.metric import Points
from tvir.evaluation.distances import nearest
from tvir.evaluation.matrices import first_space, matrix
from tvir.evaluation.remembering import remembered
from tvir.evaluation.subsampling import some_features

COMPARED = 1000
"""Points of a set that are looked up; the training split is searched whole."""


@dataclass(frozen=True)
class TrainingNeighbours:
    """Distances of points to their nearest training point, (n,), that point's index, and the points themselves."""

    distances: Tensor
    indices: Tensor
    features: Tensor


@remembered
def training_neighbours(points: Points, train: Points, seed: int) -> TrainingNeighbours:
    """The nearest training point, in the first space, of at most 1,000 drawn points."""
    space = first_space(points)
    features = some_features(points, space, COMPARED, seed)
    found = nearest(features, matrix(train, space), 1)
    return TrainingNeighbours(found.squared[:, 0].sqrt(), found.indices[:, 0], features)


def distances_within(train: Tensor, indices: Tensor) -> Tensor:
    """Distance of chosen training points to the nearest *other* training point, float64, one for each index."""
    chosen, back = torch.unique(indices, return_inverse=True)
    found = nearest(train[chosen], train, 2)
    itself = found.indices[:, 0] == chosen
    return torch.where(itself, found.squared[:, 1], found.squared[:, 0]).sqrt()[back]
