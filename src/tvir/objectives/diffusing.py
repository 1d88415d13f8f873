"""Diffusion: what a network learns from noisy data, and how data is found again step by step.

Everything is said of data of mean 0 and variance 1 to which noise of standard deviation sigma is added, the noise
level. Whatever a network learns becomes an estimate of the clean data, so each way to learn goes with each way to
sample: Karras et al. 2022, Elucidating the Design Space of Diffusion-Based Generative Models, arXiv 2206.00364, table
1.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, Literal

import torch
from annotated_types import Gt
from torch import Tensor

from tvir.contracts.choice import Choice
from tvir.contracts.noise import Noise

Network = Callable[[Tensor, Tensor], Tensor]
"""From noisy data (N, ...) and how far along it is (N,), about 0 to 1, to numbers of the shape of the data."""

Denoiser = Callable[[Tensor, float], Tensor]
"""From noisy data (N, ...) and the noise level to an estimate of the clean data."""

_TRAINING_LEVELS = 1000
"""Noise levels of a model that learns at discrete ones."""


class Parametrisation(Choice):
    """What the network is asked for, at which noise levels it learns, and with which weights."""

    @abstractmethod
    def loss(self, network: Network, clean: Tensor, noise: Noise) -> Tensor:
        """The mean over a batch (N, ...) of what is minimised, a scalar."""

    @abstractmethod
    def denoise(self, network: Network, noisy: Tensor, level: float) -> Tensor:
        """The network's estimate of the clean data."""

    @abstractmethod
    def levels(self, steps: int) -> list[float]:
        """The noise levels of sampling in so many steps, from the highest down to 0: one more than steps."""


@dataclass(frozen=True, kw_only=True)
class Epsilon(Parametrisation):
    """The network finds the noise, at one of 1000 levels drawn uniformly (Ho et al. 2020, DDPM, arXiv 2006.11239).

    Args:
        schedule: Of the variance: ``linear`` (the paper's) or ``cosine`` (Nichol and Dhariwal 2021, arXiv 2102.09672).
    """

    schedule: Literal["linear", "cosine"] = "linear"

    def loss(self, network: Network, clean: Tensor, noise: Noise) -> Tensor:
        times = noise.integers(_TRAINING_LEVELS)
        added = noise.normal(*clean.shape[1:])
        noisy = self._scheduler.add_noise(clean, added, times)
        return (network(noisy, times / _TRAINING_LEVELS).float() - added).square().mean()

    def denoise(self, network: Network, noisy: Tensor, level: float) -> Tensor:
        time = int((self._all_levels.log() - math.log(level)).abs().argmin())
        times = torch.full((len(noisy),), time / _TRAINING_LEVELS, device=noisy.device)
        # The network knows data whose variance stays 1.
        return noisy - level * network(noisy / math.hypot(1, level), times).float()

    def levels(self, steps: int) -> list[float]:
        # Trailing spacing, so that sampling begins where training ended: Lin et al. 2023, arXiv 2305.08891, table 2.
        times = torch.arange(steps, 0, -1, dtype=torch.float64) * (_TRAINING_LEVELS / steps) - 1
        return [*self._all_levels[times.round().clamp_min(0).long()].tolist(), 0.0]

    @cached_property
    def _scheduler(self) -> Any:
        from diffusers.schedulers.scheduling_ddpm import DDPMScheduler

        names: dict[str, Any] = {"linear": "linear", "cosine": "squaredcos_cap_v2"}
        return DDPMScheduler(num_train_timesteps=_TRAINING_LEVELS, beta_schedule=names[self.schedule])

    @cached_property
    def _all_levels(self) -> Tensor:
        kept = self._scheduler.alphas_cumprod.cpu().double()
        return ((1 - kept) / kept).sqrt()


