"""Beginning a run from the weights of another one: what it has learned is kept, what it learns from is new."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from tvir.contracts.data import DataSpec, ImageSpec
from tvir.contracts.errors import UsageError
from tvir.contracts.model import Conditional, GenerativeModel
from tvir.contracts.run import RunFolder, RunRecord, SpecRecord, StartRecord
from tvir.contracts.tensors import read_tensors
from tvir.training.checkpoint import AVERAGED, newest_step, weights_hash
from tvir.workflows.requesting import DataRequest
from tvir.workflows.run import load


@dataclass(frozen=True, kw_only=True)
class Start:
    """The averaged weights of another run, from which a new one begins.

    Args:
        path: Folder of that run.
        record: Its run.json.
        step: Of the checkpoint that is taken.
        weights: Hash of its averaged weights.
    """

    path: Path
    record: RunRecord
    step: int
    weights: str

    @staticmethod
    def of(path: Path | str) -> Start:
        """The newest weights of a run.

        Raises:
            UsageError: It is no run, or has no weights yet.
        """
        run = load(path)
        step = newest_step(run.folder)
        if step is None:
            raise UsageError(f"{run.path} has no weights to start from; train it with: tvir resume {run.path}")
        return Start(path=run.path.absolute(), record=run.record, step=step, weights=weights_hash(run.folder, step))

    @property
    def file(self) -> Path:
        return RunFolder(self.path).checkpoints / str(self.step) / AVERAGED

    def refuse_other_model(self, model: str) -> None:
        """Refuse weights of another model.

        Raises:
            UsageError: The run's model is another one.
        """
        if model != self.record.model:
            raise UsageError(
                f"{self.path} is a {self.record.model}, whose weights a {model} cannot start from; train "
                f"{self.record.model}, or leave --start-from out"
            )

    def request(self, asked: DataRequest) -> DataRequest:
        """Data as it was asked for, brought to the size that the weights were learned at unless another was named."""
        spec = self.record.data.spec.spec()
        if not isinstance(spec, ImageSpec):
            return asked
        return replace(asked, size=asked.size or (spec.height, spec.width), channels=asked.channels or spec.channels)

    def refuse_other_data(self, spec: DataSpec, kind: type[GenerativeModel]) -> None:
        """Refuse data of another shape; of a model that is asked for classes also data of other classes.

        Raises:
            UsageError: The data is not what the weights were learned from.
        """
        now, then = SpecRecord.of(spec), self.record.data.spec
        if _bare(now) != _bare(then):
            raise UsageError(
                f"{self.path} has learned {_described(then)}, and this is {_described(now)}; choose data of the same "
                "shape and vocabulary, or leave --start-from out"
            )
        if issubclass(kind, Conditional) and now.classes != then.classes:
            raise UsageError(
                f"{self.path} has learned the classes {_few(then.classes)}, and these are {_few(now.classes)}; choose "
                "data of the same classes, or leave --start-from out"
            )

    def give(self, model: GenerativeModel) -> None:
        """Copy the weights into a model.

        Raises:
            UsageError: The model was built with settings that gave it other tensors.
        """
        try:
            read_tensors(self.file, model.state_dict())
        except UsageError as error:
            raise UsageError(
                f"the settings make another network than that of {self.path} ({error}); leave them as they are there"
            ) from None

    def keep_in(self, folder: RunFolder) -> StartRecord:
        """Copy the weights into a new run, which then begins even when the other one has learned on or is gone."""
        folder.path.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.file, folder.start_path)
        return StartRecord(run=str(self.path), step=self.step, weights=self.weights)


def begin_from_start(folder: RunFolder, record: RunRecord, model: GenerativeModel) -> None:
    """Give a model the weights that its run starts from, where it starts from those of another run.

    Raises:
        UsageError: They are gone, or are not those that were copied.
    """
    if record.start is None:
        return
    try:
        with folder.start_path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        found = None
    if found != record.start.weights:
        raise UsageError(
            f"{folder.start_path} is not what the run was to start from; begin a new one with: "
            f"tvir train {record.model} --start-from {record.start.run}"
        )
    read_tensors(folder.start_path, model.state_dict())


def _bare(record: SpecRecord) -> SpecRecord:
    return replace(record, classes=(), channel_classes=())


def _described(record: SpecRecord) -> str:
    size = "x".join(map(str, record.size))
    return f"{record.kind} data of size {size}" + (f" with {len(record.pieces):,} tokens" if record.pieces else "")


def _few(classes: tuple[str, ...]) -> str:
    return ", ".join(classes[:8]) + (", ..." if len(classes) > 8 else "") if classes else "none"
