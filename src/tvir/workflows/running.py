"""Training all trials of a comparison that are not finished, and keeping account of those that fail."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

from tvir.comparison.protocol import Trial
from tvir.contracts.errors import TvirError
from tvir.contracts.run import RunFolder, Status
from tvir.training.memory import TOO_LITTLE
from tvir.training.signals import Interrupted
from tvir.workflows.train import resume
from tvir.workflows.trials import Cores, TrialProgress, TrialsObserver, run_trials


def train_all(
    trials: Sequence[Trial],
    cores: Cores,
    observer: TrialsObserver,
    finished: Callable[[Path], None] = lambda path: None,
    spare: Callable[[], None] = lambda: None,
) -> dict[Path, str]:
    """Train what is not finished yet. A trial that fails is counted, and the others go on.

    One that fails for want of memory is tried once more with half of its batch; its record says so.

    Args:
        trials: Planned.
        cores: How many run side by side.
        observer: Told what happens to them.
        finished: Given the folder of every trial that is finished, of those that were before as well.
        spare: Called, perhaps again and again, while cores are idle.

    Returns:
        The reason by path for each trial that did not finish.

    Raises:
        Interrupted: A signal asked for it.
    """
    folders = [RunFolder(trial.path) for trial in trials]
    observer.planned(folders)
    clerk = _Clerk(observer, finished)
    waiting = []
    for folder in folders:
        if folder.read().status == "finished":
            clerk.ended(folder, "finished", "trained already")
        else:
            waiting.append(folder)
    while waiting:
        if received := run_trials(waiting, cores, clerk, spare=spare):
            raise Interrupted(received, "interrupted; the same command again finishes the rest")
        waiting = [folder for folder in waiting if folder.path in clerk.reasons and _halve(folder, observer)]
    return clerk.reasons


def fit_here(trials: Sequence[Trial], observer: TrialsObserver) -> None:
    """Train in this process what takes no steps: to start another takes longer than the fit.

    One that fails is left as failed, and ``train_all`` says so.
    """
    for trial in trials:
        folder = RunFolder(trial.path)
        if folder.read().status == "planned":
            observer.started(folder)
            with contextlib.suppress(TvirError):
                resume(trial.path)


def _halve(folder: RunFolder, observer: TrialsObserver) -> bool:
    """Give a trial that ran out of memory half of its batch, once; whether that was done."""
    if not folder.record_path.exists():
        return False
    record = folder.read()
    batch = record.config.get("batch_size", 1)
    if record.failure != TOO_LITTLE or record.batch_halved or batch < 2:
        return False
    text = f"out of memory with a batch of {batch}: trained with {batch // 2} instead"
    config = {**record.config, "batch_size": batch // 2}
    folder.update(config=config, batch_halved=True, failure=None, findings=(*record.findings, text))
    observer.noticed(f"{folder.path}: {text}")
    return True


class _Clerk(TrialsObserver):
    """Passes everything on, says which trials are finished, and remembers why others are not."""

    def __init__(self, observer: TrialsObserver, finished: Callable[[Path], None]) -> None:
        self._observer = observer
        self._finished = finished
        self.reasons: dict[Path, str] = {}

    def started(self, trial: RunFolder) -> None:
        self._observer.started(trial)

    def stepped(self, trial: RunFolder, progress: TrialProgress) -> None:
        self._observer.stepped(trial, progress)

    def ended(self, trial: RunFolder, status: Status, reason: str | None) -> None:
        if status == "finished":
            self.reasons.pop(trial.path, None)
            self._finished(trial.path)
        else:
            self.reasons[trial.path] = reason or status
        self._observer.ended(trial, status, reason)
