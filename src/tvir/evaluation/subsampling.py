"""A few points of a set, for what costs more than their number."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from tvir.contracts.data import Array
from tvir.contracts.metric import Points
from tvir.contracts.noise import mix_seed
from tvir.evaluation.matrices import matrix


def drawn_indices(available: int, count: int, seed: int) -> Array:
    """At most ``count`` indices of ``available``, ascending; all of them where there are no more."""
    if available <= count:
        return np.arange(available)
    return np.sort(np.random.default_rng(mix_seed(seed, "few points")).permutation(available)[:count])


def some_features(points: Points, space: str, count: int, seed: int) -> Tensor:
    """The features of at most ``count`` points, (n, D): the same points in every space."""
    return matrix(points, space)[drawn_indices(len(points), count, seed)]
