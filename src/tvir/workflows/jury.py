"""The judges of all runs of a comparison, working where no trial needs the cores."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path

import sklearn.ensemble  # noqa: F401 - its OpenMP must be there before it can be told how many threads to take
import torch
from threadpoolctl import threadpool_limits

from tvir.contracts.data import Dataset
from tvir.contracts.evidence import Evidence
from tvir.contracts.metric import Scorecard
from tvir.contracts.run import write_atomically
from tvir.evaluation.measuring import Key
from tvir.evaluation.scorecard import Judge, to_json
from tvir.workflows.evaluate import judge_run
from tvir.workflows.juror import Juror
from tvir.workflows.requesting import Reading
from tvir.workflows.run import Run
from tvir.workflows.trials import Cores

_WORTH_A_JUROR = 4
"""Runs that must wait before another process is started, which first measures the real data again."""


class Jury:
    """Judges finished runs in the background once it has begun, with more processes when nothing trains any more.

    When fewer trials are left than cores, the rest of the machine would stand idle while the last of them use up
    their budget: one run is judged after the other then, with the threads of one trial, so that nothing is taken from
    those that still train. Once all have ended there are as many judges as there were trials side by side.

    Args:
        dataset: What all runs have learnt from.
        limit: The most real and generated examples that are compared.
        cores: How they are shared out.
        judged: Told how many runs have been judged.
        progress: Told how far the preparation of the judge has come.
        pictured: Folders of the runs whose evidence is kept for the figures of a report.
        weights: Files of pretrained weights to look through as well.
    """

    def __init__(
        self,
        dataset: Dataset,
        limit: int,
        cores: Cores,
        judged: Callable[[int], None],
        progress: Reading | None,
        pictured: Collection[Path] = (),
        weights: Sequence[Path] = (),
    ) -> None:
        self._dataset = dataset
        self._limit = limit
        self._weights = weights
        self._cores = cores
        self._judged = judged
        self._progress = progress
        self._pictured = frozenset(pictured)
        self._waiting: list[Path] = []
        self._all_received = False
        self._changed = threading.Condition()
        self._cards: dict[Path, Scorecard] = {}
        self._evidence: dict[Path, Evidence] = {}
        self._floor_spreads: dict[Key, float] = {}
        self._failure: BaseException | None = None
        self._jurors: list[Juror] = []
        self._threads: list[threading.Thread] = []

    def receive(self, path: Path) -> None:
        """A run has finished and waits to be judged."""
        with self._changed:
            self._waiting.append(path)
            self._changed.notify()

    def begin(self) -> None:
        """Start judging what has been received and what still comes; once is enough."""
        if not self._threads:
            self._start(self._judge_here)

    def cards(self) -> dict[Path, Scorecard]:
        """The scorecards of all runs received, once they are there."""
        self.begin()
        with self._changed:
            first, self._all_received = not self._all_received, True
            self._changed.notify_all()
            wanted = min(self._cores.jobs - 1, len(self._waiting) // _WORTH_A_JUROR) if first else 0
        for _ in range(wanted):
            self._start(self._judge_elsewhere)
        try:
            while self._failure is None and any(thread.is_alive() for thread in self._threads):
                self._threads[0].join(0.2)  # in short pieces, so that Ctrl-C is heard
        finally:
            for juror in self._jurors:
                juror.dismiss()
        if self._failure is not None:
            raise self._failure
        return self._cards

    @property
    def evidence(self) -> Mapping[Path, Evidence]:
        """What lies behind the scorecards of the pictured runs; complete once ``cards`` has returned."""
        return self._evidence

    def floor_spreads(self) -> dict[Key, float]:
        """Standard error of the floor by metric and space, once the scorecards are there."""
        self.cards()
        return self._floor_spreads

    def _start(self, work: Callable[[], None]) -> None:
        # A daemon: whoever interrupts the comparison does not wait for a verdict.
        self._threads.append(threading.Thread(target=self._guarded, args=[work], daemon=True))
        self._threads[-1].start()

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            self._failure = self._failure or error

    def _judge_here(self) -> None:
        with _threads(self._cores.threads):
            judge = Judge(self._dataset, limit=self._limit, weights=self._weights, progress=self._preparing)
            self._progress = None  # from here on whole runs are counted
            while (path := self._next(lambda path: True)) is not None:
                run = Run(path)
                judgement = judge_run(judge, run, self._dataset)
                if path in self._pictured and (found := judgement.evidence()) is not None:
                    self._evidence[path] = found
                write_atomically(run.folder.scorecard_path, to_json(judgement.card))
                self._keep(path, judgement.card)
            self._floor_spreads = judge.floor_spreads()

    def _judge_elsewhere(self) -> None:
        juror = Juror(self._limit, self._weights, self._cores.threads)
        self._jurors.append(juror)
        # Evidence stays in the process that found it.
        while (path := self._next(lambda path: path not in self._pictured)) is not None:
            self._keep(path, juror.judge(path))

    def _next(self, wanted: Callable[[Path], bool]) -> Path | None:
        """The run to judge next, or None once none will come any more."""
        with self._changed:
            while True:
                if found := next(filter(wanted, self._waiting), None):
                    self._waiting.remove(found)
                    return found
                if self._all_received:
                    return None
                self._changed.wait()

    def _keep(self, path: Path, card: Scorecard) -> None:
        with self._changed:
            self._cards[path] = card
            self._judged(len(self._cards))

    def _preparing(self, description: str, done: int, total: int) -> None:
        if self._progress is not None:
            self._progress(description, done, total)


@contextlib.contextmanager
def _threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(number)
        with threadpool_limits(number):
            yield
    finally:
        torch.set_num_threads(before)
