"""How far the distributions of generated and real texts are apart in a space of features, cut into cells."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from sklearn.cluster import KMeans

from tvir.contracts.data import Array, TextSpec
from tvir.contracts.metric import Axis, Context, Direction, Metric, Points, Quantity
from tvir.contracts.noise import mix_seed
from tvir.evaluation.matrices import matrix, require
from tvir.evaluation.subsampling import drawn_indices

CELLS = 50
"""Cells of the space: the same for every size, so that sizes change only the noise."""

_PARTITIONS = 5
_POINTS = 5000
_SCALE = 5.0
"""The c of the paper, section 3."""

_WEIGHTS = np.linspace(1e-6, 1 - 1e-6, 99)


class Mauve(Metric):
    """Area below the curve of the two errors between cell frequencies; near 1 where the distributions agree.

    Standardised features of both sets are cut into 50 cells by k-means, the frequencies smoothed by half a point in
    each (Krichevsky and Trofimov), and R = w P + (1 - w) Q gives the curve of exp(-5 KL(Q | R)) against
    exp(-5 KL(P | R)). The mean over five partitions. This is no MAUVE of the literature: that looks through GPT-2 and
    cuts into a tenth as many cells as there are texts; only values of this page compare.

    Reference:
        MAUVE, arXiv 2102.01454; MAUVE Scores for Generative Models: Theory and Practice, arXiv 2212.14578 (smoothing).

    Sample size:
        About 1,000 texts: 20 in each cell. What real text scores with fewer is below 1, and is its floor.

    Known failure:
        Sees only what moves features from cell to cell; blind to copies, and to mistakes the features do not hear.
    """

    quantities = (Quantity("mauve", Axis.FIDELITY, Direction.HIGHER),)
    in_blocks = False

    def applies(self, real: Points, context: Context) -> bool:
        return isinstance(context.spec, TextSpec)

    def measure(self, real: Points, generated: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        require(real, 2 * CELLS, "real")
        require(generated, 2 * CELLS, "generated")
        for space in real.features:
            sides = [matrix(points, space).cpu().numpy() for points in (real, generated)]
            few = [side[drawn_indices(len(side), _POINTS, context.seed)] for side in sides]
            yield "mauve", space, mauve(few[0], few[1], seed=context.seed)


def mauve(real: Array, generated: Array, *, seed: int = 0) -> float:
    """The mean over partitions of the area below the curve, for features (N, D) and (M, D)."""
    both = np.concatenate([real, generated]).astype(np.float64)
    both = (both - both.mean(0)) / np.maximum(both.std(0), 1e-9)
    areas = []
    for partition in range(_PARTITIONS):
        state = mix_seed(seed, "cells", partition) % 2**32
        cells = KMeans(CELLS, n_init="auto", random_state=state).fit_predict(both)
        counts = (np.bincount(part, minlength=CELLS) for part in np.split(cells, [len(real)]))
        areas.append(curve_area(*counts))
    return float(np.mean(areas))


def curve_area(real: Array, generated: Array) -> float:
    """The area for the counts of each cell (K,) of both sides.

    Example:
        >>> round(curve_area(np.array([5, 5]), np.array([5, 5])), 6)
        1.0
    """
    p, q = ((counts + 0.5) / (counts.sum() + 0.5 * len(counts)) for counts in (real, generated))
    mixed = _WEIGHTS[:, None] * p + (1 - _WEIGHTS[:, None]) * q
    across, up = (np.exp(-_SCALE * (one * np.log(one / mixed)).sum(1)) for one in (q, p))
    # The curve runs from (1, 0) to (0, 1): its ends are where one of the errors is not counted.
    across, up = np.concatenate([[1.0], across, [0.0]]), np.concatenate([[0.0], up, [1.0]])
    order = np.lexsort((-up, across))
    below = np.trapezoid(up[order], across[order])
    return float(below)
