"""Variational autoencoder: posterior x prior x likelihood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import Independent

from tvir.contracts.data import DataSpec, ImageSpec, VectorSpec
from tvir.contracts.diagram import Arrow, Box, Diagram, Role
from tvir.contracts.model import EncodesData, HasLatentDensity, Measure, Stage, evaluating
from tvir.contracts.noise import Noise
from tvir.models.vae.autoencoding import Autoencoder, AutoencodingConfig
from tvir.networks.building import networks_for
from tvir.networks.normalisation import Unnormalised
from tvir.objectives.elbo import normal_log_prob


class Vae(EncodesData, HasLatentDensity):
    """An encoder and a decoder that together bound the likelihood of the data.

    Samples are the means of p(x|z): its own noise is not added.

    Args:
        spec: Images or vectors.
        config: The settings.

    Raises:
        UsageError: The likelihood does not describe such data.

    Example:
        >>> from tvir.contracts.data import VectorSpec
        >>> vae = Vae(VectorSpec(features=2), Vae.smallest())
        >>> vae.reconstruct(vae.sample(3)).shape
        torch.Size([3, 2])
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(AutoencodingConfig):
        """Settings of a VAE."""

    config: Config
    paper = "Kingma and Welling 2014, Auto-Encoding Variational Bayes, arXiv 1312.6114"
    specs = (ImageSpec, VectorSpec)

    def __init__(self, spec: DataSpec, config: Config) -> None:
        super().__init__(spec, config)
        networks = networks_for(spec, config.width, config.network)
        decoder = networks.decoder(config.latent, config.likelihood.outputs, Unnormalised())
        self.autoencoder = Autoencoder(spec, networks, decoder, config)

    @classmethod
    def smallest(cls) -> Config:
        return cls.Config(width=2, latent=2, batch_size=4)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.latent,)

    def sample_prior(self, noise: Noise, condition: Tensor | None = None) -> Tensor:
        return noise.normal(*self.latent_shape)

    def decode(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.autoencoder.decode(latents)

    def encode(self, examples: Tensor, condition: Tensor | None = None) -> Independent:
        return self.autoencoder.encode(examples)

    @property
    def measure(self) -> Measure:
        return self.config.likelihood.measure(self.spec)

    def log_prior(self, latents: Tensor) -> Tensor:
        return normal_log_prob(latents, torch.zeros_like(latents), torch.zeros_like(latents))

    def log_likelihood(self, examples: Tensor, latents: Tensor) -> Tensor:
        return self.autoencoder.log_likelihood(examples, latents)

    def elbo(self, examples: Tensor, noise: Noise, samples: int = 1) -> Tensor:
        with evaluating(self):
            return self.autoencoder.bound(examples, noise, samples)

    def stages(self) -> Sequence[Stage]:
        return [Stage(name="autoencoding", phases=[self.autoencoder.phase()])]

    def diagram(self) -> Diagram:
        return Diagram(
            boxes=[
                Box(name="data", role=Role.DATA),
                Box(name="encoder", role=Role.NETWORK, module=self.autoencoder.encoder),
                Box(name="posterior", role=Role.DISTRIBUTION),
                Box(name="latent", role=Role.SAMPLE),
                Box(name="decoder", role=Role.NETWORK, module=self.autoencoder.decoder),
                Box(name="reconstruction", role=Role.SAMPLE),
            ],
            arrows=[
                Arrow("data", "encoder"),
                Arrow("encoder", "posterior"),
                Arrow("posterior", "latent"),
                Arrow("latent", "decoder"),
                Arrow("decoder", "reconstruction"),
            ],
        )
