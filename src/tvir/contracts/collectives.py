"""What processes that train one model must compute together, without gradients. One alone talks to nobody."""

from __future__ import annotations

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
