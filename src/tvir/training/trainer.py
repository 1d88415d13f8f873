"""The one trainer of all models."""

from __future__ import annotations

import torch

from tvir.contracts.budget import Budget
from tvir.contracts.data import Examples
from tvir.contracts.errors import TvirError, UsageError
from tvir.contracts.model import GenerativeModel
from tvir.contracts.run import Precision, RunFolder, RunRecord, Status
from tvir.training.allocator import keep_freed_memory
from tvir.training.divergence import refuse_bad_rows
from tvir.training.loop import Loop, Surroundings
from tvir.training.memory import TOO_LITTLE, ran_out
from tvir.training.observer import Observer
from tvir.training.precision import decide_precision
from tvir.training.processes import Processes
from tvir.training.signals import Interrupted, caught_signals


class Trainer:
    """Trains a model within the budget of its run, from the newest checkpoint that verifies if there is one.

    It owns optimisers, precision, averaged weights, counting, checkpoints, logs and processes; the model owns only the
    mathematics. Started by ``torchrun``, all processes make one batch together.

    Args:
        model: With the weights that a fresh run starts from.
        examples: The training split.
        folder: Of the run; holds run.json.
        observer: Told what happens, on the main process.
        checkpoint_seconds: Seconds between two checkpoints.
        preview_count: Images in a sample grid.
    """

    def __init__(
        self,
        model: GenerativeModel,
        examples: Examples,
        folder: RunFolder,
        *,
        observer: Observer | None = None,
        checkpoint_seconds: float = 60.0,
        preview_count: int = 64,
    ) -> None:
        self.model = model
        self.examples = examples
        self.folder = folder
        self.observer = observer or Observer()
        self.checkpoint_seconds = checkpoint_seconds
        self.preview_count = preview_count

    def run(self) -> RunRecord:
        """Train until the budget is spent. The model is left with its last weights, not the averaged ones.

        Returns:
            The final record, of status ``finished``.

        Raises:
            UsageError: The record or the data cannot be trained on; nothing was changed.
            Interrupted: Ctrl-C or SIGTERM; everything is saved.
            TvirError: Training failed; the record says why.
        """
        record = self.folder.read()
        Budget.parse(record.budget)
        refuse_bad_rows(self.examples)
        if not 0 < record.learning_rate_scale <= 1:
            raise UsageError(f"{self.folder.record_path}: learning_rate_scale must lie between 0 and 1")
        keep_freed_memory()
        # The caller's random numbers go on afterwards as if nothing had happened.
        with Processes.joined() as processes, torch.random.fork_rng(devices=[]), caught_signals() as signals:
            around = Surroundings(
                processes=processes,
                signals=signals,
                observer=self.observer if processes.main else Observer(),
                checkpoint_seconds=self.checkpoint_seconds,
                preview_count=self.preview_count,
            )
            processes.share(self.model.config.batch_size)
            self._train(record, around)
            processes.barrier()
            return self.folder.read()

    def _train(self, record: RunRecord, around: Surroundings) -> None:
        try:
            loop = Loop(self.model, self.examples, self.folder, self._begin(record, around), around)
            loop.run()
        except (Interrupted, KeyboardInterrupt):
            self._end(around, "interrupted", None)
            raise
        except Exception as error:
            if ran_out(error):
                self._end(around, "failed", TOO_LITTLE)
                raise TvirError(TOO_LITTLE) from error
            self._end(around, "failed", str(error).partition("\n")[0] or type(error).__name__)
            raise
        self._end(around, "finished", None)

    def _begin(self, record: RunRecord, around: Surroundings) -> RunRecord:
        """Decide the precision, once per run, and say that the run is running."""
        processes = around.processes
        precision = record.precision or decide_precision(self.model, self.examples, processes)
        if processes.main:
            self.folder.update(status="running", precision=precision, failure=None)
        processes.barrier()
        record = self.folder.read()
        if not isinstance(record.precision, Precision):
            raise UsageError(f"{self.folder.record_path} changed while training began; start it again")
        around.observer.started(record)
        return record

    def _end(self, around: Surroundings, status: Status, failure: str | None) -> None:
        if around.processes.main:
            around.observer.finished(self.folder.update(status=status, failure=failure))