@dataclass(frozen=True, kw_only=True)
class Edm(Parametrisation):
    """The network finds a mixture of data and noise whose variance is 1 at every level, as is that of what it reads.

    Karras et al. 2022, arXiv 2206.00364, sections 3 and 5, with a standard deviation of the data (sigma_data) of 1; the
    paper's levels, which are for 0.5, are therefore twice as high here.

    Args:
        mean: Of the logarithm of the noise level in training.
        spread: Standard deviation of that logarithm.
        lowest: Noise level of the last step but one of sampling.
        highest: Noise level that sampling begins at.
        curvature: How much denser the steps lie at low levels; called rho in the paper.
    """

    mean: float = -0.5
    spread: Annotated[float, Gt(0)] = 1.2
    lowest: Annotated[float, Gt(0)] = 0.004
    highest: Annotated[float, Gt(0)] = 160.0
    curvature: Annotated[float, Gt(0)] = 7.0

    def loss(self, network: Network, clean: Tensor, noise: Noise) -> Tensor:
        levels = (self.mean + self.spread * noise.normal()).exp()
        added = noise.normal(*clean.shape[1:])
        each = levels.view(-1, *[1] * (clean.dim() - 1))
        noisy = clean + each * added
        # Weighted by 1 / c_out^2, the error of the clean data is that of what the network itself is to find:
        # (x - c_skip (x + sigma n)) / c_out = (sigma x - n) / sqrt(1 + sigma^2).
        whole = torch.hypot(each, torch.ones_like(each))
        target = (each * clean - added) / whole
        return (network(noisy / whole, levels.log() / 4).float() - target).square().mean()

    def denoise(self, network: Network, noisy: Tensor, level: float) -> Tensor:
        whole = math.hypot(1, level)
        times = torch.full((len(noisy),), math.log(level) / 4, device=noisy.device)
        return noisy / whole**2 + level / whole * network(noisy / whole, times).float()

    def levels(self, steps: int) -> list[float]:
        # Equation 5.
        high, low = (level ** (1 / self.curvature) for level in (self.highest, self.lowest))
        along = torch.linspace(high, low, steps, dtype=torch.float64) ** self.curvature
        return [*along.tolist(), 0.0]


class Sampler(Choice):
    """How noise becomes data in steps of falling noise level."""

    @abstractmethod
    def sample(self, denoise: Denoiser, levels: list[float], start: Tensor, noise: Noise) -> Tensor:
        """Data, like ``start``.

        Args:
            denoise: The network's estimate of clean data.
            levels: Falling, the last one 0.
            start: Nothing but noise, of the first level.
            noise: What random samplers draw from.
        """


def diffuse(sampler: Sampler, denoise: Denoiser, levels: list[float], shape: tuple[int, ...], noise: Noise) -> Tensor:
    """Data (noise.count, *shape) from noise alone: its first draw is where sampling begins."""
    # Data of variance 1 with noise of the first level, of which nothing but the noise is seen.
    start = math.hypot(1, levels[0]) * noise.normal(*shape)
    return sampler.sample(denoise, levels, start, noise)


@dataclass(frozen=True, kw_only=True)
class Ddim(Sampler):
    """Straight to the estimate, but only as far as the next level (Song et al. 2021, DDIM, arXiv 2010.02502)."""

    def sample(self, denoise: Denoiser, levels: list[float], start: Tensor, noise: Noise) -> Tensor:
        for level, following in pairwise(levels):
            clean = denoise(start, level)
            start = clean + following / level * (start - clean)
        return start


@dataclass(frozen=True, kw_only=True)
class Ddpm(Sampler):
    """A draw from the posterior given the estimate (Ho et al. 2020, DDPM, arXiv 2006.11239, equations 6 and 7)."""

    def sample(self, denoise: Denoiser, levels: list[float], start: Tensor, noise: Noise) -> Tensor:
        for level, following in pairwise(levels):
            clean = denoise(start, level)
            kept = (following / level) ** 2
            spread = following * math.sqrt(1 - kept)
            start = clean + kept * (start - clean) + spread * noise.normal(*start.shape[1:])
        return start


@dataclass(frozen=True, kw_only=True)
class DpmSolver(Sampler):
    """Along a line through the last two estimates (Lu et al. 2022, DPM-Solver++, arXiv 2211.01095, algorithm 2)."""

    def sample(self, denoise: Denoiser, levels: list[float], start: Tensor, noise: Noise) -> Tensor:
        before: tuple[Tensor, float] | None = None
        for level, following in pairwise(levels):
            clean = denoise(start, level)
            ahead = clean
            if before is not None and following > 0:
                earlier, higher = before
                ratio = math.log(higher / level) / math.log(level / following)
                ahead = clean + (clean - earlier) / (2 * ratio)
            before = clean, level
            start = ahead + following / level * (start - ahead)
        return start


@dataclass(frozen=True, kw_only=True)
class Heun(Sampler):
    """The slope at both ends of a step, so twice the calls (Karras et al. 2022, arXiv 2206.00364, algorithm 1)."""

    def sample(self, denoise: Denoiser, levels: list[float], start: Tensor, noise: Noise) -> Tensor:
        for level, following in pairwise(levels):
            slope = (start - denoise(start, level)) / level
            reached = start + (following - level) * slope
            if following > 0:
                slope = (slope + (reached - denoise(reached, following)) / following) / 2
                reached = start + (following - level) * slope
            start = reached
        return start
