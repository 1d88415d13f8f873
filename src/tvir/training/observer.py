"""How others watch a training: a progress bar, a studio, a test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tvir.contracts.budget import Spent
from tvir.contracts.model import GenerativeModel
from tvir.contracts.run import RunRecord


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a run has come. Made a few times a second, not at every step.

    Args:
        stage: Name of the stage.
        step: Steps of the whole run.
        losses: Mean of every ``phase/term`` since the last report.
        samples_per_second: Examples seen per second of training since the last report, over all processes.
        fraction: Share of the run's budget that is spent, 0 to 1.
        seconds_left: Expected seconds of training still to come, or None while nothing can be said.
        spent: What has been used of the budget.
        gradient_norms: Euclidean norm of every player's gradients at its last move.
    """

    stage: str
    step: int
    losses: dict[str, float] = field(default_factory=dict)
    samples_per_second: float = 0.0
    fraction: float = 0.0
    seconds_left: float | None = None
    spent: Spent = field(default_factory=Spent)
    gradient_norms: dict[str, float] = field(default_factory=dict)


PICTURES = (0.0, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.0)
"""Shares of the budget at which a picture is drawn: early changes are the fast ones."""


class Observer:
    """Told what happens during training, on the main process. Every method does nothing unless overridden."""

    @property
    def picture_shares(self) -> Sequence[float]:
        """Shares of the run's budget, rising from 0 to 1, at which a sample grid is to be drawn."""
        return PICTURES

    def started(self, record: RunRecord) -> None:
        """Training begins or continues."""

    def stage_started(self, name: str, share: float) -> None:
        """A stage begins or continues; ``share`` is its part of the budget."""

    def stepped(self, progress: Progress) -> None:
        """Some steps have been taken."""

    def pictured(self, model: GenerativeModel, fraction: float) -> None:
        """A sample grid has been drawn. Inside the call the model has its averaged weights.

        Time spent here is not counted. The model must be left as it is.

        Args:
            model: Of the run.
            fraction: Share of the run's budget that is spent, 0 to 1.
        """

    def saved(self, path: Path) -> None:
        """A checkpoint lies at ``path`` and verifies."""

    def noticed(self, text: str) -> None:
        """Something a person should know, in one line."""

    def finished(self, record: RunRecord) -> None:
        """Training is over: ``record.status`` says how."""
