"""Decoded data on disk: written once, atomically, and mapped into memory from then on."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from tvir.contracts.cache import cache_directory
from tvir.contracts.data import Array, Examples
from tvir.contracts.errors import TvirError
from tvir.contracts.run import SpecRecord, write_atomically

_HEADER = 128
"""Bytes before the rows of a .npy file: fixed, so that it can be written when their number is known."""

_ABANDONED = 24 * 3600
"""Seconds after which a build that was never finished is removed."""


def data_directory() -> Path:
    """Where decoded data is kept.

    Raises:
        TvirError: The folder cannot be made.
    """
    folder = cache_directory() / "data"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TvirError(f"the cache {folder} cannot be made: {error.strerror}; set TVIR_CACHE to a folder") from None
    return folder


def remember(kind: str, key: str, text: str) -> None:
    """Keep a short text under a key, if that is possible: it only saves time."""
    folder = data_directory() / kind
    with contextlib.suppress(OSError):
        folder.mkdir(exist_ok=True)
        write_atomically(folder / key, text.encode())


def recall(kind: str, key: str) -> str | None:
    """The text kept under a key, if there is one."""
    try:
        return (data_directory() / kind / key).read_text("utf-8") or None
    except (OSError, UnicodeDecodeError):
        return None


@dataclass(frozen=True, kw_only=True)
class EntryRecord:
    """What is known of decoded data besides the rows themselves.

    Args:
        spec: What an example is.
        options: How the examples were read.
        splits: Number of rows of each split that has any.
        findings: What was noticed while decoding.
        dealing: How examples were dealt to splits that the source does not have.
        skipped: Number of undecodable examples; skipped.txt names them all.
        count: Number of examples in the source.
        shown: The first of the undecodable examples with their reasons.
        noun: What the examples are called, in the plural.
    """

    spec: SpecRecord
    options: dict[str, str | int | bool]
    splits: dict[str, int]
    findings: tuple[str, ...]
    dealing: tuple[str, ...]
    skipped: int
    count: int
    shown: tuple[str, ...]
    noun: str = "images"


_RECORD = TypeAdapter(EntryRecord)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Decoded data in the cache."""

    folder: Path
    record: EntryRecord
    splits: dict[str, Examples]

    @property
    def skipped_path(self) -> Path:
        return self.folder / "skipped.txt"

    def skipped_text(self) -> str:
        """How many examples are undecodable, and the first of them with their reasons."""
        hidden = self.record.skipped - len(self.record.shown)
        more = f"; and {hidden:,} more" if hidden else ""
        noun = "files" if self.record.noun == "images" else self.record.noun
        counted = f"{self.record.skipped:,} of {self.record.count:,} {noun} cannot be used"
        return f"{counted}: {'; '.join(self.record.shown)}{more}"


def open_entry(key: str) -> Entry | None:
    """The entry of a key, mapped but not read. One that is damaged is removed and counts as missing."""
    folder = data_directory() / key
    if not folder.exists():
        return None
    try:
        return load_entry(folder)
    except (OSError, ValueError, ValidationError, TvirError):
        _discard(folder)
        return None


def load_entry(folder: Path) -> Entry:
    """The entry in a folder, mapped but not read.

    Raises:
        ValueError: Rows, labels and record do not fit together.
    """
    record = _RECORD.validate_json((folder / "entry.json").read_bytes())
    splits = {name: _open_split(folder, name, record) for name in record.splits}
    if any(examples.rows.shape[1:] != examples.spec.row_shape for examples in splits.values()):
        raise ValueError("rows of another shape than the record says")
    return Entry(folder=folder, record=record, splits=splits)


def _open_split(folder: Path, name: str, record: EntryRecord) -> Examples:
    rows = np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
    labels_path = folder / f"{name}.labels.npy"
    labels = np.load(labels_path, mmap_mode="r", allow_pickle=False) if labels_path.exists() else None
    if len(rows) != record.splits[name] or (labels is not None and len(labels) != len(rows)):
        raise ValueError("another number of rows than the record says")
    return Examples(record.spec.spec(), rows, labels)


