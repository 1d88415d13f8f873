"""Networks that begin at full resolution: the sizes and channels of their features, and their maker."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from tvir.contracts.data import ImageSpec
from tvir.networks.building import Networks
from tvir.networks.convolutional import Size, halved
from tvir.networks.normalisation import Normalisation
from tvir.networks.trunk import Trunk

_FULL = 16
"""Features whose longer side is about this long have as many channels as the size dial says."""

_MOST = 4
"""No features have more than so many times the dial's channels."""

_GROUP = 4
"""Channels are a multiple of this where there are more."""


def pyramid(height: int, width: int) -> list[Size]:
    """The sizes from the image to at most 7 pixels a side, each half (rounded up) of the last; two at least.

    Example:
        >>> pyramid(28, 28), pyramid(8, 12)
        ([(28, 28), (14, 14), (7, 7)], [(8, 12), (4, 6)])
    """
    sizes = [(height, width)]
    while halved(sizes[-1]) != sizes[-1]:
        sizes.append(halved(sizes[-1]))
    return sizes


def channels_near(size: Size, dial: int) -> int:
    """Channels of features of a size: the dial's at 16 pixels, twice as many at 8, half as many at 32.

    Example:
        >>> [channels_near((side, side), 32) for side in (4, 7, 14, 16, 28, 64)]
        [128, 72, 36, 32, 16, 8]
    """
    wanted = min(_MOST * dial, dial * _FULL / max(size))
    return max(1, _GROUP * int(wanted // _GROUP) or int(wanted))


class PyramidNetworks(Networks):
    """Makes the networks of one kind of images.

    Args:
        spec: The images.
        width: Channels of features 16 pixels wide.
        trunk: From channels of the image, the sizes of a pyramid and the width.
        decoder: From the length of a latent, channels of the output, sizes, width and normalisation.
    """

    def __init__(
        self,
        spec: ImageSpec,
        width: int,
        trunk: Callable[[int, list[Size], int], Trunk],
        decoder: Callable[[int, int, list[Size], int, Normalisation], nn.Module],
    ) -> None:
        super().__init__(width)
        self.channels = spec.channels
        self.sizes = pyramid(spec.height, spec.width)
        self._trunk, self._decoder = trunk, decoder

    def trunk(self, pack: int = 1) -> Trunk:
        return self._trunk(pack * self.channels, self.sizes, self.width)

    def decoder(self, latent: int, outputs: int, normalisation: Normalisation) -> nn.Module:
        return self._decoder(latent, outputs * self.channels, self.sizes, self.width, normalisation)
