"""How much of what is generated lies near a mode of a toy."""

from __future__ import annotations

from collections.abc import Iterator

from tvir.contracts.metric import Axis, Context, Direction, Metric, Points, Quantity
from tvir.evaluation.matrices import require
from tvir.evaluation.modes import assign


class HighQualityShare(Metric):
    """Share of points within three standard deviations of their nearest mode.

    A perfect model in two dimensions scores 1 - exp(-4.5) = 0.989, not 1.

    Reference:
        VEEGAN, arXiv 1705.07761; PacGAN, arXiv 1712.04086.

    Sample size:
        A few hundred points: the standard error is sqrt(p (1 - p) / N).

    Known failure:
        Rises above the perfect model's when the modes are made too tight; blind to dropped modes.
    """

    quantities = (Quantity("high_quality_share", Axis.FIDELITY, Direction.HIGHER),)

    def applies(self, real: Points, context: Context) -> bool:
        return context.modes is not None

    def measure(self, real: Points, generated: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        require(generated, 1, "generated")
        assigned = assign(generated, context)
        yield "high_quality_share", "-", float(assigned.close.mean())
