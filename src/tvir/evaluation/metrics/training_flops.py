"""How many operations a run's training took."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from tvir.contracts.flops import step_flops
from tvir.contracts.metric import Axis, Context, Direction, ModelMetric, Points, Quantity
from tvir.contracts.model import GenerativeModel

_EXAMPLES = 4


class TrainingFlops(ModelMetric):
    """Floating-point operations of all training steps: those of a step times the steps of each stage.

    Counted in eager mode on a copy of the model, over sixteen steps of four training examples, and scaled to the batch
    size: matrix products and convolutions forwards and backwards, two operations for each multiply-add.

    Reference:
        The Efficiency Misnomer, arXiv 2110.12894.

    Sample size:
        Exact for what is counted.

    Known failure:
        Leaves out everything but products and convolutions; says nothing of how fast the operations are. Steps that a
        divergence threw away are not counted, nor is what a stage prepares.
    """

    quantities = (Quantity("training_flops", Axis.COST, Direction.LOWER, ranked=False),)

    def applies(self, model: GenerativeModel, context: Context) -> bool:
        return context.run is not None and len(context.train) > 0

    def measure(self, model: GenerativeModel, real: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        assert context.run is not None
        steps = context.run.stage_steps
        if sum(steps.values()) != context.run.spent.steps:
            raise ValueError("the run's record does not say how many steps each stage took")
        chosen = np.arange(_EXAMPLES) % len(context.train)
        data = model.spec.to_model(np.array(context.train.rows[chosen])).to(model.device)
        known = context.train.labels
        labels = None if known is None else torch.from_numpy(np.asarray(known[chosen], dtype=np.int64))
        names = [stage.name for stage in model.stages()]
        total = sum(
            steps[name] * step_flops(model, number, data, labels) for number, name in enumerate(names) if name in steps
        )
        yield "training_flops", "-", float(total)
