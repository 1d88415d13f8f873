"""Networks between images and latents that keep their place in the image."""

from __future__ import annotations

from torch import Tensor, nn

from tvir.contracts.data import ImageSpec
from tvir.networks.convolutional import (
    ImageDecoder,
    ImageTrunk,
    Size,
    channels_at,
    convolution,
    feature_sizes,
    finest_channels,
)
from tvir.networks.mlp import scaled
from tvir.networks.normalisation import Normalisation


def coarsest_size(spec: ImageSpec) -> Size:
    """Height and width of latents that keep their place: at most 7 on a side.

    Example:
        >>> coarsest_size(ImageSpec(channels=1, height=28, width=28))
        (7, 7)
    """
    return feature_sizes(spec.height, spec.width)[-1]


class SpatialReader(nn.Module):
    """Reads an image to a few numbers for each place: an encoder, or a discriminator of patches.

    Isola et al. 2017, Image-to-Image Translation, arXiv 1611.07004, section 3.2.2, call the latter PatchGAN.

    Args:
        spec: The images.
        width: Channels of features about 16 pixels wide.
        outputs: Numbers for each place.
    """

    def __init__(self, spec: ImageSpec, width: int, outputs: int) -> None:
        super().__init__()
        size = finest_channels(spec.height, spec.width, width)
        self.trunk = ImageTrunk(spec.channels, spec.height, spec.width, size)
        height, across = coarsest_size(spec)
        self.features = (self.trunk.features // (height * across), height, across)
        self.head = scaled(nn.Conv2d(self.features[0], outputs, 1))

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.trunk(images).view(-1, *self.features))


class SpatialDecoder(nn.Module):
    """Writes images from latents that keep their place.

    Args:
        spec: The images.
        width: Channels of features about 16 pixels wide.
        channels: Of a latent.
        normalisation: Layer before each activation.
    """

    def __init__(self, spec: ImageSpec, width: int, channels: int, normalisation: Normalisation) -> None:
        super().__init__()
        size = finest_channels(spec.height, spec.width, width)
        coarsest = channels_at(len(feature_sizes(spec.height, spec.width)) - 1, size)
        entrance = convolution(channels, coarsest)
        self.decoder = ImageDecoder(entrance, spec.channels, spec.height, spec.width, size, normalisation)

    @property
    def last_layer(self) -> Tensor:
        """Weights of the last layer."""
        return self.decoder.output.weight

    def forward(self, latents: Tensor) -> Tensor:
        return self.decoder(latents)
