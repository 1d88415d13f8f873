"""Networks for images of any size and shape."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tvir.networks.mlp import SLOPE, scaled
from tvir.networks.normalisation import Normalisation, Unnormalised, normalised
from tvir.networks.trunk import Trunk

_COARSEST = 7
"""Features are halved until no side is longer than this."""

_FINEST = 16
"""Images with a longer side have their finest features at half their resolution, where most of the cost would be."""

_FULL = 16
"""Features whose longer side is about this long have as many channels as the size dial says."""

Size = tuple[int, int]


def feature_sizes(height: int, width: int) -> list[Size]:
    """The sizes of the features of an image, from the finest to the coarsest, each half (rounded up) of the last.

    Example:
        >>> feature_sizes(28, 28), feature_sizes(8, 12)
        ([(14, 14), (7, 7)], [(8, 12), (4, 6)])
    """
    size = (height, width)
    sizes = [halved(size) if max(size) > _FINEST else size]
    while max(sizes[-1]) > _COARSEST:
        sizes.append(halved(sizes[-1]))
    return sizes


def halved(size: Size) -> Size:
    """Half of a size, rounded up; sides of at most 7 are kept."""
    height, width = (side if side <= _COARSEST else -(-side // 2) for side in size)
    return height, width


def finest_channels(height: int, width: int, dial: int) -> int:
    """Channels of the finest features of an image.

    They double with each halving, so every level of a large image costs about as much as any other. An image with no
    side as long as 16 pixels has less to show, and gets proportionally fewer.

    Args:
        height: Of the image.
        width: Of the image.
        dial: Channels of features about 16 pixels wide.

    Example:
        >>> finest_channels(28, 28, 32), finest_channels(48, 48, 32), finest_channels(8, 8, 32)
        (32, 16, 16)
    """
    share = Fraction(min(max(height, width), _FULL), _FULL)
    doublings = max(0, math.ceil(math.log2(max(feature_sizes(height, width)[0]) / _FULL)))
    return max(1, math.ceil(dial * share / 2**doublings))


def channels_at(level: int, size: int) -> int:
    """Channels after ``level`` halvings of the finest features, which have ``size``."""
    return size * 2**level


def convolution(inputs: int, outputs: int, stride: Size = (1, 1), gain: float = 1.0) -> nn.Conv2d:
    """A 3x3 convolution whose output has each side divided by the stride and rounded up."""
    layer = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1)
    scaled(layer, gain)
    return layer


class ResidualBlock(nn.Module):
    """Adds to its input what a convolution makes of it: nothing at first.

    A branch that starts from zero keeps features in range without normalisation (Zhang et al. 2019, Fixup,
    arXiv 1901.09321; in GANs: Huang et al. 2024, R3GAN, arXiv 2501.05441).

    Args:
        channels: Of input and output.
        normalisation: Layer before the activation.
    """

    def __init__(self, channels: int, normalisation: Normalisation | None = None) -> None:
        super().__init__()
        self.normalise = (normalisation or Unnormalised()).layer(channels)
        self.convolve = convolution(channels, channels, gain=0.0)

    def forward(self, features: Tensor, condition: Tensor | None = None) -> Tensor:
        return features + self.convolve(F.leaky_relu(normalised(self.normalise, features, condition), SLOPE))


class ImageTrunk(Trunk):
    """Reads images: the part that an encoder and a discriminator share.

    Args:
        channels: Of the image.
        height: Of the image.
        width: Of the image.
        size: Channels of the finest features; they double with each halving.
    """

    def __init__(self, channels: int, height: int, width: int, size: int) -> None:
        super().__init__()
        sizes = feature_sizes(height, width)
        self.stem = convolution(channels, size, stride((height, width), sizes[0]))
        self.levels = nn.ModuleList([ResidualBlock(size)])
        for level, (larger, smaller) in enumerate(pairwise(sizes)):
            wide, wider = channels_at(level, size), channels_at(level + 1, size)
            shrink = convolution(wide, wider, stride(larger, smaller))
            self.levels.append(nn.Sequential(nn.LeakyReLU(SLOPE), shrink, ResidualBlock(wider)))
        self.features = channels_at(len(sizes) - 1, size) * sizes[-1][0] * sizes[-1][1]

    def forward(self, images: Tensor) -> Tensor:
        features = self.stem(images)
        for level in self.levels:
            features = level(features)
        # Flat first: the gradient then lies in memory as what it is multiplied with does.
        return F.leaky_relu(features.flatten(1), SLOPE)


class ImageDecoder(nn.Module):
    """Writes images from latents: each level convolves, then is resized to exactly the next size.

    Args:
        latent: Length of a latent; or a layer from latents of another shape to the coarsest features.
        channels: Of the output.
        height: Of the output.
        width: Of the output.
        size: Channels of the finest features.
        normalisation: Layer before each activation.
    """

    def __init__(
        self,
        latent: int | nn.Module,
        channels: int,
        height: int,
        width: int,
        size: int,
        normalisation: Normalisation,
    ) -> None:
        super().__init__()
        self.sizes = feature_sizes(height, width)[::-1]
        self.image_size = (height, width)
        top = len(self.sizes) - 1
        self.smallest = (channels_at(top, size), *self.sizes[0])
        is_layer = isinstance(latent, nn.Module)
        self.input = latent if is_layer else scaled(nn.Linear(latent, math.prod(self.smallest)))
        self.blocks = nn.ModuleList(
            ResidualBlock(channels_at(level, size), normalisation) for level in range(top, -1, -1)
        )
        self.normalisations = nn.ModuleList(
            normalisation.layer(channels_at(level, size)) for level in range(top, -1, -1)
        )
        self.narrowings = nn.ModuleList(
            convolution(channels_at(level, size), channels_at(level - 1, size)) for level in range(top, 0, -1)
        )
        self.zoom = math.prod(stride(self.image_size, self.sizes[-1]))
        self.output = convolution(size, channels * self.zoom, gain=0.1)

    def forward(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
        features = _laid_out_for(self.output, self.input(latents).reshape(-1, *self.smallest))
        for level, block in enumerate(self.blocks):
            refined = block(features, condition)
            features = F.leaky_relu(normalised(self.normalisations[level], refined, condition), SLOPE)
            if level < len(self.narrowings):
                narrow = self.narrowings[level](features)
                features = F.interpolate(narrow, self.sizes[level + 1], mode="bilinear", align_corners=False)
        return self._to_pixels(self.output(features))

    def _to_pixels(self, features: Tensor) -> Tensor:
        # Sub-pixel convolution (Shi et al. 2016, arXiv 1609.05158) spares features at full resolution.
        height, width = self.image_size
        down, across = stride(self.image_size, self.sizes[-1])
        if self.zoom == 1:
            return features
        if down != across:
            return F.interpolate(features[:, :: self.zoom], self.image_size, mode="bilinear")
        return F.pixel_shuffle(features, down)[:, :, :height, :width]


def _laid_out_for(layer: nn.Conv2d, features: Tensor) -> Tensor:
    """Features in the memory format of a layer's weights: where two formats meet, a step takes a tenth longer."""
    is_plain = layer.weight.is_contiguous()
    return features.contiguous(memory_format=torch.contiguous_format if is_plain else torch.channels_last)


def stride(larger: Size, smaller: Size) -> Size:
    """The stride that leads from one size of features to the next smaller."""
    return 2 if smaller[0] < larger[0] else 1, 2 if smaller[1] < larger[1] else 1
