"""The networks of R3GAN, which need no normalisation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tvir.contracts.data import ImageSpec
from tvir.networks.building import Architecture, Networks
from tvir.networks.convolutional import Size
from tvir.networks.mlp import SLOPE, scaled
from tvir.networks.normalisation import Normalisation
from tvir.networks.pyramid import PyramidNetworks, channels_near
from tvir.networks.trunk import Trunk

_GROUP = 16
"""Channels that a convolution of 3x3 looks at together."""

_EXPANSION = 2
"""The middle of a block has this many times its channels."""

_BLOCKS = 2
"""Blocks for each size."""


@dataclass(frozen=True, kw_only=True)
class R3gan(Architecture):
    """Inverted bottlenecks with grouped convolutions: Huang et al. 2024, arXiv 2501.05441, figure 4, configuration E.

    Branches that start from zero (arXiv 1901.09321) stand in for normalisation; the choice of one is passed over.
    """

    def networks(self, spec: ImageSpec, width: int) -> Networks:
        return PyramidNetworks(spec, width, R3ganTrunk, R3ganDecoder)


class _Block(nn.Module):
    """Adds to its input what three convolutions make of it: nothing at first."""

    def __init__(self, channels: int, blocks: int) -> None:
        super().__init__()
        inner = _EXPANSION * channels
        groups = max(1, inner // _GROUP) if inner % _GROUP == 0 else 1
        # Fixup: m layers in each of L branches start smaller by L^(-1 / (2m - 2)); m is 3.
        gain = blocks ** (-1 / 4)
        self.widen = scaled(nn.Conv2d(channels, inner, 1, bias=False), gain)
        self.look = scaled(nn.Conv2d(inner, inner, 3, padding=1, groups=groups, bias=False), gain)
        self.narrow = scaled(nn.Conv2d(inner, channels, 1, bias=False), 0.0)
        self.biases = nn.ParameterList([nn.Parameter(torch.zeros(inner, 1, 1)) for _ in range(2)])

    def forward(self, features: Tensor) -> Tensor:
        inner = F.leaky_relu(self.widen(features) + self.biases[0], SLOPE)
        inner = F.leaky_relu(self.look(inner) + self.biases[1], SLOPE)
        return features + self.narrow(inner)


class R3ganTrunk(Trunk):
    """Pairs of blocks between which the image is averaged down, then one number for each channel.

    Args:
        channels: Of the image.
        sizes: From the image to the coarsest features.
        width: Channels of features 16 pixels wide.
    """

    def __init__(self, channels: int, sizes: list[Size], width: int) -> None:
        super().__init__()
        counts = [channels_near(size, width) for size in sizes]
        blocks = _BLOCKS * len(sizes)
        self.sizes = sizes
        self.input = scaled(nn.Conv2d(channels, counts[0], 1, bias=False))
        self.stages = nn.ModuleList(_stage(count, blocks) for count in counts)
        self.changes = nn.ModuleList(_change(a, b) for a, b in pairwise(counts))
        # A weight for every place of every channel, in which the coarsest features are summed up.
        self.basis = nn.Parameter(torch.randn(counts[-1], *sizes[-1]) / math.sqrt(math.prod(sizes[-1])))
        self.features = counts[-1]

    def forward(self, images: Tensor) -> Tensor:
        features = self.stages[0](self.input(images))
        for change, stage, size in zip(self.changes, self.stages[1:], self.sizes[1:], strict=True):
            features = stage(F.adaptive_avg_pool2d(change(features), size))
        return (features * self.basis).sum((2, 3))


class R3ganDecoder(nn.Module):
    """A learnt coarsest map, scaled channel by channel, then pairs of blocks between which it is enlarged.

    Args:
        latent: Length of a latent.
        channels: Of the output.
        sizes: From the image to the coarsest features.
        width: Channels of features 16 pixels wide.
        normalisation: Passed over.
    """

    def __init__(self, latent: int, channels: int, sizes: list[Size], width: int, normalisation: Normalisation) -> None:
        super().__init__()
        del normalisation
        self.sizes = sizes[::-1]
        counts = [channels_near(size, width) for size in self.sizes]
        blocks = _BLOCKS * len(sizes)
        self.basis = nn.Parameter(torch.randn(counts[0], *self.sizes[0]))
        self.input = scaled(nn.Linear(latent, counts[0], bias=False))
        self.stages = nn.ModuleList(_stage(count, blocks) for count in counts)
        self.changes = nn.ModuleList(_change(a, b) for a, b in pairwise(counts))
        self.output = scaled(nn.Conv2d(counts[-1], channels, 1, bias=False))

    def forward(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
        del condition
        features = self.stages[0](self.input(latents)[:, :, None, None] * self.basis)
        for change, stage, size in zip(self.changes, self.stages[1:], self.sizes[1:], strict=True):
            enlarged = F.interpolate(change(features), size, mode="bilinear", align_corners=False)
            features = stage(enlarged)
        return self.output(features)


def _stage(channels: int, blocks: int) -> nn.Sequential:
    return nn.Sequential(*(_Block(channels, blocks) for _ in range(_BLOCKS)))


def _change(inputs: int, outputs: int) -> nn.Module:
    return nn.Identity() if inputs == outputs else scaled(nn.Conv2d(inputs, outputs, 1, bias=False))
