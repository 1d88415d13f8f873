"""How many operations a run's training took."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from tvir.contracts.metric import Axis, Context, Direction, ModelMetric, Points, Quantity
from tvir.contracts.model import Batch, GenerativeModel, Stage
from tvir.contracts.noise import Noise

_EXAMPLES = 4
_STEPS = 16
"""Steps that are counted: lazy penalties act on every 2nd, 4th, 8th or 16th."""


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
        copied = copy.deepcopy(model).train()
        total = sum(
            steps[stage.name] * step_flops(stage, copied, context.train)
            for stage in copied.stages()
            if stage.name in steps
        )
        yield "training_flops", "-", float(total)


def step_flops(stage: Stage, model: GenerativeModel, train: Points) -> float:
    """Operations of a mean step of a stage with the model's batch size."""
    chosen = np.arange(_EXAMPLES) % len(train)
    data = model.spec.to_model(np.array(train.rows[chosen])).to(model.device)
    labels = None if train.labels is None else torch.from_numpy(np.asarray(train.labels[chosen], dtype=np.int64))
    counter = FlopCounterMode(display=False)
    with torch.random.fork_rng(devices=[]), counter:
        for step in range(_STEPS):
            for number, phase in enumerate(stage.phases):
                if step % phase.every == 0:
                    noise = Noise(number, count=_EXAMPLES, device=model.device)
                    losses = phase.loss(Batch(data=data, labels=labels, noise=noise, step=step, progress=0.5))
                    if losses:
                        total = torch.stack([loss.float() for loss in losses.values()]).sum()
                        torch.autograd.grad(total, list(phase.player.parameters), allow_unused=True)
    return counter.get_total_flops() / _STEPS * model.config.batch_size / _EXAMPLES