@contextmanager
def building(key: str) -> Iterator[Path]:
    """A folder to write an entry into, which appears under its key when the block ends without an error.

    Two processes may build the same entry at once: the first to finish wins, the other's work is dropped.
    """
    root = data_directory()
    _sweep(root)
    folder = Path(tempfile.mkdtemp(prefix=".building-", dir=root))
    try:
        yield folder
        # An entry of the same key holds the same content, so losing the race loses nothing.
        with contextlib.suppress(OSError):
            folder.rename(root / key)
    except OSError as error:
        raise TvirError(f"the cache {root} cannot be written: {error.strerror}; TVIR_CACHE moves it") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_record(folder: Path, record: EntryRecord) -> None:
    """Write the record: the last file of an entry."""
    write_atomically(folder / "entry.json", _RECORD.dump_json(record, indent=2))


class RowWriter:
    """Writes a .npy file row by row, so that no more than a block is ever held in memory.

    Args:
        path: The file.
        row_shape: Shape of one row.
        dtype: Type of the rows.
    """

    def __init__(self, path: Path, row_shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.path = path
        self.count = 0
        self._row_shape = row_shape
        self._dtype = np.dtype(dtype)
        self._file: IO[bytes] | None = None

    def write(self, rows: Array) -> None:
        """Append rows (N, *row_shape)."""
        if not len(rows):
            return
        if self._file is None:
            self._file = self.path.open("wb")
            self._file.write(b"\0" * _HEADER)
        self._file.write(np.ascontiguousarray(rows, self._dtype).data)
        self.count += len(rows)

    def close(self) -> None:
        """Write the header and make sure that everything is on the disk: half a file would pass for black images."""
        if self._file is None:
            return
        with self._file as file:
            file.seek(0)
            file.write(_npy_header((self.count, *self._row_shape), self._dtype))
            file.flush()
            os.fsync(file.fileno())

    def abandon(self) -> None:
        """Close the file whatever is in it."""
        if self._file is not None:
            self._file.close()


def _npy_header(shape: tuple[int, ...], dtype: np.dtype[Any]) -> bytes:
    """The header of format version 1.0, padded to a fixed length."""
    described = repr({"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape})
    magic = np.lib.format.magic(1, 0)
    length = _HEADER - len(magic) - 2
    return magic + length.to_bytes(2, "little") + described.encode("latin1").ljust(length - 1) + b"\n"


def require_space(size: int) -> None:
    """Complain before a disk is filled.

    Raises:
        TvirError: There is less room than ``size`` bytes in the cache.
    """
    folder = data_directory()
    free = shutil.disk_usage(folder).free
    if free < size:
        raise TvirError(
            f"the decoded data needs {size / 2**30:.1f} GiB in the cache {folder}, where {free / 2**30:.1f} GiB are "
            "free; make room, choose a smaller size, or move the cache with TVIR_CACHE"
        )


def _discard(folder: Path) -> None:
    """Move away first: another process must never see half of it."""
    aside = folder.with_name(f".building-discarded-{os.getpid()}-{time.time_ns()}")
    with contextlib.suppress(OSError):
        folder.rename(aside)
    shutil.rmtree(aside, ignore_errors=True)


def _sweep(root: Path) -> None:
    for left in root.glob(".building-*"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > _ABANDONED:
                shutil.rmtree(left, ignore_errors=True)


def recall_options(content: str, asked: dict[str, Any]) -> dict[str, Any] | None:
    """The options that an earlier reading of this content settled on when it was asked the same."""
    found = recall("options", _options_key(content, asked))
    return json.loads(found) if found else None


def remember_options(content: str, asked: dict[str, Any], settled: dict[str, Any]) -> None:
    """Keep what the options became, so that the images need not be measured again."""
    remember("options", _options_key(content, asked), json.dumps(settled))


def _options_key(content: str, asked: dict[str, Any]) -> str:
    # Hashed, since a wish may be a name that a stranger gave to a column.
    wishes = json.dumps(asked, sort_keys=True).encode()
    return f"{content}-{hashlib.blake2b(wishes, digest_size=8).hexdigest()}"
