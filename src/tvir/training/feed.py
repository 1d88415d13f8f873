"""What a step sees: this process's examples of the global batch, and noise for each of its phases."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from tvir.contracts.data import Array, Examples
from tvir.contracts.model import Batch, Phase
from tvir.contracts.noise import Noise, mix_seed
from tvir.training.order import DataOrder
from tvir.training.position import Position
from tvir.training.precision import Arithmetic
from tvir.training.processes import Processes


@dataclass(frozen=True, kw_only=True)
class StepInput:
    """The examples of one step.

    Args:
        data: In model form.
        labels: Class indices, or None.
        seed: Of the run.
        stage: Name of the stage.
        step: Steps taken since it began.
        progress: Share of its budget that is spent.
        first: Place of the first example in the global batch.
    """

    data: Tensor
    labels: Tensor | None
    seed: int
    stage: str
    step: int
    progress: float
    first: int

    def batch(self, phase: Phase) -> Batch:
        """What a phase sees: the same examples as the others, and noise of its own."""
        seed = mix_seed(self.seed, "noise", self.stage, self.step, phase.name)
        noise = Noise(seed, first=self.first, count=len(self.data), device=self.data.device)
        return Batch(data=self.data, labels=self.labels, noise=noise, step=self.step, progress=self.progress)


class Feed:
    """The examples of every step.

    Args:
        examples: The training split.
        seed: Of the run.
        batch_size: Examples of a step over all processes.
        arithmetic: Says where examples go and how they lie in memory.
        processes: Each takes its own part of a batch.

    Raises:
        UsageError: The batch cannot be divided evenly among the processes.
    """

    def __init__(
        self, examples: Examples, seed: int, batch_size: int, arithmetic: Arithmetic, processes: Processes
    ) -> None:
        self._examples = examples
        self._seed = seed
        self._batch_size = batch_size
        self._arithmetic = arithmetic
        self._count = processes.share(batch_size)
        self._first = processes.rank * self._count
        self._order = DataOrder(seed, len(examples))

    def first(self, count: int) -> tuple[Tensor, Tensor | None]:
        """The first examples of the data, repeated where there are fewer, and their classes; on every process alike."""
        return self._placed(np.arange(count) % len(self._examples))

    def draw(self, position: Position, stage: str, progress: float) -> StepInput:
        """The input of the step that a position is at."""
        data, labels = self._placed(self._order.indices(position.samples + self._first, self._count))
        return StepInput(
            data=data,
            labels=labels,
            seed=self._seed,
            stage=stage,
            step=position.stage_step,
            progress=progress,
            first=self._first,
        )

    def _placed(self, indices: Array) -> tuple[Tensor, Tensor | None]:
        labels = self._examples.labels_at(indices)
        data = self._arithmetic.place_data(self._examples.spec.to_model(self._examples.take(indices)))
        return data, None if labels is None else labels.to(self._arithmetic.device)

    def indices(self, position: Position) -> Array:
        """The examples of that step over all processes."""
        return self._order.indices(position.samples, self._batch_size)
