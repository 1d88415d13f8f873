"""What processes that train one model must compute together. One alone talks to nobody."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as distributed
from torch import Tensor


def _world() -> int:
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


@torch.no_grad()
def sum_over_processes(values: Tensor) -> Tensor:
    """The sum of a tensor over all processes; of the same shape on each."""
    if _world() == 1:
        return values
    total = values.detach().clone()
    distributed.all_reduce(total)
    return total


def mean_over_processes(values: Tensor) -> Tensor:
    """The mean of a tensor over all processes."""
    return sum_over_processes(values) / _world()


def rows_of_processes(rows: Tensor) -> Tensor:
    """The rows (N, ...) of all processes, in order of their ranks; as many on each."""
    if _world() == 1:
        return rows
    table = torch.zeros(_world(), *rows.shape, dtype=rows.dtype, device=rows.device)
    table[distributed.get_rank()] = rows.detach()
    return sum_over_processes(table).flatten(0, 1)


def own_rows(rows: Tensor) -> Tensor:
    """Those rows (N, ...) of all processes, in order of their ranks, that are this process's."""
    if _world() == 1:
        return rows
    return rows.chunk(_world())[distributed.get_rank()]


def learnable_sum_over_processes(values: Tensor) -> Tensor:
    """The sum of a tensor over all processes, differentiable.

    The gradient of a sum over processes is again a sum over processes: each learns what its numbers did to the others'
    losses.
    """
    if _world() == 1:
        return values
    summed: Tensor = _SumOverProcesses.apply(values)
    return summed


class _SumOverProcesses(torch.autograd.Function):
    """An all-reduce with a gradient.

    torch's own binds the process group when it is imported and keeps it alive after it has been destroyed.
    """

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        summed = values.clone()
        distributed.all_reduce(summed)
        return summed

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return learnable_sum_over_processes(gradient.contiguous())


def learnable_mean_over_processes(values: Tensor) -> Tensor:
    """The mean of a tensor over all processes, differentiable."""
    return learnable_sum_over_processes(values) / _world()
