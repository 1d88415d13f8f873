"""An encoder and a decoder that learn together, for every model that has them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated

import torch
from annotated_types import Ge, Gt
from torch import Tensor, nn
from torch.distributions import Independent, Normal

from tvir.contracts.data import DataSpec
from tvir.contracts.errors import UsageError
from tvir.contracts.model import Adam, Batch, Losses, Phase, Player, SizedConfig
from tvir.contracts.noise import Noise
from tvir.contracts.ranges import Logarithmic
from tvir.networks.building import Architecture, Networks, Residual
from tvir.objectives.divergences import normal_divergence
from tvir.objectives.elbo import evidence_bound, importance_weighted_bound, normal_log_prob
from tvir.objectives.likelihoods import Automatic, Likelihood

_LARGEST_LOG_VARIANCE = 10.0
"""Of a posterior; it keeps the first steps finite and is far from any that has learned."""

_SCALE_SPEED = 10.0
"""Adam moves every parameter alike; the one scale has further to go than a weight, and all wait for it."""


@dataclass(frozen=True, kw_only=True)
class AutoencodingConfig(SizedConfig):
    """Settings of every model that learns by encoding and decoding."""

    latent: Annotated[int, Ge(1)] = 32
    """Numbers in a latent."""
    network: Architecture = field(default_factory=Residual)
    """Encoder and decoder of images."""
    likelihood: Likelihood = field(default_factory=Automatic)
    """What the decoder's output says of an example."""
    beta: Annotated[float, Ge(0), Logarithmic(0.1, 2.0)] = 1.0
    """Weight of the divergence from the prior; with 1 the loss bounds the likelihood."""
    beta_warmup: Annotated[float, Ge(0)] = 0.0
    """Share of the stage's budget over which beta grows from 0."""
    autoencoder_learning_rate: Annotated[float, Gt(0), Logarithmic(3e-4, 3e-3)] = 1e-3
    """Step size of encoder and decoder."""


class Autoencoder(nn.Module):
    """A decoder, the encoder that inverts it, and the scale their likelihood may share.

    Args:
        spec: The data.
        networks: Maker of the encoder.
        decoder: From latents (N, latent) to what the likelihood reads.
        config: The settings.

    Raises:
        UsageError: The likelihood does not describe such data.
    """

    def __init__(self, spec: DataSpec, networks: Networks, decoder: nn.Module, config: AutoencodingConfig) -> None:
        super().__init__()
        likelihood = config.likelihood
        if not isinstance(spec, likelihood.specs):
            raise UsageError(f"the {likelihood.name} likelihood does not describe such data; use gaussian")
        self.spec = spec
        self.config = config
        self.decoder = decoder
        self.encoder = networks.encoder(2 * config.latent)
        self.log_scale = nn.Parameter(torch.zeros(())) if likelihood.shares_scale else None

    def posterior(self, examples: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of q(z|x), (N, latent) each."""
        return mean_and_log_variance(self.encoder(examples))

    def encode(self, examples: Tensor) -> Independent:
        """q(z|x) as a distribution."""
        mean, log_variance = self.posterior(examples)
        return normal_distribution(mean, log_variance)

    def decode(self, latents: Tensor) -> Tensor:
        """The expected example given a latent, (N, *spec.shape)."""
        return self.config.likelihood.mean(self.decoder(latents), self.spec)

    def log_likelihood(self, examples: Tensor, latents: Tensor) -> Tensor:
        """Log p(x|z) in nats, (N,)."""
        log_scale = None if self.log_scale is None else _SCALE_SPEED * self.log_scale
        return self.config.likelihood.log_prob(examples, self.decoder(latents), log_scale, self.spec)

    def bound(self, examples: Tensor, noise: Noise, samples: int) -> Tensor:
        """A lower bound of log p(x) in nats, (N,); importance-weighted where there are several samples."""
        mean, log_variance = self.posterior(examples)
        draws = noise.normal(samples, self.config.latent)
        return lower_bound(partial(self.log_likelihood, examples), mean, log_variance, draws)

    def variational_loss(self, batch: Batch) -> Losses:
        """The negative bound: what a variational autoencoder minimises."""
        mean, log_variance = self.posterior(batch.data)
        latents = draw_latents(mean, log_variance, batch.noise.normal(self.config.latent))
        return {
            "reconstruction": -self.log_likelihood(batch.data, latents).mean(),
            "divergence": self._beta(batch) * normal_divergence(mean, log_variance).mean(),
        }

    def plain_loss(self, batch: Batch) -> Losses:
        """Reconstruction alone, through the posterior mean: an ordinary autoencoder."""
        mean, _ = self.posterior(batch.data)
        return {"reconstruction": -self.log_likelihood(batch.data, mean).mean()}

    def phase(self, *, variational: bool = True) -> Phase:
        """The one move of the one player."""
        player = Player(
            name="autoencoder",
            parameters=list(self.parameters()),
            optimiser=Adam(learning_rate=self.config.autoencoder_learning_rate, warmup_steps=50, final_share=0.1),
        )
        loss = self.variational_loss if variational else self.plain_loss
        return Phase(name="autoencoder", player=player, loss=loss)

    def _beta(self, batch: Batch) -> float:
        warmup = self.config.beta_warmup
        return self.config.beta * (min(1.0, batch.progress / warmup) if warmup else 1.0)


def mean_and_log_variance(output: Tensor) -> tuple[Tensor, Tensor]:
    """The two halves of an encoder's output (N, 2 * latent, ...), kept finite."""
    mean, log_variance = output.float().chunk(2, 1)
    return mean, log_variance.clamp(-_LARGEST_LOG_VARIANCE, _LARGEST_LOG_VARIANCE)


def draw_latents(mean: Tensor, log_variance: Tensor, draw: Tensor) -> Tensor:
    """Latents from a diagonal normal distribution, differentiable in its mean and log variance."""
    # Reparameterisation: arXiv 1312.6114, section 2.4.
    return mean + torch.exp(0.5 * log_variance) * draw


def normal_distribution(mean: Tensor, log_variance: Tensor) -> Independent:
    """A diagonal normal distribution of latents, from mean and log variance (N, latent)."""
    return Independent(Normal(mean, torch.exp(0.5 * log_variance)), 1)


def lower_bound(
    log_likelihood: Callable[[Tensor], Tensor], mean: Tensor, log_variance: Tensor, draws: Tensor
) -> Tensor:
    """A lower bound of log p(x) in nats, (N,): importance-weighted where there are several draws.

    Args:
        log_likelihood: From latents (N, latent) to log p(x|z), (N,).
        mean: Of q(z|x), (N, latent).
        log_variance: Of q(z|x), (N, latent).
        draws: Of a standard normal distribution, (N, samples, latent).
    """
    if draws.shape[1] == 1:
        likelihood = log_likelihood(draw_latents(mean, log_variance, draws[:, 0]))
        return evidence_bound(likelihood, normal_divergence(mean, log_variance))

    def weight(draw: Tensor) -> Tensor:
        """Log p(x, z) - log q(z|x)."""
        latents = draw_latents(mean, log_variance, draw)
        prior = normal_log_prob(latents, torch.zeros_like(mean), torch.zeros_like(mean))
        return log_likelihood(latents) + prior - normal_log_prob(latents, mean, log_variance)

    return importance_weighted_bound(torch.stack([weight(draw) for draw in draws.unbind(1)]))
