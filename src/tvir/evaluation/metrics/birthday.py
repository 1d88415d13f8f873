"""Whether generated points repeat each other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from torch import Tensor

from tvir.contracts.metric import Axis, Context, Direction, Metric, Points, Quantity
from tvir.evaluation.distances import nearest
from tvir.evaluation.matrices import require
from tvir.evaluation.remembering import remembered
from tvir.evaluation.subsampling import some_features

_POINTS = 4000
_HONEST_SHARE = 0.01
"""Share of real points whose nearest real neighbour counts as a near duplicate, by the choice of the threshold."""


class Birthday(Metric):
    """Share of generated points that have a near duplicate among the generated ones; real points have one in a hundred.

    By the birthday paradox a generator of K different things repeats itself in about n^2 / 2K pairs of n samples. A
    near duplicate is closer than the 1 % quantile of the distances between nearest neighbours within as many real
    points; an exact one counts in any case. At most 4,000 drawn points of either set.

    Reference:
        Do GANs actually learn the distribution? An empirical study, arXiv 1706.08224 (there people look at the nearest
        pairs).

    Sample size:
        The same number on both sides, at least 500; the more points, the larger the support that can be tested.

    Known failure:
        A generator that is blurred or less spread out than reality lies closer together without repeating itself.
        Noise on every sample hides repetitions.
    """

    quantities = (Quantity("birthday", Axis.DIVERSITY, Direction.LOWER),)
    in_blocks = False

    def applies(self, real: Points, context: Context) -> bool:
        return True

    def measure(self, real: Points, generated: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        require(real, 2, "real")
        require(generated, 2, "generated")
        count = min(len(real), len(generated), _POINTS)
        for space in real.features:
            threshold = float(np.quantile(_nearest_within(real, space, count, context.seed), _HONEST_SHARE))
            distances = _nearest_within(generated, space, count, context.seed)
            yield "birthday", space, float(((distances < threshold) | (distances == 0)).double().mean())

    def doubts(self, real: Points, generated: Points, context: Context) -> Iterator[str]:
        if (count := min(len(real), len(generated))) < 5 / _HONEST_SHARE:
            yield f"birthday: the threshold is a 1 % quantile of only {count} real points"


@remembered
def _nearest_within(points: Points, space: str, count: int, seed: int) -> Tensor:
    few = some_features(points, space, count, seed)
    return nearest(few, few, 1, same=True).squared[:, 0].sqrt().cpu()
