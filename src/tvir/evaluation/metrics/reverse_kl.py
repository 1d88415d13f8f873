"""How evenly a generator spreads over the modes of a toy."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tvir.contracts.metric import Axis, Context, Direction, Metric, Points, Quantity
from tvir.evaluation.histograms import histogram_divergence
from tvir.evaluation.matrices import require
from tvir.evaluation.modes import assign


class ReverseKl(Metric):
    """KL(generated || truth) in nats between the histogram of nearest modes and the uniform distribution.

    Reference:
        VEEGAN, arXiv 1705.07761; PacGAN, arXiv 1712.04086.

    Sample size:
        A perfect model scores about (K - 1) / (2N) for K modes and N points.

    Known failure:
        Every point is given its nearest mode, however far it is: read it beside high_quality_share.
    """

    quantities = (Quantity("reverse_kl", Axis.DIVERSITY, Direction.LOWER),)

    def applies(self, real: Points, context: Context) -> bool:
        return context.modes is not None

    def measure(self, real: Points, generated: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        require(generated, 1, "generated")
        assigned = assign(generated, context)
        made = np.bincount(assigned.nearest, minlength=assigned.modes).astype(np.float64)
        yield "reverse_kl", "-", histogram_divergence(made, np.ones(assigned.modes))
