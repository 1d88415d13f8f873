"""Noise as large as the data."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tvir.contracts.data import DataSpec, Examples, ImageSpec, TextSpec, VectorSpec
from tvir.contracts.model import ModelConfig
from tvir.contracts.noise import Noise as Table
from tvir.models.control.drawing import drawn_numbers
from tvir.models.control.fitted import Control

_EXAMPLES = 20_000


class Noise(Control):
    """A control: independent numbers, each uniform over the range that it has in the training split.

    What scores no better than this has learnt nothing but the range of the data.

    Args:
        spec: Any data.
        config: The settings.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(ModelConfig):
        """Settings of noise: it has none."""

    config: Config
    paper = "Shannon 1948, A Mathematical Theory of Communication, doi 10.1002/j.1538-7305.1948.tb01338.x"
    specs = (ImageSpec, VectorSpec, TextSpec)
    low: Tensor
    high: Tensor

    def __init__(self, spec: DataSpec, config: Config) -> None:
        super().__init__(spec, config)
        self.register_buffer("low", torch.full(spec.shape, -1.0))
        self.register_buffer("high", torch.full(spec.shape, 1.0))

    def fit(self, examples: Examples) -> None:
        numbers = drawn_numbers(examples, _EXAMPLES).unflatten(1, self.spec.shape).float()
        self.low.copy_(numbers.amin(0))
        self.high.copy_(numbers.amax(0))

    def draw(self, noise: Table) -> Tensor:
        share = noise.uniform(*self.spec.shape)
        if isinstance(self.spec, TextSpec):
            return (self.low + share * (self.high - self.low + 1)).long()
        return self.low + share * (self.high - self.low)
