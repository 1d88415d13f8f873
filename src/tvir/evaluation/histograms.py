"""Counts over classes and modes, and how far apart they are."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from tvir.contracts.data import Array


def histogram_divergence(generated: Array, real: Array) -> float:
    """KL(generated || real) in nats between two distributions given as counts or weights (K,).

    Where the real weights have a hole that the generated ones fill, the divergence would be infinite because of one
    unlucky draw; half a count is then added to every real class.
    """
    if np.any((real == 0) & (generated > 0)):
        real = real + 0.5
    p, q = generated / generated.sum(), real / real.sum()
    seen = p > 0
    return max(0.0, float((p[seen] * np.log(p[seen] / q[seen])).sum()))


def independent_counts(counts: Array, shape: Sequence[int]) -> Array:
    """Counts (K,) as they are expected where the parts of a class are independent: the product of the parts' shares.

    Args:
        counts: Of every class; classes are numbered in C order of their parts.
        shape: Numbers of classes of the parts, whose product is K.

    Example:
        >>> independent_counts(np.array([2.0, 0.0, 0.0, 2.0]), (2, 2)).tolist()
        [1.0, 1.0, 1.0, 1.0]
        >>> independent_counts(np.array([3.0, 1.0]), (2,)).tolist()
        [3.0, 1.0]
    """
    table = counts.reshape(shape)
    parts = [table.sum(tuple(other for other in range(table.ndim) if other != part)) for part in range(table.ndim)]
    return reduce(np.multiply.outer, parts).ravel() / counts.sum() ** (table.ndim - 1)
