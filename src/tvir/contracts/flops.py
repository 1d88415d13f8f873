"""Counting the floating-point operations of training."""

from __future__ import annotations

import copy

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from tvir.contracts.model import Batch, GenerativeModel
from tvir.contracts.noise import Noise

_STEPS = 16
"""Steps that are counted: lazy penalties act on every 2nd, 4th, 8th or 16th."""


def step_flops(model: GenerativeModel, stage: int, data: Tensor, labels: Tensor | None) -> float:
    """Operations of a mean step of a stage with the model's batch size.

    Counted in eager mode on a copy of the model: matrix products and convolutions forwards and backwards, two
    operations for each multiply-add. The model stays as it is.

    Args:
        model: With or without its weights trained.
        stage: Index of the stage.
        data: A few examples in model form, on the model's device; the count is scaled to the batch size.
        labels: Their classes, or None.
    """
    copied = copy.deepcopy(model).train()
    phases = copied.stages()[stage].phases
    counter = FlopCounterMode(display=False)
    with torch.random.fork_rng(devices=[]), counter:
        for step in range(_STEPS):
            for number, phase in enumerate(phases):
                if step % phase.every == 0:
                    noise = Noise(number, count=len(data), device=data.device)
                    losses = phase.loss(Batch(data=data, labels=labels, noise=noise, step=step, progress=0.5))
                    if losses:
                        total = torch.stack([loss.float() for loss in losses.values()]).sum()
                        torch.autograd.grad(total, list(phase.player.parameters), allow_unused=True)
    return counter.get_total_flops() / _STEPS * model.config.batch_size / len(data)
