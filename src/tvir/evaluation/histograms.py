"""Counts over classes and modes, and how far apart they are."""

from __future__ import annotations

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
