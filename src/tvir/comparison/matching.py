"""Making networks equally large: the width at which a model is closest to a size."""

from __future__ import annotations

import math
from collections.abc import Callable

WIDEST = 1024
"""No width beyond this is tried."""

_START = 32
"""The width that is tried first."""


def closest_width(size: Callable[[int], float], wanted: float) -> int:
    """The width whose size is closest to what is wanted, as a ratio.

    Args:
        size: From a width, 1 to ``WIDEST``, to a size above 0 that does not fall as the width grows.
        wanted: Above 0.

    Example:
        >>> closest_width(lambda width: width**2, 50)
        7
    """
    low, high, width = 0, WIDEST + 1, _START
    while high - low > 1:
        found = size(width)
        low, high = (width, high) if found < wanted else (low, width)
        # Sizes grow about as the square of the width.
        guess = round(width * math.sqrt(wanted / found))
        width = guess if low < guess < high else (low + high) // 2
    tried = [width for width in (low, high) if 1 <= width <= WIDEST]
    return min(tried, key=lambda width: abs(math.log(size(width) / wanted)))
