"""One judge for all runs of a comparison, working where no trial needs the cores."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
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
from tvir.workflows.planning import Reading
from tvir.workflows.run import Run


class Jury:
    """Judges finished runs one after the other, in the background once it has begun.

    When fewer trials are left than cores, the rest of the machine would stand idle while the last of them use up
    their budget. The jury keeps to the threads of one trial, so that it takes nothing from those that still train.

    Args:
        dataset: What all runs have learnt from.
        limit: The most real and generated examples that are compared.
        threads: Of one trial.
        judged: Told how many runs have been judged.
        progress: Told how far the preparation of the judge has come.
        pictured: Folders of the runs whose evidence is kept for the figures of a report.
        weights: Files of pretrained weights to look through as well.
    """

    def __init__(
        self,
        dataset: Dataset,
        limit: int,
        threads: int,
        judged: Callable[[int], None],
        progress: Reading | None,
        pictured: Collection[Path] = (),
        weights: Sequence[Path] = (),
    ) -> None:
        self._dataset = dataset
        self._limit = limit
        self._weights = weights
        self._threads = threads
        self._judged = judged
        self._progress = progress
        self._pictured = frozenset(pictured)
        self._finished: queue.SimpleQueue[Path | None] = queue.SimpleQueue()
        self._cards: dict[Path, Scorecard] = {}
        self._evidence: dict[Path, Evidence] = {}
        self._floor_spreads: dict[Key, float] = {}
        self._failure: BaseException | None = None
        self._thread: threading.Thread | None = None

    def receive(self, path: Path) -> None:
        """A run has finished and waits to be judged."""
        self._finished.put(path)

    def begin(self) -> None:
        """Start judging what has been received and what still comes; once is enough."""
        if self._thread is None:
            # A daemon: whoever interrupts the comparison does not wait for a verdict.
            self._thread = threading.Thread(target=self._work, daemon=True)
            self._thread.start()

    def cards(self) -> dict[Path, Scorecard]:
        """The scorecards of all runs received, once they are there."""
        self.begin()
        self._finished.put(None)
        while self._thread and self._thread.is_alive():
            self._thread.join(0.2)  # in short pieces, so that Ctrl-C is heard
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

    def _work(self) -> None:
        before = torch.get_num_threads()
        try:
            torch.set_num_threads(self._threads)
            with threadpool_limits(self._threads):
                self._judge_all()
        except BaseException as error:
            self._failure = error
        finally:
            torch.set_num_threads(before)

    def _judge_all(self) -> None:
        judge = Judge(self._dataset, limit=self._limit, weights=self._weights, progress=self._preparing)
        self._progress = None  # from here on whole runs are counted
        while (path := self._finished.get()) is not None:
            run = Run(path)
            judgement = judge_run(judge, run, self._dataset)
            self._cards[path] = judgement.card
            if path in self._pictured and (found := judgement.evidence()) is not None:
                self._evidence[path] = found
            write_atomically(run.folder.scorecard_path, to_json(self._cards[path]))
            self._judged(len(self._cards))
        self._floor_spreads = judge.floor_spreads()

    def _preparing(self, description: str, done: int, total: int) -> None:
        if self._progress is not None:
            self._progress(description, done, total)
