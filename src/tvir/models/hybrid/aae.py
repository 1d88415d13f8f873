"""Adversarial autoencoder: a critic of latents in place of the divergence."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from tvir.contracts.model import Batch
from tvir.models.hybrid.latent_game import LatentGame, LatentGameConfig
from tvir.models.vae.autoencoding import draw_latents


class Aae(LatentGame):
    """An autoencoder with a normal posterior whose aggregate a critic holds to the prior.

    Unlike a VAE's divergence, which pulls the posterior of every example to the prior, the game is about all latents
    together.

    Args:
        spec: Images or vectors.
        config: The settings.

    Example:
        >>> from tvir.contracts.data import VectorSpec
        >>> aae = Aae(VectorSpec(features=2), Aae.smallest())
        >>> aae.reconstruct(aae.sample(3)).shape
        torch.Size([3, 2])
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(LatentGameConfig):
        """Settings of an adversarial autoencoder."""

    config: Config
    paper = "Makhzani et al. 2015, Adversarial Autoencoders, arXiv 1511.05644"

    @classmethod
    def smallest(cls) -> Config:
        return cls.Config(width=2, latent=2, batch_size=4)

    def draw_posterior(self, batch: Batch) -> Tensor:
        mean, log_variance = self.posterior(batch.data)
        return draw_latents(mean, log_variance, batch.noise.normal(*self.latent_shape))
