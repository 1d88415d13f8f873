"""A causal transformer over the numbers of an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge
from torch import Tensor

from tvir.contracts.data import ImageSpec
from tvir.contracts.errors import UsageError
from tvir.contracts.noise import Noise
from tvir.models.autoregressive.pixels import PixelsConfig, WritesPixels
from tvir.networks.transformer import TokenTransformer

_LONGEST = 1024
"""Numbers in an image: the attention of one layer to so many is 4 MB for each head and example."""


class PixelTransformer(WritesPixels):
    """Writes images number by number with a network in GPT-2's manner, which looks back at all that it has written.

    Keys and values of what has been written are kept, so that a sample reads each number once.

    Args:
        spec: Images of at most 1,024 numbers, all channels counted.
        config: The settings.

    Raises:
        UsageError: The images are larger.

    Example:
        >>> transformer = PixelTransformer(ImageSpec(channels=1, height=8, width=8), PixelTransformer.smallest())
        >>> transformer.log_prob(transformer.sample(3)).shape
        torch.Size([3])
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(PixelsConfig):
        """Settings of a transformer over pixels."""

        width: Annotated[int, Ge(1)] = 16
        """Features of a position for each head."""
        layers: Annotated[int, Ge(1)] = 3
        """Blocks of attention and perceptron."""
        heads: Annotated[int, Ge(1)] = 4
        """Attentions side by side in each block."""

    config: Config
    paper = "Chen et al. 2020, Generative Pretraining from Pixels (Image GPT), ICML 2020"

    def __init__(self, spec: ImageSpec, config: Config) -> None:
        super().__init__(spec, config)
        numbers = self.rows * self.across
        if numbers > _LONGEST:
            raise UsageError(
                f"images of {spec.height}x{spec.width} with {spec.channels} channels have {numbers:,} numbers, and a "
                f"transformer over pixels takes at most {_LONGEST:,}; use a smaller --size, or pixel-cnn"
            )
        features = config.width * config.heads
        self.transformer = TokenTransformer(config.levels, numbers, features, config.layers, config.heads)

    @classmethod
    def smallest(cls) -> Config:
        return cls.Config(width=2, layers=1, heads=2, levels=4, batch_size=4)

    @property
    def network(self) -> TokenTransformer:
        return self.transformer

    def logits(self, levels: Tensor) -> Tensor:
        return self.transformer(levels)

    def write(self, noise: Noise) -> Tensor:
        return self.transformer.generate(noise)
