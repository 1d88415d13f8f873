"""Several processes that train one model, started by ``torchrun``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
import torch.distributed as distributed
from torch import Tensor

from tvir.contracts.errors import UsageError


class Processes:
    """This process among those that train together. One alone talks to nobody.

    Gradients are averaged by one flat all-reduce for each phase. DistributedDataParallel is not used: it gives wrong
    gradients for steps that hold only a gradient penalty (pytorch issues 63929 and 63812).

    Args:
        rank: Of this process.
        world: Number of processes.
        local_rank: Of this process on its machine; chooses the GPU.
    """

    def __init__(self, rank: int = 0, world: int = 1, local_rank: int = 0) -> None:
        self.rank = rank
        self.world = world
        self.local_rank = local_rank

    @staticmethod
    @contextmanager
    def joined() -> Iterator[Processes]:
        """Join the group that ``torchrun`` has started, for the length of the block; blocks may be nested."""
        world = int(os.environ.get("WORLD_SIZE", "1"))
        if world == 1:
            yield Processes()
            return
        first = not distributed.is_initialized()
        if first:
            distributed.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
        try:
            yield Processes(distributed.get_rank(), world, int(os.environ.get("LOCAL_RANK", "0")))
        finally:
            if first:
                distributed.destroy_process_group()

    @property
    def main(self) -> bool:
        """Whether this process writes files and talks to people."""
        return self.rank == 0

    @property
    def device(self) -> torch.device:
        """Where this process trains: its GPU if there is one."""
        return torch.device("cuda", self.local_rank) if torch.cuda.is_available() else torch.device("cpu")

    def share(self, count: int) -> int:
        """This process's part of a batch.

        Raises:
            UsageError: The batch cannot be divided evenly.
        """
        if count % self.world:
            raise UsageError(
                f"a batch of {count} cannot be divided among {self.world} processes; choose a --batch-size that "
                f"{self.world} divides"
            )
        return count // self.world

    def average(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """The mean of each tensor over all processes: one flat all-reduce for each type."""
        if self.world == 1:
            return list(tensors)
        averaged = list(tensors)
        for dtype in sorted({tensor.dtype for tensor in tensors}, key=str):
            chosen = [number for number, tensor in enumerate(tensors) if tensor.dtype == dtype]
            flat = torch.cat([tensors[number].reshape(-1) for number in chosen])
            distributed.all_reduce(flat)
            flat /= self.world
            pieces = flat.split([tensors[number].numel() for number in chosen])
            for number, piece in zip(chosen, pieces, strict=True):
                averaged[number] = piece.view(tensors[number].shape)
        return averaged

    def largest(self, *values: float) -> list[float]:
        """The largest of each value over all processes: how they agree on the clock and on stopping."""
        if self.world == 1:
            return list(values)
        row = torch.tensor(values, dtype=torch.float64)
        distributed.all_reduce(row, distributed.ReduceOp.MAX)
        return row.tolist()

    @torch.no_grad()
    def broadcast(self, tensors: Sequence[Tensor]) -> None:
        """Give every process the main one's values: one flat broadcast for each type."""
        if self.world == 1 or not tensors:
            return
        for dtype in sorted({tensor.dtype for tensor in tensors}, key=str):
            chosen = [tensor for tensor in tensors if tensor.dtype == dtype]
            flat = torch.cat([tensor.detach().reshape(-1) for tensor in chosen])
            distributed.broadcast(flat, src=0)
            for tensor, piece in zip(chosen, flat.split([tensor.numel() for tensor in chosen]), strict=True):
                tensor.copy_(piece.view(tensor.shape))

    def tell(self, text: str) -> None:
        """Say something to the others, who ``hear`` it; for the main process."""
        if self.world > 1:
            # Text travels as bytes: torch's own way of sending objects is pickle.
            message = torch.tensor([0, *text.encode()], dtype=torch.uint8)
            distributed.broadcast(torch.tensor(len(message)), src=0)
            distributed.broadcast(message, src=0)

    def hear(self) -> str:
        """What the main process tells; for the others."""
        length = torch.tensor(0)
        distributed.broadcast(length, src=0)
        message = torch.empty(int(length), dtype=torch.uint8)
        distributed.broadcast(message, src=0)
        return bytes(message.tolist()[1:]).decode()

    def barrier(self) -> None:
        """Wait until all processes are here."""
        if self.world > 1:
            self.largest(0.0)
