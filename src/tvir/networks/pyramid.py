"""The sizes of features between an image and its coarsest map, for networks that begin at full resolution."""

from __future__ import annotations

from tvir.networks.convolutional import Size, halved

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
