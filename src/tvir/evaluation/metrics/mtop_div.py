"""Whether two clouds of points have the same clusters and loops."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from tvir.contracts.metric import Axis, Context, Direction, Metric, Points, Quantity
from tvir.evaluation.matrices import require
from tvir.evaluation.subsampling import some_features

_POINTS = 400
"""Of either set."""


class MTopDiv(Metric):
    """Manifold Topology Divergence of order 1, the mean of both directions, relative to the median real distance.

    Within one set all distances become 0, which joins it to a single blob; the total length of the one-dimensional bars
    of the Vietoris-Rips complex of both sets then measures what the other set has and the blob does not reach. At most
    400 drawn points of either set.

    Reference:
        Manifold Topology Divergence: a Framework for Comparing Data Manifolds, arXiv 2106.04024.

    Sample size:
        The same number on both sides, a few hundred; compare only at equal numbers, beside the floor.

    Known failure:
        The length of the bars depends on the number of points; few points miss small features. Noise in many dimensions
        makes bars of its own.
    """

    quantities = (Quantity("mtop_div", Axis.STRUCTURE, Direction.LOWER),)
    in_blocks = False
    needs = "persistent homology: pip install 'tvir[topology]'"

    def applies(self, real: Points, context: Context) -> bool:
        return importlib.util.find_spec("gudhi") is not None

    def measure(self, real: Points, generated: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        require(real, 4, "real")
        require(generated, 4, "generated")
        count = min(len(real), len(generated), _POINTS)
        for space in real.features:
            first, second = (some_features(points, space, count, context.seed) for points in (real, generated))
            yield "mtop_div", space, topology_divergence(first, second)


def topology_divergence(real: Tensor, generated: Tensor) -> float:
    """Total length of the bars, mean of both directions, in units of the median distance between real points.

    Raises:
        ValueError: The median distance between real points is 0.
    """
    together = torch.cat([real, generated]).double().cpu()
    distances = torch.cdist(together, together, compute_mode="donot_use_mm_for_euclid_dist").numpy()
    count = len(real)
    median = float(np.median(distances[:count, :count][np.triu_indices(count, 1)]))
    if median == 0:
        raise ValueError("the median distance between real points is 0, which gives no unit of length")
    lengths = [_bar_lengths(distances / median, blob) for blob in (slice(0, count), slice(count, None))]
    return float(np.mean(lengths))


def _bar_lengths(distances: np.ndarray, blob: slice) -> float:
    from gudhi.sklearn.rips_persistence import RipsPersistence

    joined = distances.copy()
    joined[blob, blob] = 0
    persistence = RipsPersistence(homology_dimensions=1, input_type="full distance matrix")
    (bars,) = persistence.fit_transform([joined])
    return float((bars[:, 1] - bars[:, 0]).sum())
