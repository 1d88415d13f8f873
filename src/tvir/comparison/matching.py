"""Making networks equally large: the width at which a model is closest to a size."""

from __future__ import annotations

import math
from collections.abc import Callable

WIDEST = 1024
"""No width beyond this is tried."""


def closest_width(size: Callable[[int], float], wanted: float) -> int:
    """The width whose size is closest to what is wanted, as a ratio.

    Args:
        size: From a width, 1 to ``WIDEST``, to a size above 0 that does not fall as the width grows.
        wanted: Above 0.

    Example:
        >>> closest_width(lambda width: width**2, 50)
        7
    """
    low, high = 1, 1
    while high < WIDEST and size(high) < wanted:
        low, high = high, min(WIDEST, 2 * high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if size(middle) < wanted else (low, middle)
    return min((low, high), key=lambda width: abs(math.log(size(width) / wanted)))
