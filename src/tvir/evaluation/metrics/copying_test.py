"""The rank test of data copying."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import stats
from sklearn.cluster import MiniBatchKMeans
from torch import Tensor

from tvir.contracts.data import Array
from tvir.contracts.metric import Axis, Context, Direction, Metric, Points, Quantity
from tvir.contracts.noise import mix_seed
from tvir.evaluation.matrices import first_space, require
from tvir.evaluation.remembering import remembered
from tvir.evaluation.subsampling import some_features
from tvir.evaluation.training_neighbours import training_neighbours

_CELLS = 10
_CLUSTERED = 5000
"""Training points that the cells are found on."""

_FEWEST = 5
"""Points of either set in a cell whose ranks are worth comparing."""


class CopyingTest(Metric):
    """C_T: are generated points closer to the training split than the reference is? Far below 0 means copied.

    In each cell of a k-means partition of the training split the distances of generated and of reference points to
    their nearest training points are compared by the Mann-Whitney U statistic, standardised; C_T is the mean of these z
    values weighted by the share of the reference in each cell. In the first space, at most 1,000 drawn points of either
    set.

    Reference:
        A Non-Parametric Test to Detect Data-Copying in Generative Models, arXiv 2004.05675.

    Sample size:
        500 of either set; it grows like sqrt(n), so compare only at equal n.

    Known failure:
        Far above 0 says that the samples are far from everything, not that they are original: low quality hides copies.
        A few copies among many honest samples do not move it. A z value, not an amount: shown and never ranked on.
    """

    quantities = (Quantity("copying_test", Axis.MEMORISATION, Direction.HIGHER, ranked=False),)
    in_blocks = False
    needs = "a training split"

    def applies(self, real: Points, context: Context) -> bool:
        return len(context.train) > _CELLS

    def measure(self, real: Points, generated: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        require(real, _FEWEST, "real")
        require(generated, _FEWEST, "generated")
        train, seed = context.train, context.seed
        cells = _cells(train, seed)
        sides = [training_neighbours(points, train, seed) for points in (generated, real)]
        made, known = (
            (side.distances.cpu().numpy(), np.asarray(cells.predict(_rows(side.features)))) for side in sides
        )
        yield "copying_test", first_space(real), copying_statistic(*made, *known)


def copying_statistic(distances: Array, cells: Array, real_distances: Array, real_cells: Array) -> float:
    """Weighted mean over cells of the standardised U statistic.

    Raises:
        ValueError: No cell has enough points of both sets.
    """
    total = weight = 0.0
    for cell in np.unique(real_cells):
        made, known = distances[cells == cell], real_distances[real_cells == cell]
        if min(len(made), len(known)) >= _FEWEST:
            n, m = len(made), len(known)
            statistic = stats.mannwhitneyu(made, known).statistic
            total += m * float((statistic - n * m / 2) / np.sqrt(n * m * (n + m + 1) / 12))
            weight += m
    if not weight:
        raise ValueError(f"no region has {_FEWEST} generated and {_FEWEST} real points")
    return total / weight


@remembered
def _cells(train: Points, seed: int) -> MiniBatchKMeans:
    rows = _rows(some_features(train, first_space(train), _CLUSTERED, seed))
    return MiniBatchKMeans(_CELLS, random_state=mix_seed(seed, "cells") % 2**32).fit(rows)


def _rows(features: Tensor) -> Array:
    return features.double().cpu().numpy()
