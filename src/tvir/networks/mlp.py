"""Networks for vectors."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tvir.networks.normalisation import Normalisation

SLOPE = 0.2
"""Of leaky rectifiers, for negative numbers."""


def scaled(layer: nn.Linear | nn.Conv2d, gain: float = 1.0) -> nn.Linear | nn.Conv2d:
    """The layer with weights that keep the variance of rectified features, times ``gain``; no bias at first.

    He et al. 2015, Delving Deep into Rectifiers, arXiv 1502.01852.
    """
    fan_in = layer.weight[0].numel()
    with torch.no_grad():
        layer.weight.normal_(0, gain * math.sqrt(2 / (1 + SLOPE**2) / fan_in))
        if layer.bias is not None:
            layer.bias.zero_()
    return layer


class VectorTrunk(nn.Module):
    """Reads vectors: the part that an encoder and a discriminator share.

    Args:
        features: Length of a vector.
        hidden: Size of each hidden layer.
        layers: Number of hidden layers.
    """

    def __init__(self, features: int, hidden: int, layers: int = 3) -> None:
        super().__init__()
        sizes = [features, *[hidden] * layers]
        self.layers = nn.ModuleList(scaled(nn.Linear(a, b)) for a, b in pairwise(sizes))
        self.features = hidden

    def forward(self, vectors: Tensor) -> Tensor:
        for layer in self.layers:
            vectors = F.leaky_relu(layer(vectors), SLOPE)
        return vectors


class VectorDecoder(nn.Module):
    """Writes vectors from latents.

    Args:
        latent: Length of a latent.
        features: Length of a vector.
        hidden: Size of each hidden layer.
        normalisation: Layer before each activation.
        layers: Number of hidden layers.
    """

    def __init__(self, latent: int, features: int, hidden: int, normalisation: Normalisation, layers: int = 3) -> None:
        super().__init__()
        sizes = [latent, *[hidden] * layers]
        self.layers = nn.ModuleList(scaled(nn.Linear(a, b)) for a, b in pairwise(sizes))
        self.normalisations = nn.ModuleList(normalisation.layer(hidden) for _ in range(layers))
        self.output = scaled(nn.Linear(hidden, features))

    def forward(self, latents: Tensor) -> Tensor:
        for layer, normalise in zip(self.layers, self.normalisations, strict=True):
            latents = F.leaky_relu(normalise(layer(latents)), SLOPE)
        return self.output(latents)
