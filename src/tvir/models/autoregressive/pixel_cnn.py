"""Gated PixelCNN: convolutions that see only the pixels before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from annotated_types import Ge
from torch import Tensor

from tvir.contracts.data import ImageSpec
from tvir.contracts.noise import Noise
from tvir.models.autoregressive.pixels import PixelsConfig, WritesPixels
from tvir.networks.gated_convolution import CausalConvolutions, Sight
from tvir.networks.transformer import chosen


class PixelCnn(WritesPixels):
    """Writes images pixel by pixel, with the exact probability of each given those before it.

    The channels of a pixel are numbers side by side, so green is given red as any number is given those before it.
    Layers are dilated and told where in the image they are, which the paper's larger networks do without. What has been
    seen is kept while an image is written: a sample takes as many calls as it has numbers, and as much work as one
    reading.

    Args:
        spec: Images.
        config: The settings.

    Example:
        >>> pixel_cnn = PixelCnn(ImageSpec(channels=1, height=8, width=8), PixelCnn.smallest())
        >>> pixel_cnn.log_prob(pixel_cnn.sample(3)).shape
        torch.Size([3])
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(PixelsConfig):
        """Settings of a PixelCNN."""

        width: Annotated[int, Ge(1)] = 24
        """Channels of features."""
        layers: Annotated[int, Ge(1)] = 6
        """Gated layers; each three reach seven pixels further."""

    config: Config
    paper = "van den Oord et al. 2016, Conditional Image Generation with PixelCNN Decoders, arXiv 1606.05328"

    def __init__(self, spec: ImageSpec, config: Config) -> None:
        super().__init__(spec, config)
        self.convolutions = CausalConvolutions(
            self.rows, self.across, spec.channels, config.width, config.layers, config.levels
        )

    @classmethod
    def smallest(cls) -> Config:
        return cls.Config(width=2, layers=1, batch_size=4)

    @property
    def network(self) -> CausalConvolutions:
        return self.convolutions

    def logits(self, levels: Tensor) -> Tensor:
        return self.convolutions(self._numbers(levels).view(-1, 1, self.rows, self.across)).flatten(2).transpose(1, 2)

    def write(self, noise: Noise) -> Tensor:
        count = self.rows * self.across
        shares, sight = noise.uniform(count), Sight()
        levels = [torch.zeros(noise.count, 1, dtype=torch.int64, device=shares.device)]
        for place in range(count):
            logits = self.convolutions(self._numbers(levels[-1])[:, :, None, None], sight)
            levels.append(chosen(logits[:, :, 0, 0], shares[:, place : place + 1]))
        return torch.cat(levels[1:], 1)

    def _numbers(self, levels: Tensor) -> Tensor:
        """Levels as numbers between -1 and 1."""
        return levels.float() * (2 / (self.config.levels - 1)) - 1
