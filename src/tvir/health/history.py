"""The log of a run, read as columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from tvir.contracts.data import Array

FEWEST = 16
"""Lines of a stage that must be there before anything is concluded from a curve."""


class History:
    """What metrics.jsonl says.

    Args:
        lines: As ``RunFolder.metrics`` yields them.
    """

    def __init__(self, lines: Iterable[Mapping[str, Any]]) -> None:
        self._lines = [line for line in lines if line.get("losses") and "stage" in line]

    def __len__(self) -> int:
        return len(self._lines)

    @property
    def fraction(self) -> float:
        """Share of the run's budget that was spent at the last line, 0 to 1."""
        return float(self._lines[-1].get("fraction", 0.0)) if self._lines else 0.0

    @property
    def players(self) -> frozenset[str]:
        """Everyone who has moved."""
        return frozenset(name for line in self._lines for name in line.get("gradient_norms", {}))

    @property
    def terms(self) -> frozenset[str]:
        """Every ``phase/term`` there has been."""
        return frozenset(name for line in self._lines for name in line["losses"])

    def losses(self, name: str) -> Array:
        """A ``phase/term`` in the last stage that has it, oldest first."""
        return _of_last_stage((line["stage"], line["losses"][name]) for line in self._lines if name in line["losses"])

    def norms(self, player: str) -> Array:
        """Norms of a player's gradients in the last stage in which it moved, oldest first."""
        found: list[tuple[str, float]] = []
        for line in self._lines:
            value = line.get("gradient_norms", {}).get(player)
            # A line repeats the norm of a player that has not moved since the one before.
            if value is not None and (not found or value != found[-1][1]):
                found.append((line["stage"], value))
        return _of_last_stage(found)


def quarters(curve: Array) -> tuple[float, float] | None:
    """Medians of the first and of the last quarter; None for a curve too short to say anything."""
    if len(curve) < FEWEST:
        return None
    size = len(curve) // 4
    return float(np.median(curve[:size])), float(np.median(curve[-size:]))


def _of_last_stage(values: Iterable[tuple[str, float]]) -> Array:
    found = list(values)
    return np.array([value for stage, value in found if stage == found[-1][0]], dtype=np.float64)
