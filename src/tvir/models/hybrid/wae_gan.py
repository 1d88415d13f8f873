"""Wasserstein autoencoder with an adversarial penalty of its latents."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from tvir.contracts.model import Batch
from tvir.models.hybrid.latent_game import LatentGame, LatentGameConfig


class WaeGan(LatentGame):
    """A deterministic autoencoder: the squared error as cost of transport, and a game as penalty of the latents.

    Algorithm 1 of the paper, with its non-saturating penalty. Each example has one latent, so latents need not overlap
    and reconstructions stay sharp.

    Args:
        spec: Images or vectors.
        config: The settings.

    Example:
        >>> from tvir.contracts.data import VectorSpec
        >>> wae = WaeGan(VectorSpec(features=2), WaeGan.smallest())
        >>> wae.reconstruct(wae.sample(3)).shape
        torch.Size([3, 2])
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(LatentGameConfig):
        """Settings of a WAE-GAN."""

    config: Config
    paper = "Tolstikhin et al. 2018, Wasserstein Auto-Encoders, arXiv 1711.01558"
    is_certain = True

    @classmethod
    def smallest(cls) -> Config:
        return cls.Config(width=2, latent=2, batch_size=4)

    def draw_posterior(self, batch: Batch) -> Tensor:
        return self.encoder(batch.data).float()
