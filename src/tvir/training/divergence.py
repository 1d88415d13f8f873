"""What happens when a loss, a gradient or a weight is no longer a finite number."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tvir.contracts.data import Array, Examples
from tvir.contracts.errors import TvirError, UsageError
from tvir.contracts.run import RunFolder
from tvir.training.moves import Move

PATIENCE = 3
"""Moves of one phase skipped in a row before the run goes back to its last checkpoint."""

SMALLER = 0.3
"""What the learning rates are multiplied by after going back."""


class FailedError(TvirError):
    """Training cannot go on; the text says what was seen and what to try."""


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """What was seen.

    Args:
        what: In words.
        step: Of the run.
        indices: Of the examples in the batch, over all processes; empty where no batch was involved.
    """

    what: str
    step: int
    indices: Array


class DivergedError(Exception):
    """Training must go back or give up."""

    def __init__(self, sighting: Sighting) -> None:
        super().__init__(sighting.what)
        self.sighting = sighting


def describe(phase: str, move: Move) -> str:
    """What is wrong with a move."""
    terms = [f"{term} = {float(value)}" for term, value in move.losses.items() if not torch.isfinite(value)]
    if terms:
        return f"the loss of phase {phase!r} was not finite ({', '.join(terms)})"
    return f"the gradient of phase {phase!r} was not finite (norm {move.norm}, loss {move.total:.4g})"


def is_finite(tensors: Iterable[Tensor]) -> bool:
    """Whether every floating-point number in the tensors is finite."""
    floats = [tensor for tensor in tensors if tensor.is_floating_point() and tensor.numel()]
    if not floats:
        return True
    # A Euclidean norm could overflow where the numbers are finite but large; the largest magnitude does not.
    largest = torch._foreach_norm(floats, float("inf"))  # pyright: ignore[reportPrivateImportUsage]
    return bool(torch.isfinite(torch.stack([value.double() for value in largest])).all())


def keep_batch(folder: RunFolder, examples: Examples, sighting: Sighting) -> Path | None:
    """Write the examples of a bad batch to RUN/failure/batch.npz for inspection."""
    if not len(sighting.indices):
        return None
    arrays: dict[str, Any] = {"indices": sighting.indices, "rows": examples.take(sighting.indices)}
    labels = examples.labels_at(sighting.indices)
    if labels is not None:
        arrays["labels"] = labels.numpy()
    path = folder.path / "failure" / "batch.npz"
    path.parent.mkdir(exist_ok=True)
    np.savez(path, step=np.int64(sighting.step), **arrays)
    return path


def refuse_bad_rows(examples: Examples, rows_at_once: int = 65_536) -> None:
    """Refuse training data that is empty or holds NaN or infinity.

    Raises:
        UsageError: Naming the first bad row.
    """
    if not len(examples):
        raise UsageError("the training split is empty; a model needs at least one example to learn from")
    if examples.spec.row_dtype.kind != "f":
        return
    for first in range(0, len(examples), rows_at_once):
        rows = examples.rows[first : first + rows_at_once]
        bad = ~np.isfinite(rows).reshape(len(rows), -1).all(axis=1)
        if bad.any():
            raise UsageError(
                f"row {first + int(bad.argmax())} of the training data holds NaN or infinity "
                f"({int(bad.sum())} such rows among {len(rows)}); remove or repair them"
            )
