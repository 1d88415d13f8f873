"""What people see while something takes its time: live bars on a terminal, a few plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, TaskID, TaskProgressColumn, TextColumn
from rich.progress import Progress as Bars

from tvir.cli.ranks import rank
from tvir.contracts.run import RunFolder, RunRecord, Status
from tvir.training.observer import Observer, Progress
from tvir.workflows.trials import TrialProgress, TrialsObserver

_LOSSES_SHOWN = 3
_SILENCE = 300.0
"""Seconds after which a plain log says something even if little has changed."""
_PATIENCE = 1.0
"""Seconds that reading data may take before it is spoken of."""


class Screen(ABC):
    """Where words and bars go."""

    @abstractmethod
    def told(self, text: str) -> None:
        """A line that stays."""

    @abstractmethod
    def moved(self, what: str, fraction: float, note: str) -> None:
        """Something has come this far; ``note`` says more about it."""

    @abstractmethod
    def over(self, what: str, note: str, *, whole: bool = True) -> None:
        """Nothing more will be heard of it; ``whole`` says whether it has come to its end."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        return None


class Silent(Screen):
    """Says nothing."""

    def told(self, text: str) -> None:
        pass

    def moved(self, what: str, fraction: float, note: str) -> None:
        pass

    def over(self, what: str, note: str, *, whole: bool = True) -> None:
        pass


class Plain(Screen):
    """Lines for logs: few on the way of each thing, so that no log is flooded.

    Args:
        lines: How many on the way.
    """

    def __init__(self, lines: int = 10) -> None:
        self._lines = lines
        self._parts: dict[str, int] = {}
        self._last: dict[str, float] = {}

    def told(self, text: str) -> None:
        print(text, flush=True)

    def moved(self, what: str, fraction: float, note: str) -> None:
        part, now = int(fraction * self._lines), time.monotonic()
        if part <= self._parts.get(what, 0) and now - self._last.setdefault(what, now) < _SILENCE:
            return
        self._parts[what], self._last[what] = part, now
        self.told(f"{what}: {fraction:4.0%}  {note}")

    def over(self, what: str, note: str, *, whole: bool = True) -> None:
        self._parts.pop(what, None)
        self._last.pop(what, None)
        if note:
            self.told(f"{what}: {note}")


class Live(Screen):
    """Bars that move, on a terminal."""

    def __init__(self, console: Console) -> None:
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TextColumn("{task.fields[note]}"),
            console=console,
            refresh_per_second=5,
        )
        self._tasks: dict[str, TaskID] = {}

    def told(self, text: str) -> None:
        self._bars.console.print(escape(text), highlight=False, soft_wrap=True)

    def moved(self, what: str, fraction: float, note: str) -> None:
        if what not in self._tasks:
            self._tasks[what] = self._bars.add_task(escape(what), total=1.0, note="")
        self._bars.update(self._tasks[what], completed=fraction, note=escape(note))

    def over(self, what: str, note: str, *, whole: bool = True) -> None:
        if what not in self._tasks:
            self.moved(what, 0.0, note)
        self._bars.update(self._tasks[what], note=escape(note), completed=1.0 if whole else None)
        self._bars.stop_task(self._tasks[what])

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bars.stop()


def screen(*, quiet: bool, lines: int = 10) -> Screen:
    """The screen that suits where output goes. Of processes that train together only the main one speaks.

    Args:
        quiet: Say nothing.
        lines: How many a log gets on the way of each thing.
    """
    if quiet or rank():
        return Silent()
    return Live(Console()) if sys.stdout.isatty() else Plain(lines)


class Reading:
    """Shows how far data has been read, where that takes long enough to be worth a word."""

    def __init__(self, shown: Screen) -> None:
        self._shown = shown
        self._begun: dict[str, float] = {}

    def __call__(self, description: str, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._begun.setdefault(description, now) < _PATIENCE:
            return
        if done < total:
            self._shown.moved(description, done / total, f"{done:,} of {total:,}")
        else:
            self._shown.over(description, f"{total:,} done")


class TrainingObserver(Observer):
    """Shows one run: stage, a few losses, samples per second, time left."""

    def __init__(self, shown: Screen) -> None:
        self._shown = shown
        self._stage = ""

    def started(self, record: RunRecord) -> None:
        precision = record.precision
        arithmetic = f", {precision.autocast} autocast" if precision and precision.autocast != "none" else ""
        self._shown.told(
            f"training {record.model} on {record.data.reference} for {record.budget}, seed {record.seed}{arithmetic}"
        )

    def stage_started(self, name: str, share: float) -> None:
        if self._stage and self._stage != name:
            self._shown.over(self._stage, "done")
        self._stage = name

    def stepped(self, progress: Progress) -> None:
        self._stage = progress.stage
        note = f"{_losses(progress.losses)}  {_speed(progress.samples_per_second)}  {_left(progress.seconds_left)}"
        self._shown.moved(progress.stage, min(1.0, progress.fraction), note)

    def saved(self, path: Path) -> None:
        pass

    def noticed(self, text: str) -> None:
        self._shown.told(text)

    def finished(self, record: RunRecord) -> None:
        if self._stage:
            note = f"{record.spent.steps:,} steps, {record.spent.samples:,} examples in {_time(record.spent.seconds)}"
            self._shown.over(self._stage, note, whole=record.status == "finished")


class ComparisonObserver(TrialsObserver):
    """Shows all runs of a comparison, one line each."""

    def __init__(self, shown: Screen) -> None:
        self._shown = shown
        self._width = 0

    def planned(self, trials: Sequence[RunFolder]) -> None:
        self._width = max((len(_called(trial)) for trial in trials), default=0)

    def started(self, trial: RunFolder) -> None:
        self._shown.moved(self._name(trial), 0.0, "starting")

    def stepped(self, trial: RunFolder, progress: TrialProgress) -> None:
        note = f"{progress.stage}  {_losses(progress.losses)}  {_speed(progress.samples_per_second)}"
        self._shown.moved(self._name(trial), progress.fraction, f"{note}  {_left(progress.seconds_left)}")

    def ended(self, trial: RunFolder, status: Status, reason: str | None) -> None:
        note = f"{status}: {reason}" if reason else status
        self._shown.over(self._name(trial), note, whole=status == "finished")

    def judging(self, done: int, total: int) -> None:
        what = "judging".ljust(self._width)
        self._shown.moved(what, done / max(1, total), f"{done} of {total} runs")

    def noticed(self, text: str) -> None:
        self._shown.told(text)

    def _name(self, trial: RunFolder) -> str:
        return _called(trial).ljust(self._width)


def _called(trial: RunFolder) -> str:
    return " ".join(trial.path.parts[-2:])


def _losses(losses: Mapping[str, float]) -> str:
    """A few ``phase/term`` losses by their term, or by their phase where two phases have the same term."""
    terms = Counter(name.rpartition("/")[2] for name in losses)
    shown = []
    for name, value in list(losses.items())[:_LOSSES_SHOWN]:
        phase, _, term = name.rpartition("/")
        shown.append(f"{term if terms[term] == 1 else phase} {value:.3g}")
    return "  ".join(shown)


def _speed(samples_per_second: float) -> str:
    return f"{samples_per_second:,.0f} samples/s"


def _left(seconds: float | None) -> str:
    return "" if seconds is None else f"{_time(seconds)} left"


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
