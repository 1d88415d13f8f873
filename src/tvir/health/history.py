"""The log of a run, read as columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tvir.contracts.data import Array
from tvir.contracts.model import Stage

FEWEST = 16
"""Lines of a stage that must be there before anything is concluded from a curve."""


class History:
    """What metrics.jsonl says.

    Curves leave out the warm-up of each stage: while a player has not reached full speed, the others are ahead of it.

    Args:
        lines: As ``RunFolder.metrics`` yields them.
        stages: Of the model; without them nothing is known of warm-ups.
    """

    def __init__(self, lines: Iterable[Mapping[str, Any]], stages: Sequence[Stage] = ()) -> None:
        self._lines = [line for line in lines if line.get("losses") and "stage" in line]
        warmups = {stage.name: _warmup(stage) for stage in stages}
        self._ages = [steps - warmups.get(stage, 0) for stage, steps in _steps_of_stages(self._lines)]

    def __len__(self) -> int:
        return len(self._lines)

    @property
    def fraction(self) -> float:
        """Share of the run's budget that was spent at the last line, 0 to 1."""
        return float(self._lines[-1].get("fraction", 0.0)) if self._lines else 0.0

    @property
    def stage(self) -> str | None:
        """The stage of the last line."""
        return self._lines[-1]["stage"] if self._lines else None

    @property
    def steps(self) -> int:
        """Of that stage since its warm-up; below 0 before the end of it."""
        return self._ages[-1] if self._ages else 0

    @property
    def latest(self) -> History:
        """The lines of the last stage alone, without its warm-up."""
        latest = History(())
        latest._lines = [
            line for line, age in zip(self._lines, self._ages, strict=True) if line["stage"] == self.stage and age >= 0
        ]
        latest._ages = [0] * len(latest._lines)
        return latest

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
        return _of_last_stage(
            (line["stage"], line["losses"][name], age)
            for line, age in zip(self._lines, self._ages, strict=True)
            if name in line["losses"]
        )

    def norms(self, player: str) -> Array:
        """Norms of a player's gradients in the last stage in which it moved, oldest first."""
        found: list[tuple[str, float, int]] = []
        for line, age in zip(self._lines, self._ages, strict=True):
            value = line.get("gradient_norms", {}).get(player)
            # A line repeats the norm of a player that has not moved since the one before.
            if value is not None and (not found or value != found[-1][1]):
                found.append((line["stage"], value, age))
        return _of_last_stage(found)


def quarters(curve: Array) -> tuple[float, float] | None:
    """Medians of the first and of the last quarter; None for a curve too short to say anything."""
    if len(curve) < FEWEST:
        return None
    size = len(curve) // 4
    return float(np.median(curve[:size])), float(np.median(curve[-size:]))


def _of_last_stage(values: Iterable[tuple[str, float, int]]) -> Array:
    """Of (stage, value, steps since its warm-up) the values in the last stage after its warm-up."""
    found = list(values)
    return np.array([value for stage, value, age in found if stage == found[-1][0] and age >= 0], dtype=np.float64)


def _steps_of_stages(lines: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, int]]:
    """Of every line its stage and the steps taken in it; a stage ends with a line of its own."""
    begun, before, stage = 0, 0, None
    for line in lines:
        if line["stage"] != stage:
            begun, stage = before, line["stage"]
        before = line.get("step", 0)
        yield line["stage"], before - begun


def _warmup(stage: Stage) -> int:
    return max((phase.player.optimiser.warmup_steps for phase in stage.phases), default=0)
