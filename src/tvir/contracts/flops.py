"""Counting the floating-point operations of training."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode, sdpa_backward_flop_count, sdpa_flop_count

from tvir.contracts.model import Batch, GenerativeModel
from tvir.contracts.noise import Noise

_STEPS = 16
"""Steps that are counted: lazy penalties act on every 2nd, 4th, 8th or 16th."""

Shape = Sequence[int]


def _recurrence(read: Shape, *weights: Any, **_: object) -> int:
    """Each position of (positions, N, features) meets every weight of one layer once."""
    return 2 * read[0] * read[1] * sum(prod(weight) for weight in weights[:2])


def _recurrences(read: Shape, weights: Sequence[Shape], *_: object, **__: object) -> int:
    """The same for all layers at once, whose weights are a list; biases are vectors."""
    return 2 * read[0] * read[1] * sum(prod(weight) for weight in weights if len(weight) > 1)


def _twice(count: Callable[..., int]) -> Callable[..., int]:
    """Backwards there is a product for the inputs and one for the weights."""
    return lambda *shapes, **others: 2 * count(*shapes, **others)


def _attention(queries: Shape, keys: Shape, values: Shape, *_: object, **__: object) -> int:
    return sdpa_flop_count(queries, keys, values)


def _attention_backward(output: Shape, queries: Shape, keys: Shape, values: Shape, *_: object, **__: object) -> int:
    return sdpa_backward_flop_count(output, queries, keys, values)


_UNKNOWN_TO_TORCH: Mapping[Any, Callable[..., int]] = {
    torch.ops.aten.mkldnn_rnn_layer: _recurrence,
    torch.ops.aten.mkldnn_rnn_layer_backward: _twice(_recurrence),
    torch.ops.aten._cudnn_rnn: _recurrences,
    torch.ops.aten._cudnn_rnn_backward: _twice(_recurrences),
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_backward,
}
"""What torch's counter takes for free: recurrent layers, and attention on a processor."""


def step_flops(model: GenerativeModel, stage: int, data: Tensor, labels: Tensor | None) -> float:
    """Operations of a mean step of a stage with the model's batch size.

    Counted in eager mode on a copy of the model: matrix products, convolutions, recurrent layers and attention forwards
    and backwards, two operations for each multiply-add. The model stays as it is.

    Args:
        model: With or without its weights trained.
        stage: Index of the stage.
        data: A few examples in model form, on the model's device; the count is scaled to the batch size.
        labels: Their classes, or None.
    """
    copied = copy.deepcopy(model).train()
    phases = copied.stages()[stage].phases
    counter = FlopCounterMode(display=False, custom_mapping=dict(_UNKNOWN_TO_TORCH))
    with torch.random.fork_rng(devices=[]), counter:
        for step in range(_STEPS):
            for number, phase in enumerate(phases):
                if step % phase.every == 0:
                    noise = Noise(number, count=len(data), device=data.device)
                    losses = phase.loss(Batch(data=data, labels=labels, noise=noise, step=step, progress=0.5))
                    if losses:
                        total = torch.stack([loss.float() for loss in losses.values()]).sum()
                        # As autograd.grad, which refuses the counter's hooks on parameters that a layer reads as
                        # its input, as spectral normalisation does.
                        total.backward(inputs=list(phase.player.parameters))
    return counter.get_total_flops() / _STEPS * model.config.batch_size / len(data)
