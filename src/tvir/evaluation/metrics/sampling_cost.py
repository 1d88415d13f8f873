"""What a sample takes."""

from __future__ import annotations

import time
from collections.abc import Iterator

from torch import nn

from tvir.contracts.metric import Axis, Context, Direction, ModelMetric, Points, Quantity
from tvir.contracts.model import GenerativeModel

_BATCH = 64
_REPEATS = 3


class SamplingCost(ModelMetric):
    """Parameters, samples per second at a batch of 64, and calls of networks for one batch of samples.

    The fastest of three batches after one to warm up. A call is a forward pass of a network of the model's diagram; a
    diffusion model makes one for every step, a GAN one in all.

    Reference:
        The Efficiency Misnomer, arXiv 2110.12894.

    Sample size:
        Counts are exact; the speed varies by some 10 % on a quiet machine.

    Known failure:
        Speed depends on the machine and on what else runs. Parameters count encoder and discriminator too, which
        sampling does not need.
    """

    quantities = (
        Quantity("parameters", Axis.COST, Direction.LOWER, ranked=False),
        Quantity("samples_per_second", Axis.COST, Direction.HIGHER, ranked=False),
        Quantity("network_calls", Axis.COST, Direction.LOWER, ranked=False),
    )

    def applies(self, model: GenerativeModel, context: Context) -> bool:
        return True

    def measure(self, model: GenerativeModel, real: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        yield "parameters", "-", float(sum(parameter.numel() for parameter in model.parameters()))
        yield "samples_per_second", f"batch {_BATCH}", samples_per_second(model)
        networks = [box.module for box in model.diagram().boxes if box.module is not None]
        yield "network_calls", "-", float(network_calls(model, networks))


def samples_per_second(model: GenerativeModel) -> float:
    """Of the fastest of three batches."""
    model.sample(_BATCH)
    seconds = []
    for _ in range(_REPEATS):
        begin = time.perf_counter()
        model.sample(_BATCH).cpu()
        seconds.append(time.perf_counter() - begin)
    return _BATCH / max(min(seconds), 1e-9)


def network_calls(model: GenerativeModel, networks: list[nn.Module]) -> int:
    """Forward passes of any of the networks while a batch is sampled."""
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    hooks = [network.register_forward_hook(count) for network in networks]
    try:
        model.sample(2)
    finally:
        for hook in hooks:
            hook.remove()
    return calls
