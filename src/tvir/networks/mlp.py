"""Networks for vectors."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tvir.networks.normalisation import Normalisation, normalised
from tvir.networks.trunk import Trunk

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


class Waves(nn.Module):
    """Puts beside each number its sines and cosines at several frequencies, an octave apart.

    A perceptron by itself learns fine structure last (Tancik et al. 2020, Fourier Features Let Networks Learn High
    Frequency Functions, arXiv 2006.10739).

    Args:
        octaves: How many frequencies, from 1 radian per unit.
    """

    frequencies: Tensor

    def __init__(self, octaves: int = 5) -> None:
        super().__init__()
        self.register_buffer("frequencies", 2.0 ** torch.arange(octaves), persistent=False)
        self.outputs = 1 + 2 * octaves
        """Numbers given for each one read."""

    def forward(self, vectors: Tensor) -> Tensor:
        angles = (vectors.unsqueeze(-1) * self.frequencies).flatten(1)
        return torch.cat([vectors, angles.sin(), angles.cos()], 1)


class VectorTrunk(Trunk):
    """Reads vectors: the part that an encoder and a discriminator share.

    Args:
        features: Length of a vector.
        hidden: Size of each hidden layer.
        layers: Number of hidden layers.
    """

    def __init__(self, features: int, hidden: int, layers: int = 3) -> None:
        super().__init__()
        self.waves = Waves()
        sizes = [features * self.waves.outputs, *[hidden] * layers]
        self.layers = nn.ModuleList(scaled(nn.Linear(a, b)) for a, b in pairwise(sizes))
        self.features = hidden

    def forward(self, vectors: Tensor) -> Tensor:
        features = self.waves(vectors)
        for layer in self.layers:
            features = F.leaky_relu(layer(features), SLOPE)
        return features


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

    def forward(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
        for layer, normalise in zip(self.layers, self.normalisations, strict=True):
            latents = F.leaky_relu(normalised(normalise, layer(latents), condition), SLOPE)
        # Vectors are not rounded to 8 bits as images are: their last digits are worth more than the last bit of speed.
        with torch.autocast(latents.device.type, enabled=False):
            return self.output(latents.float())
