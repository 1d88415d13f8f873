"""VQGAN: images as sequences of codes, with a critic of patches and a transformer as prior."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import torch
import torch.nn.functional as F
from annotated_types import Ge, Interval
from torch import Tensor
from torch.distributions import Independent

from tvir.contracts.data import ImageSpec
from tvir.contracts.model import Batch, Losses
from tvir.contracts.noise import Noise
from tvir.models.hybrid.coding import certain
from tvir.models.hybrid.first_stage import FirstStage, WrittenPriorConfig, as_places, as_sequence
from tvir.networks.quantisation import Codebook
from tvir.networks.transformer import TokenTransformer


class Vqgan(FirstStage):
    """An autoencoder whose latents are codes of a book, and a transformer that writes them.

    The codebook follows the encoder by moving averages and uses all its codes; the paper's perceptual term is replaced
    by the absolute error, so that no weights trained elsewhere take part.

    Args:
        spec: Images.
        config: The settings.

    Raises:
        UsageError: The heads do not divide the prior's width.

    Example:
        >>> vqgan = Vqgan(ImageSpec(channels=1, height=8, width=8), Vqgan.smallest())
        >>> vqgan.reconstruct(vqgan.sample(3)).shape
        torch.Size([3, 1, 8, 8])
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(WrittenPriorConfig):
        """Settings of a VQGAN."""

        latent: Annotated[int, Ge(1)] = 8
        """Numbers in a code."""
        codes: Annotated[int, Ge(2)] = 256
        """Codes in the book."""
        codebook_decay: Annotated[float, Interval(ge=0.0, lt=1.0)] = 0.98
        """Share of the past that a step leaves in the averages that the codes are."""
        commitment: Annotated[float, Ge(0)] = 0.25
        """Weight of the encoder's distance from the codes; called beta in the paper."""

    config: Config
    paper = "Esser et al. 2021, Taming Transformers for High-Resolution Image Synthesis, arXiv 2012.09841"

    def __init__(self, spec: ImageSpec, config: Config) -> None:
        super().__init__(spec, config, config.latent)
        config.check_heads()
        self.codebook = Codebook(config.codes, config.latent, config.codebook_decay)
        height, width = self.size
        self.transformer = TokenTransformer(
            config.codes, height * width, config.prior_width, config.prior_layers, config.prior_heads
        )

    @classmethod
    def smallest(cls) -> Config:
        return cls.Config(width=2, latent=2, codes=4, batch_size=4, prior_width=4, prior_layers=1, prior_heads=2)

    @property
    def prior(self) -> TokenTransformer:
        return self.transformer

    def encode(self, examples: Tensor, condition: Tensor | None = None) -> Independent:
        return certain(self.quantised(self.codes_of(examples)))

    def sample_prior(self, noise: Noise, condition: Tensor | None = None) -> Tensor:
        return self.quantised(self.transformer.generate(noise))

    def codes_of(self, examples: Tensor) -> Tensor:
        """The codes of each example, row by row, (N, places)."""
        rows = as_sequence(self.encoder(examples).float())
        return self.codebook.nearest(rows.flatten(0, 1)).view(rows.shape[:2])

    def quantised(self, codes: Tensor) -> Tensor:
        """Latents that hold codes (N, places)."""
        return as_places(self.codebook.vectors[codes], self.size)

    def compress(self, batch: Batch) -> tuple[Tensor, Mapping[str, Tensor]]:
        latents = self.encoder(batch.data).float()
        sequence = as_sequence(latents)
        rows = sequence.detach().flatten(0, 1)
        quantised = self.quantised(self.codebook.nearest(rows).view(sequence.shape[:2]))
        self.codebook.learn(rows, batch.noise.uniform(sequence.shape[1]).flatten())
        commitment = self.config.commitment * (latents - quantised).square().mean()
        # The gradient passes straight through: arXiv 1711.00937, section 3.2.
        return latents + (quantised - latents).detach(), {"commitment": commitment}

    def draw_latents(self, batch: Batch) -> Tensor:
        return self.quantised(self.codes_of(batch.data))

    def prior_loss(self, batch: Batch) -> Losses:
        with torch.no_grad():
            codes = self.codes_of(batch.data)
        drawn = batch.noise.integers(self.config.codes, codes.shape[1])
        logits = self.transformer(self.config.corrupted(codes, drawn, batch.noise)).float()
        return {"cross_entropy": F.cross_entropy(logits.flatten(0, 1), codes.flatten())}
