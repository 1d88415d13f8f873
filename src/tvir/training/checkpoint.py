"""Checkpoints: written so that a crash at any moment leaves a good one, read so that a stranger's can do no harm."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from safetensors import SafetensorError
from torch import Tensor, nn

from tvir.contracts.errors import TvirError, UsageError
from tvir.contracts.faults import first_fault
from tvir.contracts.run import RunFolder
from tvir.contracts.tensors import read_tensors, write_tensors
from tvir.training.position import Position

WEIGHTS, AVERAGED, OPTIMISERS = "weights.safetensors", "averaged.safetensors", "optimisers.safetensors"
_STATE, _MANIFEST = "state.json", "manifest.json"
_PARTS = (WEIGHTS, AVERAGED, OPTIMISERS, _STATE)

_LARGEST_JSON = 2**20
"""Bytes of a state.json or manifest.json worth reading; real ones are under a kilobyte."""

_KEPT = 2
"""Checkpoints that are kept: the newest, and one more in case it rots."""


class NotSavedError(TvirError):
    """A checkpoint could not be written, most often because the disk is full; the one before it is untouched."""


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, kw_only=True)
class _Seal:
    """Size and hash of one file."""

    bytes: int
    sha256: str


_POSITION = TypeAdapter(Position)
_SEALS = TypeAdapter(dict[str, _Seal])


@dataclass(frozen=True, kw_only=True)
class Content:
    """Everything that a training is continued from.

    Args:
        position: Counters.
        weights: The model's state.
        averaged: The same names with averaged weights.
        optimisers: The state of the stage's optimisers.
    """

    position: Position
    weights: Mapping[str, Tensor]
    averaged: Mapping[str, Tensor]
    optimisers: Mapping[str, Tensor]

    @property
    def bytes(self) -> int:
        """What it takes on disk, nearly."""
        return sum(
            tensor.numel() * tensor.element_size()
            for part in (self.weights, self.averaged, self.optimisers)
            for tensor in part.values()
        )


def save_checkpoint(folder: RunFolder, content: Content) -> Path:
    """Write a checkpoint named by its step, durably, then remove all but the newest two.

    Raises:
        NotSavedError: There is not twice the space it needs, or the disk refused; nothing was changed.
    """
    root = folder.checkpoints
    root.mkdir(parents=True, exist_ok=True)
    step = content.position.steps
    clear_leftovers(folder)
    free = shutil.disk_usage(root).free
    if free < 2 * content.bytes:
        raise NotSavedError(
            _not_saved(root, f"{free / 1e6:.0f} MB are free, {2 * content.bytes / 1e6:.0f} MB are needed")
        )
    temporary = root / f".{step}.{os.getpid()}.tmp"
    try:
        _write(temporary, content)
        final = _move(temporary, root / str(step))
    except (OSError, SafetensorError) as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise NotSavedError(_not_saved(root, str(error))) from None
    _verify(final)
    for old in _steps(folder)[_KEPT:]:
        shutil.rmtree(root / str(old), ignore_errors=True)
    return final


def clear_leftovers(folder: RunFolder) -> None:
    """Remove what a crash left half-written."""
    for path in folder.checkpoints.glob(".*.tmp"):
        shutil.rmtree(path, ignore_errors=True)


def newest_step(folder: RunFolder, notice: Callable[[str], None] = lambda text: None) -> int | None:
    """The highest step whose checkpoint verifies, or None. ``notice`` hears of those that do not."""
    for step in _steps(folder):
        try:
            _verify(folder.checkpoints / str(step))
        except UsageError as error:
            notice(f"{error}; looking for an older one")
            continue
        return step
    return None


def read_position(folder: RunFolder, step: int) -> Position:
    """The counters of a checkpoint.

    Raises:
        UsageError: state.json is not what this version writes.
    """
    path = folder.checkpoints / str(step) / _STATE
    try:
        return _POSITION.validate_json(_small_file(path))
    except ValidationError as error:
        raise UsageError(f"{path} cannot be read: {first_fault(error)}") from None


def weights_hash(folder: RunFolder, step: int) -> str:
    """The sha256 of a checkpoint's averaged weights, as its manifest has it.

    Raises:
        UsageError: There is no manifest that can be read.
    """
    path = folder.checkpoints / str(step) / _MANIFEST
    try:
        return _SEALS.validate_json(_small_file(path))[AVERAGED].sha256
    except (ValidationError, KeyError):
        raise UsageError(f"{path} does not name the averaged weights") from None


def read_part(folder: RunFolder, step: int, part: str, into: Mapping[str, Tensor]) -> None:
    """Copy one file of a checkpoint (``WEIGHTS``, ``AVERAGED``, ``OPTIMISERS``) into existing tensors.

    Raises:
        UsageError: Names, shapes or types are not exactly those expected.
    """
    read_tensors(folder.checkpoints / str(step) / part, into)


def load_weights(folder: RunFolder, model: nn.Module, *, averaged: bool = True) -> int:
    """Give a model the weights of the newest checkpoint that verifies.

    Args:
        folder: Of the run, perhaps a stranger's.
        model: Built from the run's record.
        averaged: The averaged weights rather than the last ones.

    Returns:
        The step of the checkpoint.

    Raises:
        UsageError: No checkpoint verifies, or it does not hold exactly this model's tensors.
    """
    refused: list[str] = []
    step = newest_step(folder, refused.append)
    if step is None:
        why = refused[0].removesuffix("; looking for an older one") if refused else "it has no checkpoint"
        raise UsageError(f"{folder.path} has no weights to load: {why}; train it with: tvir resume {folder.path}")
    read_part(folder, step, AVERAGED if averaged else WEIGHTS, model.state_dict())
    return step


def _write(temporary: Path, content: Content) -> None:
    temporary.mkdir()
    write_tensors(temporary / WEIGHTS, content.weights)
    write_tensors(temporary / AVERAGED, content.averaged)
    write_tensors(temporary / OPTIMISERS, content.optimisers)
    (temporary / _STATE).write_bytes(_POSITION.dump_json(content.position, indent=2) + b"\n")
    for part in _PARTS:
        _sync(temporary / part)
    seals = {part: _seal(temporary / part) for part in _PARTS}
    # The manifest comes last: a folder without one was never finished.
    (temporary / _MANIFEST).write_bytes(_SEALS.dump_json(seals, indent=2) + b"\n")
    _sync(temporary / _MANIFEST)
    _sync(temporary)


def _move(temporary: Path, final: Path) -> Path:
    if final.exists():
        # The same step again, after another stage was prepared; an older checkpoint stands in for a moment.
        aside = final.with_name(f".{final.name}.replaced.tmp")
        final.rename(aside)
        temporary.rename(final)
        shutil.rmtree(aside)
    else:
        temporary.rename(final)
    _sync(final.parent)
    return final


def _verify(path: Path) -> None:
    try:
        seals = _SEALS.validate_json(_small_file(path / _MANIFEST))
    except ValidationError:
        raise UsageError(f"{path} does not verify: its manifest cannot be read") from None
    if set(seals) != set(_PARTS):
        raise UsageError(f"{path} does not verify: its manifest names other files than a checkpoint has")
    for part, seal in seals.items():
        try:
            status = (path / part).lstat()
            if not stat.S_ISREG(status.st_mode) or status.st_size != seal.bytes or _seal(path / part) != seal:
                raise UsageError(f"{path} does not verify: {part} is not as it was written")
        except OSError:
            raise UsageError(f"{path} does not verify: {part} is missing") from None


def _seal(path: Path) -> _Seal:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return _Seal(bytes=path.stat().st_size, sha256=digest)


def _small_file(path: Path) -> bytes:
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST_JSON:
            raise UsageError(f"{path} is not what a checkpoint holds")
        return path.read_bytes()
    except OSError:
        raise UsageError(f"{path} is missing, so its checkpoint does not verify") from None


def _steps(folder: RunFolder) -> list[int]:
    """Steps of all checkpoints, the newest first, verified or not."""
    if not folder.checkpoints.is_dir():
        return []
    names = (entry.name for entry in folder.checkpoints.iterdir() if entry.is_dir())
    return sorted((int(name) for name in names if re.fullmatch(r"0|[1-9][0-9]{0,17}", name)), reverse=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _not_saved(root: Path, why: str) -> str:
    return (
        f"no checkpoint was written to {root} ({why}); the one before is kept; make room on the disk or mend the folder"
    )
