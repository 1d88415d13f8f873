"""The residual networks of SNGAN, with the self-attention of SAGAN where it is asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tvir.contracts.data import ImageSpec
from tvir.networks.building import Architecture, Networks
from tvir.networks.convolutional import Size, convolution
from tvir.networks.mlp import scaled
from tvir.networks.normalisation import Normalisation, normalised
from tvir.networks.pyramid import PyramidNetworks, channels_near, pyramid
from tvir.networks.trunk import Trunk

_ATTENDED = 16
"""Attention acts on the finest features that are no longer than this: SAGAN found the middle of the network best."""


@dataclass(frozen=True, kw_only=True)
class Resnet(Architecture):
    """Two convolutions and a shortcut per block: Miyato et al. 2018, arXiv 1802.05957, appendix B.4.

    Args:
        attention: Self-attention at 16 pixels or the next coarser features: Zhang et al. 2019, arXiv 1805.08318.
    """

    attention: bool = False

    def networks(self, spec: ImageSpec, width: int) -> Networks:
        small = [size for size in pyramid(spec.height, spec.width) if max(size) <= _ATTENDED]
        attended = small[0] if self.attention else None
        return PyramidNetworks(
            spec, width, partial(ResnetTrunk, attended=attended), partial(ResnetDecoder, attended=attended)
        )


class SelfAttention(nn.Module):
    """Adds to every place a mixture of all places: nothing at first (arXiv 1805.08318, equation 3).

    Args:
        channels: Of input and output.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = max(1, channels // 8)
        self.query, self.key = scaled(nn.Conv2d(channels, inner, 1)), scaled(nn.Conv2d(channels, inner, 1))
        self.value = scaled(nn.Conv2d(channels, channels, 1))
        self.strength = nn.Parameter(torch.zeros(()))

    def forward(self, features: Tensor) -> Tensor:
        query, key, value = (layer(features).flatten(2) for layer in (self.query, self.key, self.value))
        weights = torch.softmax(query.transpose(1, 2) @ key, dim=-1)
        return features + self.strength * (value @ weights.transpose(1, 2)).view_as(features)


class _DownBlock(nn.Module):
    """Two convolutions, then averaging down to a size; the shortcut does the same with one of 1x1."""

    def __init__(self, inputs: int, outputs: int, size: Size, *, first: bool = False) -> None:
        super().__init__()
        self.size, self.first = size, first
        self.convolve = nn.ModuleList([convolution(inputs, outputs), convolution(outputs, outputs)])
        self.shortcut = scaled(nn.Conv2d(inputs, outputs, 1), gain=math.sqrt(0.5))

    def forward(self, features: Tensor) -> Tensor:
        branch = self.convolve[0](features if self.first else F.relu(features))
        branch = self.convolve[1](F.relu(branch))
        return _averaged(branch, self.size) + self.shortcut(_averaged(features, self.size))


class ResnetTrunk(Trunk):
    """Blocks that average an image down, then the sum over all places.

    Args:
        channels: Of the image.
        sizes: From the image to the coarsest features.
        width: Channels of features 16 pixels wide.
        attended: Size of the features that attend to themselves, or None.
    """

    def __init__(self, channels: int, sizes: list[Size], width: int, attended: Size | None) -> None:
        super().__init__()
        counts = [channels, *(channels_near(size, width) for size in sizes[1:])]
        levels = list(zip(pairwise(counts), sizes[1:], strict=True))
        self.blocks = nn.ModuleList(
            _DownBlock(a, b, size, first=number == 0) for number, ((a, b), size) in enumerate(levels)
        )
        self.attention = nn.ModuleList(
            SelfAttention(count) if size == attended else nn.Identity()
            for count, size in zip(counts[1:], sizes[1:], strict=True)
        )
        self.last = _DownBlock(counts[-1], counts[-1], sizes[-1])
        self.features = counts[-1]

    def forward(self, images: Tensor) -> Tensor:
        features = images
        for block, attend in zip(self.blocks, self.attention, strict=True):
            features = attend(block(features))
        return F.relu(self.last(features)).sum((2, 3))


class _UpBlock(nn.Module):
    """Two convolutions behind an enlargement to the nearest pixel; the shortcut does the same with one of 1x1."""

    def __init__(self, inputs: int, outputs: int, size: Size, normalisation: Normalisation) -> None:
        super().__init__()
        self.size = size
        self.normalise = nn.ModuleList([normalisation.layer(inputs), normalisation.layer(outputs)])
        self.convolve = nn.ModuleList([convolution(inputs, outputs), convolution(outputs, outputs)])
        self.shortcut = scaled(nn.Conv2d(inputs, outputs, 1), gain=math.sqrt(0.5))

    def forward(self, features: Tensor, condition: Tensor | None = None) -> Tensor:
        branch = F.interpolate(F.relu(normalised(self.normalise[0], features, condition)), self.size)
        branch = normalised(self.normalise[1], self.convolve[0](branch), condition)
        branch = self.convolve[1](F.relu(branch))
        return branch + F.interpolate(self.shortcut(features), self.size)


class ResnetDecoder(nn.Module):
    """Blocks that enlarge features up to the image.

    Args:
        latent: Length of a latent.
        channels: Of the output.
        sizes: From the image to the coarsest features.
        width: Channels of features 16 pixels wide.
        normalisation: Layer before each activation.
        attended: Size of the features that attend to themselves, or None.
    """

    def __init__(
        self,
        latent: int,
        channels: int,
        sizes: list[Size],
        width: int,
        normalisation: Normalisation,
        attended: Size | None,
    ) -> None:
        super().__init__()
        upwards = sizes[::-1]
        counts = [channels_near(size, width) for size in upwards]
        self.smallest = (counts[0], *upwards[0])
        self.input = scaled(nn.Linear(latent, math.prod(self.smallest)))
        self.blocks = nn.ModuleList(
            _UpBlock(a, b, size, normalisation) for (a, b), size in zip(pairwise(counts), upwards[1:], strict=True)
        )
        self.attention = nn.ModuleList(
            SelfAttention(count) if size == attended else nn.Identity()
            for count, size in zip(counts[1:], upwards[1:], strict=True)
        )
        self.normalise = normalisation.layer(counts[-1])
        self.output = convolution(counts[-1], channels, gain=0.1)

    def forward(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
        features = self.input(latents).view(-1, *self.smallest)
        for block, attend in zip(self.blocks, self.attention, strict=True):
            features = attend(block(features, condition))
        return self.output(F.relu(normalised(self.normalise, features, condition)))


def _averaged(features: Tensor, size: Size) -> Tensor:
    return features if features.shape[-2:] == size else F.adaptive_avg_pool2d(features, size)
