"""What a run took, as its record says."""

from __future__ import annotations

from collections.abc import Iterator

from tvir.contracts.metric import Axis, Context, Direction, ModelMetric, Points, Quantity
from tvir.contracts.model import GenerativeModel


class RunCost(ModelMetric):
    """Seconds of training, and the largest resident memory of the training process in bytes.

    Reference:
        The Efficiency Misnomer, arXiv 2110.12894.

    Sample size:
        One run.

    Known failure:
        Both depend on the machine and on what else ran there; compare only runs of one machine. The memory counts the
        process, its libraries included.
    """

    quantities = (
        Quantity("training_seconds", Axis.COST, Direction.LOWER, ranked=False),
        Quantity("peak_memory", Axis.COST, Direction.LOWER, ranked=False),
    )

    def applies(self, model: GenerativeModel, context: Context) -> bool:
        return context.run is not None

    def measure(self, model: GenerativeModel, real: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        assert context.run is not None
        yield "training_seconds", "-", context.run.spent.seconds
        if context.run.peak_memory is not None:
            yield "peak_memory", "-", float(context.run.peak_memory)

    def doubts(self, model: GenerativeModel, real: Points, context: Context) -> Iterator[str]:
        if context.run is not None and context.run.peak_memory is None:
            yield "peak_memory: left out, the run's record does not say"
