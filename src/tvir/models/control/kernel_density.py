"""Training examples with noise around them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import torch
from annotated_types import Ge
from torch import Tensor

from tvir.contracts.data import DataSpec, Examples, ImageSpec, VectorSpec
from tvir.contracts.model import HasLikelihood, ModelConfig
from tvir.contracts.noise import Noise
from tvir.models.control.drawing import drawn_numbers, smallest_variance
from tvir.models.control.fitted import Control

_WIDTHS = 24
"""Widths that are tried, up to the spread of the data."""

_NARROWEST = 1e-3
"""The first of them, as a share of that spread."""

_LEFT_OUT = 500
"""Examples that are left out in turn to try a width."""


class KernelDensity(Control, HasLikelihood):
    """A control: a normal distribution of one width around every training example, after Parzen.

    The width makes each example most probable given the others (leave-one-out likelihood).

    Args:
        spec: Images or vectors.
        config: The settings.

    Example:
        >>> kernels = KernelDensity(VectorSpec(features=2), KernelDensity.smallest())
        >>> kernels.sample(3).shape
        torch.Size([3, 2])
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(ModelConfig):
        """Settings of a kernel density."""

        examples: Annotated[int, Ge(1)] = 10_000
        """Training examples, at most, that are kept."""

    config: Config
    paper = "Parzen 1962, On Estimation of a Probability Density Function and Mode, doi 10.1214/aoms/1177704472"
    specs = (ImageSpec, VectorSpec)
    centres: Tensor
    count: Tensor
    width: Tensor

    def __init__(self, spec: DataSpec, config: Config) -> None:
        super().__init__(spec, config)
        self.register_buffer("centres", torch.zeros(config.examples, math.prod(spec.shape)))
        self.register_buffer("count", torch.ones((), dtype=torch.int64))
        self.register_buffer("width", torch.ones(()))

    @classmethod
    def smallest(cls) -> Config:
        return cls.Config(examples=16)

    def fit(self, examples: Examples) -> None:
        centres = drawn_numbers(examples, len(self.centres))
        self.centres[: len(centres)] = centres
        self.count.fill_(len(centres))
        if len(centres) > 1:
            self.width.fill_(_best_width(centres, smallest_variance(self.spec, centres)))

    def draw(self, noise: Noise) -> Tensor:
        centres = self.centres[noise.integers(int(self.count))]
        return (centres + self.width * noise.normal(centres.shape[1])).unflatten(1, self.spec.shape)

    def log_prob(self, examples: Tensor, condition: Tensor | None = None) -> Tensor:
        squares = _squared_distances(examples.flatten(1), self.centres[: self.count])
        return _log_density(squares, float(self.width), self.centres.shape[1], int(self.count))


def _best_width(centres: Tensor, smallest: float) -> float:
    """The standard deviation with the greatest leave-one-out likelihood."""
    left_out = centres[:_LEFT_OUT]
    squares = _squared_distances(left_out, centres)
    squares.fill_diagonal_(math.inf)
    squares = squares.float()
    spread = float(centres.double().var(0, correction=0).mean().sqrt())

    # A search by descent would be caught between neighbours. The data's own rounding is part of every kernel.
    shares = torch.logspace(math.log10(_NARROWEST), 0, _WIDTHS, dtype=torch.float64)
    widths = (shares * spread).square().add(smallest).sqrt().tolist()
    return max(widths, key=lambda width: _mean_density(squares, width, centres.shape))


def _mean_density(squares: Tensor, width: float, shape: torch.Size) -> float:
    """Mean log density of examples given all others."""
    return float(_log_density(squares, width, shape[1], shape[0] - 1).mean())


def _log_density(squares: Tensor, width: float, numbers: int, kernels: int) -> Tensor:
    """Log density in nats, (N,), from squared distances (N, kernels)."""
    volume = numbers * (math.log(width) + 0.5 * math.log(2 * math.pi))
    return torch.logsumexp(-0.5 * squares / width**2, 1) - volume - math.log(kernels)


def _squared_distances(examples: Tensor, centres: Tensor) -> Tensor:
    """(N, K) in double precision: they are differences of numbers that may be far from 0."""
    return torch.cdist(examples.double(), centres.double()).square()
