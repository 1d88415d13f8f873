"""Which networks suit which data: one size dial, the rest derived."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from tvir.contracts.choice import Choice
from tvir.contracts.data import DataSpec, ImageSpec, VectorSpec
from tvir.contracts.errors import UsageError
from tvir.networks.convolutional import ImageDecoder, ImageTrunk, finest_channels
from tvir.networks.mlp import VectorDecoder, VectorTrunk, scaled
from tvir.networks.normalisation import Normalisation
from tvir.networks.trunk import Trunk

HIDDEN = 4
"""Hidden layers of vector networks are this multiple of the width."""


class Reader(nn.Module):
    """A trunk and a linear head: an encoder, or a discriminator.

    Args:
        trunk: From examples to features (N, trunk.features).
        outputs: Numbers to give for each example.
        gain: Of the head's first weights.
    """

    def __init__(self, trunk: Trunk, outputs: int, gain: float = 1.0) -> None:
        super().__init__()
        self.trunk = trunk
        self.head = scaled(nn.Linear(trunk.features, outputs), gain)

    def forward(self, examples: Tensor) -> Tensor:
        return self.head(self.trunk(examples))


class Networks(ABC):
    """Makes the networks of one kind of data.

    Args:
        width: The size dial.
    """

    def __init__(self, width: int) -> None:
        self.width = width

    @abstractmethod
    def trunk(self, pack: int = 1) -> Trunk:
        """A network from packs of examples, joined along their first dimension, to features."""

    @abstractmethod
    def decoder(self, latent: int, outputs: int, normalisation: Normalisation) -> nn.Module:
        """A network from latents (N, latent) to ``outputs`` channels for each of the data's.

        It may be called with a condition (N, any) beside them, for a normalisation that listens to one.
        """

    def encoder(self, outputs: int) -> Reader:
        """A network from examples to (N, outputs)."""
        return Reader(self.trunk(), outputs, gain=0.1)

    def discriminator(self, *, normalise_weights: bool = False, pack: int = 1) -> Reader:
        """A network from packs of examples to logits (N, 1), with the same trunk as the encoder."""
        discriminator = Reader(self.trunk(pack), 1)
        if normalise_weights:
            for layer in [module for module in discriminator.modules() if isinstance(module, nn.Linear | nn.Conv2d)]:
                if not layer.weight.any():
                    # A weight of zero has no direction to keep; spectral norm would divide by nothing.
                    scaled(layer)
                spectral_norm(layer)
        return discriminator


class VectorNetworks(Networks):
    """Perceptrons.

    Args:
        spec: The data.
        width: A quarter of the hidden layers' size.
    """

    def __init__(self, spec: VectorSpec, width: int) -> None:
        super().__init__(width)
        self.spec = spec

    def trunk(self, pack: int = 1) -> VectorTrunk:
        return VectorTrunk(pack * self.spec.features, HIDDEN * self.width)

    def decoder(self, latent: int, outputs: int, normalisation: Normalisation) -> VectorDecoder:
        return VectorDecoder(latent, outputs * self.spec.features, HIDDEN * self.width, normalisation)


class ImageNetworks(Networks):
    """Convolutional networks.

    Args:
        spec: The data.
        width: Channels of features about 16 pixels wide.
    """

    def __init__(self, spec: ImageSpec, width: int) -> None:
        super().__init__(finest_channels(spec.height, spec.width, width))
        self.spec = spec

    def trunk(self, pack: int = 1) -> ImageTrunk:
        return ImageTrunk(pack * self.spec.channels, self.spec.height, self.spec.width, self.width)

    def decoder(self, latent: int, outputs: int, normalisation: Normalisation) -> ImageDecoder:
        channels, height, width = self.spec.shape
        return ImageDecoder(latent, outputs * channels, height, width, self.width, normalisation)


class Architecture(Choice):
    """Networks for images. Vectors have perceptrons whatever is chosen."""

    @abstractmethod
    def networks(self, spec: ImageSpec, width: int) -> Networks:
        """What makes the networks of such images, from the size dial."""


@dataclass(frozen=True, kw_only=True)
class Residual(Architecture):
    """Strided convolutions with a residual branch for each size, and sub-pixel convolution: quick on a CPU."""

    def networks(self, spec: ImageSpec, width: int) -> Networks:
        return ImageNetworks(spec, width)


def networks_for(spec: DataSpec, width: int, architecture: Architecture | None = None) -> Networks:
    """The networks that suit the data.

    Args:
        spec: The data.
        width: The size dial.
        architecture: Of networks for images; by default ``Residual``.

    Raises:
        UsageError: There are none.
    """
    match spec:
        case VectorSpec():
            return VectorNetworks(spec, width)
        case ImageSpec():
            return (architecture or Residual()).networks(spec, width)
    raise UsageError(f"there are no networks for {type(spec).__name__} yet; use images or vectors")


@torch.no_grad()
def copy_weights(source: nn.Module, target: nn.Module) -> None:
    """Give ``target`` the weights and buffers of ``source``, which has the same layers.

    The target's layers may be normalised by their spectrum; the weights behind the norm are then set.
    """
    for path, module in source.named_modules():
        twin = target.get_submodule(path)
        for name, values in [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]:
            parametrized = name in getattr(twin, "parametrizations", {})
            place = twin.parametrizations[name].original if parametrized else getattr(twin, name)  # type: ignore[index]
            place.copy_(values)
