"""What latents are drawn from instead of the prior: distributions fitted to the latents of training examples."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Annotated

import torch
from annotated_types import Ge, Gt
from torch import Tensor, nn

from tvir.contracts.choice import Choice
from tvir.contracts.data import VectorSpec
from tvir.contracts.errors import MissingExtraError, UsageError
from tvir.contracts.model import Batch
from tvir.contracts.noise import Noise, mix_seed
from tvir.models.control.principal import PrincipalMixture

_AXES = 256
_MIXED = 64
"""Principal components along which the components of a mixture differ."""

_SMALLEST = 1e-6
"""Variance that is added in every direction of a mixture, as a share of that of the latents."""

_BATCH = 256
_LEARNING_RATE = 2e-3
_WARMUP = 50
"""Steps over which the learning rate of a flow grows."""

_CHUNK = 1024


class FittedLatents(nn.Module, ABC):
    """A distribution of flat latents, whose buffers have the same shapes before and after it is fitted."""

    @abstractmethod
    def fit(self, latents: Tensor) -> None:
        """Fit to latents (N, numbers); what is left to chance follows from torch's generator."""

    @abstractmethod
    def draw(self, noise: Noise) -> Tensor:
        """One latent for every row of noise, (noise.count, numbers)."""


class LatentSampler(Choice):
    """Where latents come from when a model that has learned is sampled.

    Ghosh et al. 2020, From Variational to Deterministic Autoencoders, arXiv 1903.12436, section 4: a density that is
    fitted to the latents of training examples mends the mismatch between them and the prior.
    """

    @abstractmethod
    def unfitted(self, numbers: int) -> FittedLatents:
        """What is to be fitted to latents of so many numbers.

        Raises:
            MissingExtraError: It needs packages that are not installed.
        """


@dataclass(frozen=True, kw_only=True)
class Prior(LatentSampler):
    """The model's own prior: nothing is fitted."""

    def unfitted(self, numbers: int) -> FittedLatents:
        raise UsageError("the prior is the model's own; there is nothing to fit")


@dataclass(frozen=True, kw_only=True)
class Mixture(LatentSampler):
    """A mixture of normal distributions with full covariances: ten of them in the paper."""

    components: Annotated[int, Ge(1)] = 10
    """Normal distributions that are mixed."""

    def unfitted(self, numbers: int) -> FittedLatents:
        return MixtureOfLatents(numbers, self.components)


@dataclass(frozen=True, kw_only=True)
class Flow(LatentSampler):
    """A normalising flow of splines, trained for so many steps."""

    steps: Annotated[int, Ge(1)] = 500
    """Steps of 256 latents."""

    def unfitted(self, numbers: int) -> FittedLatents:
        return FlowOfLatents(numbers, self.steps)


@dataclass(frozen=True, kw_only=True)
class Kernel(LatentSampler):
    """A latent of a training example, moved towards its nearest neighbours or away from them.

    Around each lies a normal distribution with the covariance of its neighbours: Vincent and Bengio 2003, Manifold
    Parzen Windows, Advances in Neural Information Processing Systems 15.
    """

    neighbours: Annotated[int, Ge(1)] = 10
    """That are looked at."""
    reach: Annotated[float, Gt(0)] = 0.5
    """Typical length of a move, as a share of the distance to a neighbour."""
    kept: Annotated[int, Ge(1)] = 10_000
    """Most latents that are kept."""

    def unfitted(self, numbers: int) -> FittedLatents:
        return NeighboursOfLatents(numbers, self.kept, self.neighbours, self.reach)


class MixtureOfLatents(FittedLatents):
    """A mixture along the principal components of latents.

    Args:
        numbers: In a latent.
        components: Normal distributions that are mixed.
    """

    def __init__(self, numbers: int, components: int) -> None:
        super().__init__()
        self.mixture = PrincipalMixture(numbers, _AXES, _MIXED, components)

    def fit(self, latents: Tensor) -> None:
        self.mixture.fit(latents, max(_SMALLEST * float(latents.var(0).mean()), 1e-12))

    def draw(self, noise: Noise) -> Tensor:
        return self.mixture.draw(noise)


