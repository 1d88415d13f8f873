"""Which mode of a toy a point belongs to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tvir.contracts.data import Array
from tvir.contracts.metric import Context, Points
from tvir.evaluation.matrices import flat_rows

SIGMAS = 3.0
"""A point this many standard deviations from a centre, or nearer, is of high quality."""


@dataclass(frozen=True)
class Assignment:
    """The nearest mode of every point (N,), whether it lies within three sigma of it (N,), and the number of modes."""

    nearest: Array
    close: Array
    modes: int


def assign(points: Points, context: Context) -> Assignment:
    """Assign every point to its nearest mode.

    Raises:
        ValueError: The truth is not known, or a point is not finite.
    """
    if context.modes is None:
        raise ValueError("the modes of this data are not known")
    rows = flat_rows(points).numpy()
    centres = np.asarray(context.modes.centres, dtype=np.float64)
    distances = np.stack([np.sqrt(((rows - centre) ** 2).sum(1)) for centre in centres], axis=1)
    nearest = distances.argmin(1)
    close = distances[np.arange(len(rows)), nearest] <= SIGMAS * context.modes.sigma
    return Assignment(nearest, close, len(centres))
