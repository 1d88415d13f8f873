"""A first stage whose latents are hardly held to a normal prior."""

from __future__ import annotations

import math
from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import torch
from annotated_types import Ge
from torch import Tensor
from torch.distributions import Independent, Normal

from tvir.contracts.data import Examples, ImageSpec
from tvir.contracts.model import Batch, evaluating
from tvir.models.hybrid.first_stage import FirstStage, FirstStageConfig
from tvir.models.standardising import Standardiser
from tvir.models.vae.autoencoding import draw_latents, mean_and_log_variance
from tvir.objectives.divergences import normal_divergence


@dataclass(frozen=True, kw_only=True)
class NormalFirstStageConfig(FirstStageConfig):
    """Settings of a first stage with normal posteriors."""

    beta: Annotated[float, Ge(0)] = 0.01
    """Weight of the divergence from the normal prior, per pixel as the reconstruction is."""


class NormalFirstStage(FirstStage, ABC):
    """The divergence only keeps latents in range; which of them are likely is learned in the second stage.

    Rombach et al. 2022, Latent Diffusion Models, arXiv 2112.10752, section 3.1. The paper's perceptual term is replaced
    by the absolute error, so that no weights trained elsewhere take part.

    Args:
        spec: Images.
        config: The settings.

    Raises:
        UsageError: The critic's weights are to be normalised, which this one's cannot be.
    """

    def __init__(self, spec: ImageSpec, config: NormalFirstStageConfig) -> None:
        super().__init__(spec, config, 2 * config.latent)
        # Per pixel, as the reconstruction is.
        self._weight = config.beta / math.prod(spec.shape)
        self.unit = Standardiser(config.latent, places=2)

    def encode(self, examples: Tensor, condition: Tensor | None = None) -> Independent:
        mean, log_variance = self.posterior(examples)
        return Independent(Normal(mean, torch.exp(0.5 * log_variance)), 3)

    def posterior(self, examples: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of q(z|x), (N, *latent_shape) each."""
        return mean_and_log_variance(self.encoder(examples))

    def compress(self, batch: Batch) -> tuple[Tensor, Mapping[str, Tensor]]:
        mean, log_variance = self.posterior(batch.data)
        divergence = self._weight * normal_divergence(mean, log_variance).mean()
        return self._drawn(mean, log_variance, batch), {"divergence": divergence}

    def draw_latents(self, batch: Batch) -> Tensor:
        return self._drawn(*self.posterior(batch.data), batch)

    def prepare_prior(self, examples: Examples) -> None:
        with evaluating(self):
            self.unit.measure(examples, lambda part: self.posterior(part)[0])

    def _drawn(self, mean: Tensor, log_variance: Tensor, batch: Batch) -> Tensor:
        return draw_latents(mean, log_variance, batch.noise.normal(*self.latent_shape))
