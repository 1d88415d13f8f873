"""Perceptrons that see an image as one long vector."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from tvir.contracts.data import ImageSpec
from tvir.networks.building import HIDDEN, Architecture, Networks
from tvir.networks.mlp import SLOPE, VectorDecoder, scaled
from tvir.networks.normalisation import Normalisation
from tvir.networks.trunk import Trunk


@dataclass(frozen=True, kw_only=True)
class Perceptron(Architecture):
    """Fully connected layers, as in Goodfellow et al. 2014, arXiv 1406.2661, and Kingma and Welling 2014."""

    def networks(self, spec: ImageSpec, width: int) -> Networks:
        return PerceptronNetworks(spec, width)


class PerceptronNetworks(Networks):
    """Makes perceptrons for one kind of images.

    Args:
        spec: The images.
        width: A quarter of the hidden layers' size.
    """

    def __init__(self, spec: ImageSpec, width: int) -> None:
        super().__init__(width)
        self.spec = spec

    def trunk(self, pack: int = 1) -> Trunk:
        return FlatTrunk(pack * math.prod(self.spec.shape), HIDDEN * self.width)

    def decoder(self, latent: int, outputs: int, normalisation: Normalisation) -> nn.Module:
        channels, height, width = self.spec.shape
        return FlatDecoder(latent, (outputs * channels, height, width), HIDDEN * self.width, normalisation)


class FlatTrunk(Trunk):
    """Two hidden layers over all pixels.

    Args:
        pixels: Numbers of an image.
        hidden: Size of each hidden layer.
    """

    def __init__(self, pixels: int, hidden: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([scaled(nn.Linear(pixels, hidden)), scaled(nn.Linear(hidden, hidden))])
        self.features = hidden

    def forward(self, images: Tensor) -> Tensor:
        features = images.flatten(1)
        for layer in self.layers:
            features = F.leaky_relu(layer(features), SLOPE)
        return features


class FlatDecoder(nn.Module):
    """Three hidden layers, then all pixels.

    Args:
        latent: Length of a latent.
        shape: Of the output: channels, height, width.
        hidden: Size of each hidden layer.
        normalisation: Layer before each activation.
    """

    def __init__(self, latent: int, shape: tuple[int, int, int], hidden: int, normalisation: Normalisation) -> None:
        super().__init__()
        self.shape = shape
        self.decode = VectorDecoder(latent, math.prod(shape), hidden, normalisation)

    def forward(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.decode(latents, condition).unflatten(1, self.shape)
