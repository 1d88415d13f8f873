"""Randomness that belongs to examples, not to batches, processes or devices."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import torch
from torch import Tensor

_BLOCK = 64
"""Rows drawn together: few enough that little is wasted, many enough that a draw is one kernel."""


def mix_seed(*parts: int | str) -> int:
    """A 63-bit seed that depends on every part and on their order."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


class Noise:
    """Random numbers for the rows ``first ... first + count - 1`` of an endless table.

    Row *i* of a table depends on the table's seed and on *i* alone. Sample *i* of seed *s* is therefore the same
    whatever the batch size, and a training step draws the same noise on one process as on eight.

    Args:
        seed: The table.
        count: Number of rows, at least 0.
        first: Index of the first row.
        device: Where the numbers are wanted. They are always drawn on the CPU, so they do not depend on it.

    Example:
        >>> whole = Noise(7, count=100).normal(3)
        >>> part = Noise(7, count=10, first=90).normal(3)
        >>> torch.equal(whole[90:], part)
        True
    """

    def __init__(self, seed: int, *, count: int, first: int = 0, device: torch.device | str = "cpu") -> None:
        self.seed = seed
        self.count = count
        self.first = first
        self.device = torch.device(device)
        blocks = range(first // _BLOCK, -(-(first + count) // _BLOCK)) if count else range(0)
        self._generators = [torch.Generator().manual_seed(mix_seed(seed, block)) for block in blocks]

    def normal(self, *shape: int) -> Tensor:
        """Standard normal numbers, shape (count, *shape)."""
        return self._draw(lambda size, generator: torch.randn(size, generator=generator), shape)

    def uniform(self, *shape: int) -> Tensor:
        """Uniform numbers in [0, 1), shape (count, *shape)."""
        return self._draw(lambda size, generator: torch.rand(size, generator=generator), shape)

    def integers(self, high: int, *shape: int) -> Tensor:
        """Uniform int64 numbers in [0, high), shape (count, *shape)."""
        return self._draw(lambda size, generator: torch.randint(high, size, generator=generator), shape)

    def _draw(self, draw: Callable[[tuple[int, ...], torch.Generator], Tensor], shape: tuple[int, ...]) -> Tensor:
        if not self.count:
            return draw((0, *shape), torch.Generator()).to(self.device)
        blocks = [draw((_BLOCK, *shape), generator) for generator in self._generators]
        start = self.first % _BLOCK
        return torch.cat(blocks)[start : start + self.count].to(self.device)
