"""Bringing numbers to mean 0 and variance 1, as measured on the training split."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn

from tvir.contracts.data import Examples

_MEASURED = 4096
"""Examples, spread over the training split, that are looked at."""

_SMALLEST_SCALE = 1e-4


class Standardiser(nn.Module):
    """A shift and a scale for each channel, which begin as 0 and 1.

    Args:
        channels: Length of the second dimension of what is standardised.
        places: How many dimensions follow: 0 for vectors, 2 for images.
    """

    shift: Tensor
    scale: Tensor

    def __init__(self, channels: int, places: int) -> None:
        super().__init__()
        shape = (channels, *[1] * places)
        self.register_buffer("shift", torch.zeros(shape))
        self.register_buffer("scale", torch.ones(shape))

    def forward(self, numbers: Tensor) -> Tensor:
        return (numbers - self.shift) / self.scale

    def inverse(self, numbers: Tensor) -> Tensor:
        """What ``forward`` was given."""
        return numbers * self.scale + self.shift

    @torch.no_grad()
    def measure(self, examples: Examples, read: Callable[[Tensor], Tensor] | None = None) -> None:
        """Take shift and scale from the training split.

        Args:
            examples: The split.
            read: From examples in model form to what is standardised; by default the examples themselves.
        """
        self.fit(torch.cat([read(part) if read else part for part in self._spread(examples)]))

    @torch.no_grad()
    def fit(self, seen: Tensor) -> None:
        """Take shift and scale from what is to be standardised, (N, channels, ...)."""
        by_channel = seen.float().transpose(0, 1).flatten(1)
        self.shift.copy_(by_channel.mean(1).view_as(self.shift))
        self.scale.copy_(by_channel.std(1).clamp_min(_SMALLEST_SCALE).view_as(self.scale))

    def _spread(self, examples: Examples, chunk: int = 256) -> Iterator[Tensor]:
        chosen = np.unique(np.linspace(0, len(examples) - 1, min(_MEASURED, len(examples))).astype(np.int64))
        for indices in np.array_split(chosen, -(-len(chosen) // chunk)):
            yield examples.spec.to_model(examples.take(indices)).to(self.shift.device)
