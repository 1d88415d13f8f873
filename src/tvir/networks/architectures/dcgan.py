"""The networks of DCGAN."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from tvir.contracts.data import ImageSpec
from tvir.networks.building import Architecture, Networks
from tvir.networks.convolutional import Size, stride
from tvir.networks.mlp import SLOPE, scaled
from tvir.networks.normalisation import Normalisation, normalised
from tvir.networks.pyramid import PyramidNetworks, channels_near
from tvir.networks.trunk import Trunk


@dataclass(frozen=True, kw_only=True)
class Dcgan(Architecture):
    """Strided and transposed convolutions: Radford, Metz and Chintala 2016, arXiv 1511.06434.

    The critic has no batch normalisation: it sees real and fake examples together, and penalties are taken of each by
    itself.
    """

    def networks(self, spec: ImageSpec, width: int) -> Networks:
        return PyramidNetworks(spec, width, DcganTrunk, DcganDecoder)


class DcganTrunk(Trunk):
    """Convolutions of 4x4 that halve an image until it is at most 7 pixels a side.

    Args:
        channels: Of the image.
        sizes: From the image to the coarsest features.
        width: Channels of features 16 pixels wide.
    """

    def __init__(self, channels: int, sizes: list[Size], width: int) -> None:
        super().__init__()
        counts = [channels, *(channels_near(size, width) for size in sizes[1:])]
        self.layers = nn.ModuleList(
            scaled(nn.Conv2d(a, b, 4, stride=stride(*ends), padding=1)) for (a, b), ends in _levels(counts, sizes)
        )
        self.sizes = sizes
        self.features = counts[-1] * math.prod(sizes[-1])

    def forward(self, images: Tensor) -> Tensor:
        features = images
        for layer, smaller in zip(self.layers, self.sizes[1:], strict=True):
            # An odd side needs one more row or column at its end to be halved and rounded up.
            features = F.leaky_relu(layer(_padded(features, smaller)), SLOPE)
        return features.flatten(1)


class DcganDecoder(nn.Module):
    """Transposed convolutions of 4x4 that double features up to the image; odd sides are cut.

    Args:
        latent: Length of a latent.
        channels: Of the output.
        sizes: From the image to the coarsest features.
        width: Channels of features 16 pixels wide.
        normalisation: Layer before each activation.
    """

    def __init__(self, latent: int, channels: int, sizes: list[Size], width: int, normalisation: Normalisation) -> None:
        super().__init__()
        self.sizes = sizes[::-1]
        counts = [*(channels_near(size, width) for size in self.sizes[:-1]), channels]
        self.smallest = (counts[0], *self.sizes[0])
        self.input = scaled(nn.Linear(latent, math.prod(self.smallest)))
        self.normalisations = nn.ModuleList(normalisation.layer(count) for count in counts[:-1])
        self.layers = nn.ModuleList()
        for (a, b), (smaller, larger) in _levels(counts, self.sizes):
            layer = nn.ConvTranspose2d(a, b, 4, stride=stride(larger, smaller), padding=1)
            # Each pixel is written by a quarter of the 16 weights where both sides are doubled.
            nn.init.normal_(layer.weight, 0, math.sqrt(math.prod(stride(larger, smaller)) / (16 * a)))
            nn.init.zeros_(layer.bias)  # pyright: ignore[reportArgumentType]
            self.layers.append(layer)

    def forward(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
        features = self.input(latents).view(-1, *self.smallest)
        for normalise, layer, (height, width) in zip(self.normalisations, self.layers, self.sizes[1:], strict=True):
            features = layer(F.relu(normalised(normalise, features, condition)))[:, :, :height, :width]
        return features


def _levels(counts: list[int], sizes: list[Size]) -> list[tuple[tuple[int, int], tuple[Size, Size]]]:
    return list(zip(pairwise(counts), pairwise(sizes), strict=True))


def _padded(features: Tensor, smaller: Size) -> Tensor:
    """Features with as many rows and columns added at their end as the wanted size needs."""
    height, width = int(features.shape[2]), int(features.shape[3])
    down, across = stride((height, width), smaller)
    below, right = (smaller[0] - 1) * down + 2 - height, (smaller[1] - 1) * across + 2 - width
    return F.pad(features, (0, right, 0, below)) if below or right else features
