"""Running planned trials, each in a process of its own, side by side within the cores of this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any

from tvir.contracts.run import RunFolder, Status

_LOOK_EVERY = 0.2
"""Seconds between two looks at the trials."""


@dataclass(frozen=True, kw_only=True)
class TrialProgress:
    """How far a trial has come.

    Args:
        stage: Name of the stage it is in.
        fraction: Share of its budget that is spent, 0 to 1.
        losses: The latest value of every term.
        samples_per_second: Training examples seen per second.
        seconds: Seconds of training so far.
    """

    stage: str = ""
    fraction: float = 0.0
    losses: dict[str, float] = field(default_factory=dict)
    samples_per_second: float = 0.0
    seconds: float = 0.0

    @property
    def seconds_left(self) -> float | None:
        """Seconds of training still to come, or None while that cannot be said."""
        return self.seconds * (1 - self.fraction) / self.fraction if self.fraction > 0.01 else None


class TrialsObserver:
    """Told what happens to the trials of a comparison. Every method does nothing unless overridden."""

    def planned(self, trials: Sequence[RunFolder]) -> None:
        """These trials make up the comparison; finished ones among them are not trained again."""

    def started(self, trial: RunFolder) -> None:
        """A process for this trial has been started."""

    def stepped(self, trial: RunFolder, progress: TrialProgress) -> None:
        """The trial has logged a step."""

    def ended(self, trial: RunFolder, status: Status, reason: str | None) -> None:
        """The trial's process has ended, or the trial was finished already."""

    def judging(self, done: int, total: int) -> None:
        """So many runs of all finished ones have been judged."""

    def noticed(self, text: str) -> None:
        """Something worth a line."""


@dataclass(frozen=True, kw_only=True)
class Cores:
    """How the cores are shared out: alike for every trial, or their budgets would not be equal.

    Args:
        jobs: Trials side by side.
        threads: Threads of each.
    """

    jobs: int
    threads: int

    @staticmethod
    def share(trials: int, jobs: int | None = None) -> Cores:
        """As many trials side by side as there are cores, and the cores shared out evenly."""
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        jobs = max(1, min(jobs or cores, max(1, trials)))
        return Cores(jobs=jobs, threads=max(1, cores // jobs))


def run_trials(
    trials: Sequence[RunFolder], cores: Cores, observer: TrialsObserver, spare: Callable[[], None] = lambda: None
) -> int | None:
    """Train all trials to their end. A trial that fails does not stop the others.

    Ctrl-C and SIGTERM are passed on to the trials, which save a checkpoint before they leave; a second one ends
    them at once.

    Args:
        trials: Planned or interrupted runs.
        cores: How many trials run side by side, and the threads of each.
        observer: Told what happens to them.
        spare: Called, perhaps again and again, while fewer trials are left than could run side by side.

    Returns:
        The signal that ended the work early, or None.
    """
    waiting, running = deque(trials), list[_Process]()
    with _signals() as received:
        try:
            while running or (waiting and not received):
                while waiting and len(running) < cores.jobs and not received:
                    running.append(_Process(waiting.popleft(), cores.threads))
                    observer.started(running[-1].folder)
                if len(running) < cores.jobs and not received:
                    spare()
                time.sleep(_LOOK_EVERY)
                for process in list(running):
                    _look(process, running, observer)
                for process in running:
                    process.pass_on(len(received))
        finally:
            for process in running:
                process.kill()
    return received[0] if received else None


def _look(process: _Process, running: list[_Process], observer: TrialsObserver) -> None:
    ended = process.ended  # asked first, so that what was logged last is not missed
    if (progress := process.progress()) is not None:
        observer.stepped(process.folder, progress)
    if ended:
        running.remove(process)
        observer.ended(process.folder, *process.outcome())


class _Process:
    """One trial, and a look over its shoulder."""

    def __init__(self, folder: RunFolder, threads: int) -> None:
        self.folder = folder
        self._log = folder.path / "errors.log"
        self._tail = _Tail(folder)
        self._signals = 0
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tvir", "resume", str(folder.path), "--quiet"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env={**os.environ, "OMP_NUM_THREADS": str(threads)},
                # A session of its own: Ctrl-C on the terminal must reach it once, through us, not twice.
                start_new_session=True,
            )

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def progress(self) -> TrialProgress | None:
        return self._tail.latest()

    def outcome(self) -> tuple[Status, str | None]:
        """The status the trial was left in, and the reason where it is not finished."""
        status = self._process.wait()
        lines = [line.strip() for line in self._log.read_text("utf-8", "replace").splitlines() if line.strip()]
        record = self.folder.read()
        if status == 0 and record.status == "finished":
            self._log.unlink(missing_ok=True)
            return "finished", None
        if status in (130, 143) or record.status == "interrupted":
            return "interrupted", None
        reason = record.failure or (lines[-1].removeprefix("tvir: ") if lines else f"its process ended with {status}")
        return "failed", reason

    def pass_on(self, received: int) -> None:
        """Forward a signal that has come in: the first politely, the second not."""
        if received > self._signals and not self.ended:
            self._signals = received
            if received == 1:
                self._process.send_signal(signal.SIGINT)
            else:
                self.kill()

    def kill(self) -> None:
        if not self.ended:
            self._process.kill()
        self._process.wait()


class _Tail:
    """Reads what is appended to a run's log."""

    def __init__(self, folder: RunFolder) -> None:
        self._path = folder.metrics_path
        self._offset = 0

    def latest(self) -> TrialProgress | None:
        """The last whole line that has come since the last look."""
        try:
            with self._path.open("rb") as file:
                lines = self._whole_lines(file)
        except FileNotFoundError:
            return None
        for line in reversed(lines):
            try:
                return _progress(json.loads(line))
            except (ValueError, TypeError, KeyError, AttributeError):
                continue
        return None

    def _whole_lines(self, file: IO[bytes]) -> list[bytes]:
        if file.seek(0, os.SEEK_END) < self._offset:  # a resumed run drops what came after its checkpoint
            self._offset = 0
        file.seek(self._offset)
        whole = file.read().rpartition(b"\n")[0]
        self._offset += len(whole) + bool(whole)
        return whole.split(b"\n")


def _progress(line: dict[str, Any]) -> TrialProgress:
    return TrialProgress(
        stage=str(line["stage"]),
        fraction=min(1.0, max(0.0, float(line["fraction"]))),
        losses={str(name): float(value) for name, value in line["losses"].items()},
        samples_per_second=float(line["samples_per_second"]),
        seconds=float(line["seconds"]),
    )


@contextmanager
def _signals() -> Iterator[list[int]]:
    """Collect Ctrl-C and SIGTERM instead of being ended by them."""
    received: list[int] = []
    previous: dict[int, Any] = {}
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            previous[number] = signal.signal(number, lambda number, _: received.append(number))
    except ValueError:  # only the main thread may; elsewhere whoever called us deals with signals
        pass
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
