"""An encoder and a decoder around a normal prior, for every hybrid that has them."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import torch
from annotated_types import Ge, Gt
from torch import Tensor
from torch.distributions import Independent, Normal

from tvir.contracts.data import DataSpec, ImageSpec, VectorSpec
from tvir.contracts.model import EncodesData, SizedConfig
from tvir.contracts.noise import Noise
from tvir.models.vae.autoencoding import mean_and_log_variance
from tvir.networks.building import networks_for
from tvir.networks.normalisation import Normalisation, Unnormalised


@dataclass(frozen=True, kw_only=True)
class CodingConfig(SizedConfig):
    """Settings of every hybrid with an encoder and a decoder."""

    batch_size: Annotated[int, Ge(1)] = 64
    """Examples per step, over all processes."""
    latent: Annotated[int, Ge(1)] = 32
    """Numbers in a latent."""
    normalisation: Normalisation = field(default_factory=Unnormalised)
    """Layer before each activation of the decoder."""
    encoder_learning_rate: Annotated[float, Gt(0)] = 1e-3
    """Step size of the encoder."""
    decoder_learning_rate: Annotated[float, Gt(0)] = 1e-3
    """Step size of the decoder."""


class CodesData(EncodesData, ABC):
    """A model whose latents are normal before they are decoded, and points or normal distributions once encoded.

    Args:
        spec: Images or vectors.
        config: The settings.
    """

    specs = (ImageSpec, VectorSpec)
    is_certain: ClassVar[bool] = False
    """Whether an example has one latent, rather than a distribution over latents."""

    def __init__(self, spec: DataSpec, config: CodingConfig) -> None:
        super().__init__(spec, config)
        self._latent = config.latent
        networks = networks_for(spec, config.width)
        self.encoder = networks.encoder(config.latent if self.is_certain else 2 * config.latent)
        self.decoder = networks.decoder(config.latent, 1, config.normalisation)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self._latent,)

    def sample_prior(self, noise: Noise, condition: Tensor | None = None) -> Tensor:
        return noise.normal(*self.latent_shape)

    def decode(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.spec.bounded(self.decoder(latents))

    def encode(self, examples: Tensor, condition: Tensor | None = None) -> Independent:
        if self.is_certain:
            return certain(self.encoder(examples).float())
        mean, log_variance = self.posterior(examples)
        return Independent(Normal(mean, torch.exp(0.5 * log_variance)), 1)

    def posterior(self, examples: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of q(z|x), (N, latent) each; for a model that is not certain."""
        return mean_and_log_variance(self.encoder(examples))


def certain(latents: Tensor) -> Independent:
    """The distribution of a latent that is known: a normal one without any spread, (N, ...)."""
    spread = torch.zeros_like(latents)
    return Independent(Normal(latents, spread, validate_args=False), latents.dim() - 1, validate_args=False)


def squared_error(examples: Tensor, reconstructions: Tensor) -> Tensor:
    """|x - x'|^2 / 2 for each example, (N,): -log p(x|z) in nats up to a constant, with a variance of 1."""
    return 0.5 * (examples.float() - reconstructions.float()).square().flatten(1).sum(1)
