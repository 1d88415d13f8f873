"""KL-regularised autoencoder: the first stage of latent diffusion, with a prior that is drawn vector by vector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from annotated_types import Ge
from torch import Tensor

from tvir.contracts.data import ImageSpec
from tvir.contracts.model import Batch, Losses
from tvir.contracts.noise import Noise
from tvir.models.hybrid.first_stage import WrittenPriorConfig, as_places, as_sequence
from tvir.models.hybrid.latent_sequence import VectorTransformer
from tvir.models.hybrid.normal_first_stage import NormalFirstStage, NormalFirstStageConfig


class KlAutoencoder(NormalFirstStage):
    """An autoencoder of images whose latents are hardly held to a normal prior, and a transformer that writes them.

    The divergence only keeps latents in range; which of them are likely is learned in a second stage, by a transformer
    with mixtures of normal distributions (Tschannen et al. 2023, GIVT, arXiv 2312.02116) where the paper has a
    diffusion model, as ``latent-diffusion`` does.

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
    class Config(NormalFirstStageConfig, WrittenPriorConfig):
        """Settings of a KL-regularised autoencoder."""

        components: Annotated[int, Ge(1)] = 8
        """Normal distributions in a mixture of the prior."""

    config: Config
    paper = "Rombach et al. 2022, High-Resolution Image Synthesis with Latent Diffusion Models, arXiv 2112.10752"

    def __init__(self, spec: ImageSpec, config: Config) -> None:
        super().__init__(spec, config)
        config.check_heads()
        height, width = self.size
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

    def sample_prior(self, noise: Noise, condition: Tensor | None = None) -> Tensor:
        return self.unit.inverse(as_places(self.transformer.generate(noise), self.size))

    def prior_loss(self, batch: Batch) -> Losses:
        with torch.no_grad():
            sequences = as_sequence(self.unit(self.draw_latents(batch)))
        read = self.config.corrupted(sequences, batch.noise.normal(*sequences.shape[1:]), batch.noise)
        return {"negative_log_likelihood": -self.transformer.log_prob(sequences, read).mean() / sequences.shape[1]}
