"""How many modes of a toy a generator has found."""

from __future__ import annotations

from collections.abc import Iterator

from tvir.contracts.metric import Axis, Context, Direction, Metric, Points, Quantity
from tvir.evaluation.matrices import require
from tvir.evaluation.modes import assign


class ModesFound(Metric):
    """Number of modes with at least one point within three standard deviations.

    Reference:
        VEEGAN, arXiv 1705.07761; PacGAN, arXiv 1712.04086.

    Sample size:
        2,500 points for 25 modes, so that a mode made a tenth as often as it should be is still found.

    Known failure:
        One lucky point finds a mode; read it beside reverse_kl.
    """

    quantities = (Quantity("modes_found", Axis.DIVERSITY, Direction.HIGHER),)

    def applies(self, real: Points, context: Context) -> bool:
        return context.modes is not None

    def measure(self, real: Points, generated: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        require(generated, 1, "generated")
        assigned = assign(generated, context)
        yield "modes_found", "-", float(len(set(assigned.nearest[assigned.close].tolist())))
