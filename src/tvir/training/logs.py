"""metrics.jsonl: one line for each report of a training."""

from __future__ import annotations

import json

import torch
from torch import Tensor

from tvir.contracts.budget import Spent
from tvir.contracts.model import Phase
from tvir.contracts.run import RunFolder, write_atomically
from tvir.training.moves import Move
from tvir.training.observer import Observer, Progress

_INTERVAL = 0.5
"""Seconds of training between two reports; the first steps are reported at powers of two: short runs have a curve."""


class Reporter:
    """Gathers what moves show, and reports it a few times a second; losses become plain numbers only then.

    Args:
        folder: Of the run; gets the lines.
        observer: Is told.
        writes: Whether anything is reported; on the main process only.
    """

    def __init__(self, folder: RunFolder, observer: Observer, *, writes: bool) -> None:
        self._folder = folder
        self._observer = observer
        self._writes = writes
        self.restart(Spent())

    def restart(self, spent: Spent) -> None:
        """Forget what was gathered; go on from here."""
        self._before = spent
        self._sums: dict[str, tuple[Tensor, int]] = {}
        self._norms: dict[str, float] = {}
        self._rates: dict[str, float] = {}

    def add(self, phase: Phase, move: Move, rate: float) -> None:
        """Gather one move, made with a learning rate."""
        for term, value in move.losses.items():
            name = f"{phase.name}/{term}"
            found, count = self._sums.get(name, (None, 0))
            self._sums[name] = (value if found is None else found + value, count + 1)
        self._norms[phase.player.name] = move.norm
        self._rates[phase.player.name] = rate

    def is_due(self, spent: Spent) -> bool:
        """Whether to report after a step."""
        return spent.steps & (spent.steps - 1) == 0 or spent.seconds - self._before.seconds >= _INTERVAL

    def report(self, stage: str, spent: Spent, fraction: float) -> None:
        """Write a line and tell the observer.

        Args:
            stage: Name of the stage.
            spent: By the run.
            fraction: Share of the run's budget that is spent.
        """
        if self._writes:
            self._report(stage, spent, min(1.0, fraction))
        rates, norms = self._rates, self._norms
        self.restart(spent)
        self._rates, self._norms = rates, norms

    def _report(self, stage: str, spent: Spent, fraction: float) -> None:
        seconds = spent.seconds - self._before.seconds
        speed = (spent.samples - self._before.samples) / seconds if seconds > 0 else 0.0
        losses = self._means()
        line = {
            "stage": stage,
            "step": spent.steps,
            "seconds": spent.seconds,
            "samples": spent.samples,
            "fraction": fraction,
            "losses": losses,
            "samples_per_second": speed,
            "learning_rate": self._rates,
            "gradient_norms": self._norms,
        }
        with self._folder.metrics_path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        left = spent.seconds * (1 - fraction) / fraction if fraction > 0 and spent.seconds > 0 else None
        self._observer.stepped(
            Progress(
                stage=stage,
                step=spent.steps,
                losses=losses,
                samples_per_second=speed,
                fraction=fraction,
                seconds_left=left,
                spent=spent,
                gradient_norms=dict(self._norms),
            )
        )

    def _means(self) -> dict[str, float]:
        if not self._sums:
            return {}
        sums = torch.stack([total for total, _ in self._sums.values()]).tolist()
        return {name: value / count for (name, (_, count)), value in zip(self._sums.items(), sums, strict=True)}


def keep_lines(folder: RunFolder, step: int) -> None:
    """Drop the lines of steps beyond the one a training continues from, and a last line cut short."""
    if not folder.metrics_path.exists():
        return
    kept = [json.dumps(line) + "\n" for line in folder.metrics() if line.get("step", 0) <= step]
    write_atomically(folder.metrics_path, "".join(kept).encode())
