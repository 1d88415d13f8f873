"""From points to the tensors that metrics compute with."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from tvir.contracts.metric import Points, finite_or_raise
from tvir.evaluation.remembering import remembered


def computing_device() -> torch.device:
    """Where metrics are computed: a GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@remembered
def matrix(points: Points, space: str) -> Tensor:
    """The features of one space, (N, D), in the precision they were extracted in.

    Raises:
        ValueError: A feature is NaN or infinite.
    """
    # A file mapped for reading is copied: a tensor has no way to say that it may not be written to.
    features = np.require(points.features[space], requirements=["C", "W"])
    finite_or_raise(features, space)
    return torch.from_numpy(features).to(computing_device())


def first_space(points: Points) -> str:
    """The space of the pixels or of the vector itself."""
    return next(iter(points.features))


def flat_rows(points: Points) -> Tensor:
    """The rows of vectors as float64 (N, D).

    Raises:
        ValueError: A number is NaN or infinite.
    """
    rows = np.asarray(points.rows, dtype=np.float64).reshape(len(points), -1)
    finite_or_raise(rows, "rows")
    return torch.from_numpy(rows)


def require(points: Points, least: int, what: str) -> None:
    """Refuse a set that is too small for a metric to mean anything.

    Raises:
        ValueError: There are fewer than ``least`` points.
    """
    if len(points) < least:
        raise ValueError(f"needs at least {least} {what} points and there are {len(points)}")
