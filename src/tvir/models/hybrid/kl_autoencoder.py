"""KL-regularised autoencoder: the first stage of latent diffusion, with a prior that is drawn vector by vector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from annotated_types import Ge
from torch import Tensor
from torch.distributions import Independent, Normal

from tvir.contracts.data import Examples, ImageSpec
from tvir.contracts.model import Batch, Losses, evaluating
from tvir.contracts.noise import Noise
from tvir.models.hybrid.first_stage import FirstStage, FirstStageConfig, as_places, as_sequence
from tvir.models.hybrid.latent_sequence import VectorTransformer
from tvir.models.standardising import Standardiser
from tvir.models.vae.autoencoding import draw_latents, mean_and_log_variance
from tvir.objectives.divergences import normal_divergence


class KlAutoencoder(FirstStage):
    """An autoencoder of images whose latents are hardly held to a normal prior, and a transformer that writes them.

    The divergence only keeps latents in range; which of them are likely is learned in a second stage, by a transformer
    with mixtures of normal distributions (Tschannen et al. 2023, GIVT, arXiv 2312.02116) where the paper has a
    diffusion model. The paper's perceptual term is replaced by the absolute error, so that no weights trained elsewhere
    take part.

    Args:
        spec: Images.
        config: The settings.

    Raises:
        UsageError: The heads do not divide the prior's width.

    Example:
        >>> autoencoder = KlAutoencoder(ImageSpec(channels=1, height=8, width=8), KlAutoencoder.smallest())
        >>> autoencoder.reconstruct(autoencoder.sample(3)).shape
        torch.Size([3, 1, 8, 8])
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(FirstStageConfig):
        """Settings of a KL-regularised autoencoder."""

        beta: Annotated[float, Ge(0)] = 0.01
        """Weight of the divergence from the normal prior, per pixel as the reconstruction is."""
        components: Annotated[int, Ge(1)] = 8
        """Normal distributions in a mixture of the prior."""

    config: Config
    paper = "Rombach et al. 2022, High-Resolution Image Synthesis with Latent Diffusion Models, arXiv 2112.10752"

    def __init__(self, spec: ImageSpec, config: Config) -> None:
        super().__init__(spec, config, 2 * config.latent)
        height, width = self.size
        self.numbers = int(np.prod(spec.shape))
        self.unit = Standardiser(config.latent, places=2)
        self.transformer = VectorTransformer(
            config.latent,
            height * width,
            config.prior_width,
            config.prior_layers,
            config.prior_heads,
            config.components,
        )

    @classmethod
    def smallest(cls) -> Config:
        return cls.Config(width=2, latent=2, components=2, batch_size=4, prior_width=4, prior_layers=1, prior_heads=2)

    @property
    def prior(self) -> VectorTransformer:
        return self.transformer

    def encode(self, examples: Tensor, condition: Tensor | None = None) -> Independent:
        mean, log_variance = self.posterior(examples)
        return Independent(Normal(mean, torch.exp(0.5 * log_variance)), 3)

    def posterior(self, examples: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of q(z|x), (N, *latent_shape) each."""
        return mean_and_log_variance(self.encoder(examples))

    def sample_prior(self, noise: Noise, condition: Tensor | None = None) -> Tensor:
        return self.unit.inverse(as_places(self.transformer.generate(noise), self.size))

    def compress(self, batch: Batch) -> tuple[Tensor, Mapping[str, Tensor]]:
        mean, log_variance = self.posterior(batch.data)
        divergence = self.config.beta / self.numbers * normal_divergence(mean, log_variance).mean()
        return self._drawn(mean, log_variance, batch), {"divergence": divergence}

    def draw_latents(self, batch: Batch) -> Tensor:
        return self._drawn(*self.posterior(batch.data), batch)

    def prepare_prior(self, examples: Examples) -> None:
        with evaluating(self):
            self.unit.measure(examples, lambda part: self.posterior(part)[0])

    def prior_loss(self, batch: Batch) -> Losses:
        with torch.no_grad():
            sequences = as_sequence(self.unit(self.draw_latents(batch)))
        read = self.corrupted(sequences, batch.noise.normal(*sequences.shape[1:]), batch.noise)
        return {"negative_log_likelihood": -self.transformer.log_prob(sequences, read).mean() / sequences.shape[1]}

    def _drawn(self, mean: Tensor, log_variance: Tensor, batch: Batch) -> Tensor:
        return draw_latents(mean, log_variance, batch.noise.normal(*self.latent_shape))
