"""Latent diffusion: images are compressed first, and diffusion learns which of the compressed are likely."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import torch
from annotated_types import Ge
from torch import Tensor

from tvir.contracts.data import ImageSpec
from tvir.contracts.model import Batch, Losses, SamplesInSteps
from tvir.contracts.noise import Noise
from tvir.contracts.third_party import need
from tvir.models.hybrid.normal_first_stage import NormalFirstStage, NormalFirstStageConfig
from tvir.networks.denoising import ImageDenoiser
from tvir.objectives.diffusing import DpmSolver, Edm, Parametrisation, Sampler, diffuse

need("diffusers")


class LatentDiffusion(NormalFirstStage, SamplesInSteps):
    """The first stage of ``kl-autoencoder``, and diffusion in its latents as the second.

    What was learned in the first stage stays as it is; its latents are brought to mean 0 and variance 1, per channel,
    as measured on the training split.

    Args:
        spec: Images.
        config: The settings.

    Example:
        >>> model = LatentDiffusion(ImageSpec(channels=1, height=8, width=8), LatentDiffusion.smallest())
        >>> model.reconstruct(model.sample(3)).shape
        torch.Size([3, 1, 8, 8])
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(NormalFirstStageConfig):
        """Settings of latent diffusion."""

        prior_width: Annotated[int, Ge(1)] = 128
        """Size of the denoiser: its channels where latents are 16 places wide, fewer where they are fewer."""
        parametrisation: Parametrisation = field(default_factory=Edm)
        """What the denoiser is asked for, and at which noise levels."""
        sampler: Sampler = field(default_factory=DpmSolver)
        """How noise becomes latents."""
        steps: Annotated[int, Ge(1)] = 20
        """Steps that a sample takes, each with one call of the denoiser, or two with heun."""

    config: Config
    paper = "Rombach et al. 2022, High-Resolution Image Synthesis with Latent Diffusion Models, arXiv 2112.10752"

    def __init__(self, spec: ImageSpec, config: Config) -> None:
        super().__init__(spec, config)
        self.steps = config.steps
        self.denoiser = ImageDenoiser(*self.latent_shape, dial=config.prior_width)

    @classmethod
    def smallest(cls) -> Config:
        return cls.Config(width=2, latent=2, batch_size=4, prior_width=2, steps=3)

    @property
    def prior(self) -> ImageDenoiser:
        return self.denoiser

    def sample_prior(self, noise: Noise, condition: Tensor | None = None) -> Tensor:
        def denoise(noisy: Tensor, level: float) -> Tensor:
            return self.config.parametrisation.denoise(self.denoiser, noisy, level)

        levels = self.config.parametrisation.levels(self.steps)
        return self.unit.inverse(diffuse(self.config.sampler, denoise, levels, self.latent_shape, noise))

    def prior_loss(self, batch: Batch) -> Losses:
        with torch.no_grad():
            latents = self.unit(self.draw_latents(batch))
        return {"denoising": self.config.parametrisation.loss(self.denoiser, latents, batch.noise)}
