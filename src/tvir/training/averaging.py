"""An exponential moving average of the weights: what a model samples with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

_LARGEST_SHARE = 0.05
"""A half-life is at most this share of what has been seen: early weights must be forgotten soon."""


class Averaging:
    """Averaged weights whose half-life is counted in examples, so that it does not depend on the batch size.

    The half-life grows with what has been seen (Karras et al. 2020, arXiv 2006.06676, and their code). Buffers are not
    averaged: they belong to the current weights and go along as they are.

    Args:
        parameters: What is averaged, as it is now.
        half_life: Examples after which the average has forgotten half of its past.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], half_life: float) -> None:
        self.parameters: list[Tensor] = list(parameters)
        self.averages = [parameter.detach().clone() for parameter in self.parameters]
        self.half_life = half_life

    @torch.no_grad()
    def update(self, examples: int, seen: int) -> None:
        """Move towards the current weights.

        Args:
            examples: In the step just taken, at least 1.
            seen: In the stage, with those of this step.
        """
        half_life = min(self.half_life, _LARGEST_SHARE * seen)
        share = 1 - 0.5 ** (examples / half_life)
        torch._foreach_lerp_(self.averages, self.parameters, share)  # pyright: ignore[reportPrivateImportUsage]

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Inside the block the model has its averaged weights."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    @torch.no_grad()
    def settle(self) -> None:
        """Make the averaged weights the current ones."""
        for parameter, average in zip(self.parameters, self.averages, strict=True):
            parameter.copy_(average)

    def average_of(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """The same tensors with the averages in place of the parameters that have one."""
        averages = {id(parameter): average for parameter, average in zip(self.parameters, self.averages, strict=True)}
        return {name: averages.get(id(tensor), tensor) for name, tensor in tensors.items()}

    def _swap(self) -> None:
        for number, parameter in enumerate(self.parameters):
            parameter.data, self.averages[number] = self.averages[number], parameter.data
