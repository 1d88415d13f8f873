"""A run: one model trained on one dataset within one budget, as a folder a person can read."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from tvir.contracts.budget import Spent
from tvir.contracts.data import END, DataSpec, ImageSpec, TextSpec, VectorSpec
from tvir.contracts.errors import UsageError
from tvir.contracts.faults import first_fault
from tvir.contracts.pieces import MOST_PIECES, read_piece, write_piece

SCHEMA = 1
"""Version of run.json."""

_LARGEST_RECORD = 4 * 2**20
"""Bytes of a run.json that is worth reading; real ones are a few kilobytes."""

_LARGEST_SIDE = 2**20
"""No side, feature count or vocabulary is larger; a stranger's file must not make us allocate without bound."""

Status = Literal["planned", "running", "interrupted", "finished", "failed"]
Scalar = bool | int | float | str | None


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, kw_only=True)
class SpecRecord:
    """A ``DataSpec`` in JSON: its kind and its numbers."""

    kind: Literal["image", "vector", "text"]
    size: tuple[int, ...]
    classes: tuple[str, ...] = ()
    channel_classes: tuple[str, ...] = ()
    pieces: tuple[str, ...] = ()

    @staticmethod
    def of(spec: DataSpec) -> SpecRecord:
        """The record of a spec."""
        match spec:
            case ImageSpec():
                return SpecRecord(
                    kind="image",
                    size=(spec.channels, spec.height, spec.width),
                    classes=spec.classes,
                    channel_classes=spec.channel_classes,
                )
            case VectorSpec():
                return SpecRecord(kind="vector", size=(spec.features,), classes=spec.classes)
            case TextSpec():
                return SpecRecord(
                    kind="text",
                    size=(spec.vocabulary, spec.length),
                    classes=spec.classes,
                    pieces=tuple(map(write_piece, spec.pieces)),
                )
        raise TypeError(f"no record for {type(spec).__name__}")

    def spec(self) -> DataSpec:
        """The spec this record describes.

        Raises:
            UsageError: The numbers do not make a spec, or one too large to be meant.
        """
        wanted = {"image": 3, "vector": 1, "text": 2}[self.kind]
        if len(self.size) != wanted or not all(1 <= number <= _LARGEST_SIDE for number in self.size):
            raise UsageError(f"run.json: {list(self.size)} is no size for {self.kind} data")
        match self.kind:
            case "image":
                channels, height, width = self.size
                if self.channel_classes and len(self.channel_classes) ** min(channels, 4) != len(self.classes):
                    raise UsageError("run.json: the classes are not made of the classes of the channels")
                return ImageSpec(
                    channels=channels,
                    height=height,
                    width=width,
                    classes=self.classes,
                    channel_classes=self.channel_classes,
                )
            case "vector":
                return VectorSpec(features=self.size[0], classes=self.classes)
            case "text":
                vocabulary, length = self.size
                return TextSpec(vocabulary=vocabulary, length=length, classes=self.classes, pieces=self._pieces())

    def _pieces(self) -> tuple[bytes, ...]:
        if not self.pieces:
            return ()
        if len(self.pieces) != self.size[0] or len(self.pieces) > MOST_PIECES or self.pieces[END]:
            raise UsageError("run.json: the pieces of the vocabulary do not fit its size")
        return tuple(map(read_piece, self.pieces))


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, kw_only=True)
class DataRecord:
    """Which data a run learns from, and how to notice that it has changed."""

    reference: str
    options: dict[str, Scalar] = field(default_factory=dict)
    fingerprint: str
    spec: SpecRecord


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, kw_only=True)
class StartRecord:
    """Another run, from whose averaged weights this one begins.

    Args:
        run: Its folder.
        step: Of the checkpoint that was taken.
        weights: sha256 of the weights, a copy of which lies in this run.
    """

    run: str
    step: int
    weights: str


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, kw_only=True)
class Precision:
    """How arithmetic is done: decided once per run by a measurement, then kept."""

    autocast: Literal["bfloat16", "none"] = "none"
    memory_format: Literal["channels_last", "contiguous"] = "contiguous"
    decided_by: str = "default"


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """The content of run.json.

    Args:
        model: Name of a discovered model.
        config: The model's settings, as text or numbers.
        data: The data and its fingerprint.
        budget: As ``Budget.parse`` reads it.
        seed: Of weights, order and noise.
        status: ``planned`` runs have not taken a step yet.
        start: The run whose weights it begins from; None where they follow from the seed.
        precision: None until it has been decided.
        learning_rate_scale: 1, or less after a rollback.
        batch_halved: Whether a comparison gave it half of the batch it was planned with, for want of memory.
        spent: What the last checkpoint had used.
        stage_steps: Steps taken in each stage, as the last checkpoint knew them; empty in records of old.
        peak_memory: Largest resident memory of a training process in bytes; None in records of old.
        versions: Of tvir, torch and Python.
        failure: What was seen and what to try, for failed runs.
        findings: What was noticed about the data and on the way.
    """

    schema: Literal[1] = 1
    model: str
    config: dict[str, Any] = field(default_factory=dict)
    data: DataRecord
    budget: str
    seed: int
    status: Status = "planned"
    start: StartRecord | None = None
    precision: Precision | None = None
    learning_rate_scale: float = 1.0
    batch_halved: bool = False
    spent: Spent = field(default_factory=Spent)
    stage_steps: dict[str, int] = field(default_factory=dict)
    peak_memory: int | None = None
    versions: dict[str, str] = field(default_factory=dict)
    failure: str | None = None
    findings: tuple[str, ...] = ()


_RECORD = TypeAdapter(RunRecord)


@dataclass(frozen=True)
class RunFolder:
    """Where the parts of a run are kept. Opening one reads nothing."""

    path: Path

    @property
    def record_path(self) -> Path:
        return self.path / "run.json"

    @property
    def metrics_path(self) -> Path:
        return self.path / "metrics.jsonl"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def start_path(self) -> Path:
        return self.path / "start.safetensors"

    @property
    def samples(self) -> Path:
        return self.path / "samples"

    @property
    def scorecard_path(self) -> Path:
        return self.path / "scorecard.json"

    @property
    def report_path(self) -> Path:
        return self.path / "report.html"

    def read(self) -> RunRecord:
        """The validated record.

        Raises:
            UsageError: There is no run here, or run.json is not one.
        """
        try:
            if self.record_path.stat().st_size > _LARGEST_RECORD:
                raise UsageError(f"{self.record_path} is too large to be a run's record")
            return _RECORD.validate_json(self.record_path.read_bytes())
        except FileNotFoundError:
            raise UsageError(f"{self.path} is no run: it has no run.json; make one with: tvir train MODEL") from None
        except ValidationError as error:
            raise UsageError(f"{self.record_path} cannot be read as a run: {first_fault(error)}") from None

    def write(self, record: RunRecord) -> None:
        """Replace run.json atomically."""
        self.path.mkdir(parents=True, exist_ok=True)
        write_atomically(self.record_path, _RECORD.dump_json(record, indent=2) + b"\n")

    def update(self, **changes: Any) -> RunRecord:
        """Change some fields of the record on disk."""
        record = replace(self.read(), **changes)
        self.write(record)
        return record

    def metrics(self) -> Iterator[dict[str, Any]]:
        """The logged steps. A last line cut short by a crash is passed over."""
        if not self.metrics_path.exists():
            return
        for line in self.metrics_path.read_text("utf-8").split("\n"):
            try:
                yield json.loads(line)
            except json.JSONDecodeError:
                continue


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a crash leaves either the old content or the new."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make the names in a directory as durable as the files."""
    directory = os.open(path, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
