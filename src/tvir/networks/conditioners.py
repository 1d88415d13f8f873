"""Networks that say, for every number of an example, how a flow is to change it, given some of the numbers."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tvir.contracts.data import DataSpec, ImageSpec, VectorSpec
from tvir.contracts.errors import UsageError
from tvir.networks.building import HIDDEN
from tvir.networks.convolutional import ResidualBlock, convolution, finest_channels
from tvir.networks.mlp import SLOPE, Waves, scaled

_COARSEST = 8
"""Images are read in patches so large that no more than this many lie side by side."""

_FULL = 16
"""Images with a shorter side than this have proportionally fewer features."""

_BLOCKS = 2
"""Residual blocks of a network for images."""


class VectorConditioner(nn.Module):
    """A perceptron; it says nothing (zeros) before it has learned.

    Args:
        features: Length of a vector.
        parameters: Numbers that are said of each number.
        hidden: Size of each hidden layer.
        layers: How many.
    """

    def __init__(self, features: int, parameters: int, hidden: int, layers: int = 2) -> None:
        super().__init__()
        self.waves = Waves()
        sizes = [features * self.waves.outputs, *[hidden] * layers]
        self.layers = nn.ModuleList(scaled(nn.Linear(a, b)) for a, b in pairwise(sizes))
        self.output = scaled(nn.Linear(hidden, features * parameters), gain=0.0)
        self.parameters_of_each = parameters

    def forward(self, vectors: Tensor) -> Tensor:
        """From vectors (N, features) to (N, features, parameters)."""
        features = self.waves(vectors)
        for layer in self.layers:
            features = F.leaky_relu(layer(features), SLOPE)
        return self.output(features).to(vectors.dtype).unflatten(1, (-1, self.parameters_of_each))


class ImageConditioner(nn.Module):
    """Convolutions over patches of pixels; they say nothing (zeros) before they have learned.

    Patches are pixels laid out as channels, the squeezing of Dinh et al. 2017, Density Estimation Using Real NVP, arXiv
    1605.08803, section 3.6, within the network alone: what flows need not be moved.

    Args:
        channels: Of the images.
        height: In pixels.
        width: In pixels.
        parameters: Numbers that are said of each number.
        size: Channels of features.
    """

    def __init__(self, channels: int, height: int, width: int, parameters: int, size: int) -> None:
        super().__init__()
        self.patch = patch_for(height, width)
        places = [-(-side // self.patch) for side in (height, width)]
        self.stem = convolution(channels * self.patch**2, size)
        # Where in the image a feature is: what a few layers do not see.
        self.place = nn.Parameter(torch.zeros(size, *places))
        self.blocks = nn.ModuleList(ResidualBlock(size) for _ in range(_BLOCKS))
        self.output = scaled(nn.Conv2d(size, channels * parameters * self.patch**2, 1), gain=0.0)
        self.shape = (channels, parameters)

    def forward(self, images: Tensor) -> Tensor:
        """From images (N, channels, height, width) to (N, channels, height, width, parameters)."""
        height, width = images.shape[2:]
        padded = F.pad(images, (0, -width % self.patch, 0, -height % self.patch))
        features = self.stem(F.pixel_unshuffle(padded, self.patch)) + self.place
        for block in self.blocks:
            features = block(features)
        said = F.pixel_shuffle(self.output(F.leaky_relu(features, SLOPE)).to(images.dtype), self.patch)
        return said[:, :, :height, :width].unflatten(1, self.shape).movedim(2, -1)


def patch_for(height: int, width: int) -> int:
    """Side of the patches that an image is read in: a power of 2.

    Example:
        >>> patch_for(8, 8), patch_for(28, 28), patch_for(48, 64)
        (1, 4, 8)
    """
    return 2 ** max(0, math.ceil(math.log2(max(height, width) / _COARSEST)))


def conditioner_for(spec: DataSpec, parameters: int, width: int) -> nn.Module:
    """The network that suits the data: from examples (N, *shape) to (N, *shape, parameters).

    Args:
        spec: The data.
        parameters: Numbers that are said of each number of an example.
        width: The size dial.

    Raises:
        UsageError: There is none.
    """
    match spec:
        case VectorSpec():
            return VectorConditioner(spec.features, parameters, HIDDEN * width)
        case ImageSpec():
            # Small images have less to show; large ones are read in larger patches, at as many places as others.
            size = finest_channels(min(spec.height, _FULL), min(spec.width, _FULL), 2 * width)
            return ImageConditioner(spec.channels, spec.height, spec.width, parameters, size)
    raise UsageError(f"there are no networks for {type(spec).__name__} yet; use images or vectors")