class FlowOfLatents(FittedLatents):
    """The model ``flow``, which takes latents for vectors.

    Args:
        numbers: In a latent.
        steps: Of its training.

    Raises:
        MissingExtraError: zuko is not installed.
    """

    def __init__(self, numbers: int, steps: int) -> None:
        super().__init__()
        try:
            from tvir.models.flow.flow import Flow as FlowOfVectors
        except ModuleNotFoundError:
            raise MissingExtraError("a flow of latents", "families") from None
        spec = VectorSpec(features=numbers)
        settings = {**FlowOfVectors.settings_for(spec), "transformation": "spline:bins=8"}
        self.flow = FlowOfVectors(spec, FlowOfVectors.Config.from_json(settings))
        self.steps = steps

    @torch.enable_grad()
    def fit(self, latents: Tensor) -> None:
        (phase,) = self.flow.stages()[0].phases
        self.flow.unit.fit(latents)
        parameters = list(phase.player.parameters)
        optimiser = torch.optim.Adam(parameters, lr=_LEARNING_RATE)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, self._share_of_rate)
        self.flow.train()
        for step in range(self.steps):
            chosen = torch.randint(len(latents), (_BATCH,))
            noise = Noise(step, count=_BATCH)
            batch = Batch(data=latents[chosen], labels=None, noise=noise, step=step, progress=step / self.steps)
            loss = torch.stack(list(phase.loss(batch).values())).sum()
            for parameter, slope in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
                parameter.grad = slope
            optimiser.step()
            schedule.step()

    def _share_of_rate(self, step: int) -> float:
        return min(1.0, (step + 1) / _WARMUP) * 0.5 * (1 + math.cos(math.pi * step / self.steps))

    def draw(self, noise: Noise) -> Tensor:
        return self.flow.generate(noise, None)


class NeighboursOfLatents(FittedLatents):
    """Latents, and which others lie nearest to each.

    Args:
        numbers: In a latent.
        kept: Most latents that are kept.
        neighbours: That are looked at.
        reach: Typical length of a move, as a share of the distance to a neighbour.
    """

    centres: Tensor
    nearest: Tensor
    count: Tensor

    def __init__(self, numbers: int, kept: int, neighbours: int, reach: float) -> None:
        super().__init__()
        self.reach = reach
        self.register_buffer("centres", torch.zeros(kept, numbers))
        self.register_buffer("nearest", torch.zeros(kept, neighbours, dtype=torch.int64))
        self.register_buffer("count", torch.ones((), dtype=torch.int64))

    def fit(self, latents: Tensor) -> None:
        centres = latents[torch.randperm(len(latents))[: len(self.centres)]]
        count, neighbours = len(centres), self.nearest.shape[1]
        self.centres[:count] = centres
        self.count.fill_(count)
        # Where there are fewer others than neighbours, some count twice; one alone is its own neighbour.
        others = torch.arange(neighbours) % max(1, count - 1) + min(1, count - 1)
        for first in range(0, count, _CHUNK):
            distances = torch.cdist(centres[first : first + _CHUNK], centres)
            order = distances.topk(min(neighbours + 1, count), largest=False).indices
            self.nearest[first : first + len(order)] = order[:, others]

    def draw(self, noise: Noise) -> Tensor:
        chosen = noise.integers(int(self.count))
        centres = self.centres[chosen]
        towards = self.centres[self.nearest[chosen]] - centres[:, None]
        lengths = noise.normal(self.nearest.shape[1]) * (self.reach / math.sqrt(self.nearest.shape[1]))
        return centres + (lengths[:, :, None] * towards).sum(1)


def fit_latents(sampler: LatentSampler, latents: Tensor, seed: int) -> FittedLatents:
    """What a sampler makes of latents (N, numbers), the same for the same latents and seed.

    The caller's random state stays as it was.

    Raises:
        MissingExtraError: It needs packages that are not installed.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(mix_seed(seed, "latents"))
        fitted = sampler.unfitted(latents.shape[1])
        fitted.fit(latents)
    return fitted.eval()
