"""NumPy files: images or vectors, never pickled objects."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import numpy as np

from tvir.contracts.data import Array
from tvir.contracts.errors import TvirError
from tvir.data.blocks import Block, PixelBlock, VectorBlock
from tvir.data.files import FileState, hash_files, printable, refuse_pointer
from tvir.data.labels import Labels, index_labels
from tvir.data.source import Contents, Progress, Source

_SPLITS = {
    "": ("", "train", "training"),
    "validation": ("val", "valid", "validation"),
    "test": ("test",),
}

_ROWS = ("x", "images", "image", "imgs", "data", "samples", "arr_0")
_LABELS = ("y", "labels", "label", "targets", "arr_1")
_NAMES = ("classes", "class_names", "label_names")

_BLOCK_BYTES = 4 * 2**20

_MOST_LABELS = 2**31

_MOST_FEATURES = 2**20


@dataclass(frozen=True, kw_only=True)
class _Member:
    """One array in a file, known by its header alone.

    Args:
        file: The .npy or .npz file.
        member: Name inside the .npz, or None.
        shape: Shape of the array.
        dtype: Its type.
        fortran: Whether columns lie together instead of rows.
    """

    file: Path
    member: str | None
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool

    @property
    def name(self) -> str:
        return printable(self.file.name + (f": {self.member}" if self.member else ""))


@dataclass(frozen=True, kw_only=True)
class _Meaning:
    """How the numbers of an array become rows.

    Args:
        features: Length of a vector; None for images.
        channels_first: Whether images are stored as (C, H, W).
        scale: What a value is multiplied by to lie in 0 ... 255.
    """

    features: int | None
    channels_first: bool = False
    scale: float = 1.0


class NumpyFile(Source):
    """An .npy file of examples, or an .npz file of examples, labels and, perhaps, splits.

    Rows are called ``x``, ``images`` or ``arr_0``, labels ``y`` or ``labels``, the splits of either ``x_train``,
    ``x_test``, ``train_images``, ``val_labels`` and so on. Rows are images (N, H, W), (N, H, W, C) or (N, C, H, W),
    uint8 or floats in [0, 1]; or vectors (N, D).

    Args:
        path: The file.
    """

    expects = "an .npz or .npy file"

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def recognise(cls, reference: str) -> Source | None:
        path = Path(reference).expanduser()
        return cls(path) if path.suffix.lower() in (".npz", ".npy") and path.is_file() else None

    def content_hash(self, progress: Progress) -> str:
        return hash_files([FileState.of(self.path)], progress)

    def contents(self) -> Contents:
        counts = {split or "train": member.shape[0] for split, member in self._rows.items()}
        labels = self._labels()
        return Contents(
            count=sum(counts.values()),
            splits=tuple(counts.items()) if len(counts) > 1 else (),
            labels=labels.indices,
            classes=labels.classes,
            features=self._meaning.features,
            findings=(*self._about_values(), *labels.findings),
        )

    def blocks(self) -> Iterator[Block]:
        for member in self._rows.values():
            for values in _chunks(member):
                if self._meaning.features is not None:
                    yield VectorBlock(_as_vectors(values, member))
                else:
                    yield PixelBlock(_as_pixels(values, self._meaning))

    @cached_property
    def _members(self) -> dict[str, _Member]:
        refuse_pointer(self.path)
        return {member.member.lower() if member.member else "x": member for member in _list_members(self.path)}

    @cached_property
    def _rows(self) -> dict[str, _Member]:
        """The rows of each split, train first."""
        found = {split: member for split in _SPLITS if (member := _pick(self._members, _ROWS, split))}
        if not found or "" not in found:
            held = ", ".join(map(printable, self._members)) or "nothing"
            raise TvirError(f"{_name(self.path)} holds {held}; expected x, images or arr_0, or x_train and x_test")
        if len({member.shape[1:] for member in found.values()}) > 1:
            raise TvirError(f"{_name(self.path)}: the examples of its splits have different shapes")
        return found

    @cached_property
    def _meaning(self) -> _Meaning:
        ranges = [_value_range(member) for member in self._rows.values()]
        low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
        return _interpret(next(iter(self._rows.values())), low, high)

    def _about_values(self) -> tuple[str, ...]:
        findings: list[str] = []
        if self._meaning.channels_first:
            findings.append("the arrays are taken as (N, C, H, W)")
        if self._meaning.features is None and self._meaning.scale != 1:
            findings.append(f"pixel values are multiplied by {self._meaning.scale:g} to lie in 0 ... 255")
        return tuple(findings)

    def _labels(self) -> Labels:
        members = {split: _pick(self._members, _LABELS, split) for split in self._rows}
        if not any(members.values()):
            return Labels()
        values = [_read_labels(members[split], rows) for split, rows in self._rows.items()]
        named = next((self._members[name] for name in _NAMES if name in self._members), None)
        names = [str(name) for name in _read_small(named).ravel()] if named and named.dtype.kind in "US" else []
        if len({array.dtype.kind in "US" for array in values}) > 1:
            raise TvirError(f"{_name(self.path)}: the labels of one split are texts, those of another numbers")
        return index_labels(np.concatenate(values), names)


def _name(path: Path) -> str:
    return printable(path.name)


def _pick(members: dict[str, _Member], nouns: tuple[str, ...], split: str) -> _Member | None:
    for word in _SPLITS[split]:
        for noun in nouns:
            for name in (f"{noun}_{word}", f"{word}_{noun}") if word else (noun,):
                if name in members:
                    return members[name]
    return None


@contextmanager
def _opened(path: Path, member: str | None) -> Iterator[IO[bytes]]:
    try:
        if member is None:
            with path.open("rb") as stream:
                yield stream
        else:
            with zipfile.ZipFile(path) as archive, archive.open(member + ".npy") as stream:
                yield stream
    except (OSError, EOFError, ValueError, KeyError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise TvirError(f"{_name(path)} is truncated or corrupt: {printable(reason)}") from None


def _list_members(path: Path) -> Iterator[_Member]:
    if path.suffix.lower() == ".npy":
        yield _read_header(path, None, path.stat().st_size)
        return
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {info.filename: info.file_size for info in archive.infolist() if info.filename.endswith(".npy")}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise TvirError(f"{_name(path)} is no .npz file: {error}") from None
    for name, size in sizes.items():
        yield _read_header(path, name.removesuffix(".npy"), size)


def _read_header(path: Path, name: str | None, size: int) -> _Member:
    with _opened(path, name) as stream:
        shape, fortran, dtype = _parse_header(stream)
        member = _Member(file=path, member=name, shape=shape, dtype=dtype, fortran=fortran)
        if dtype.hasobject:
            raise TvirError(f"{member.name} holds pickled Python objects, which tvir never reads; save plain numbers")
        if size < stream.tell() + math.prod(shape) * dtype.itemsize:
            raise TvirError(f"{member.name} is truncated: it is shorter than its header says")
        return member


def _parse_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(stream)
    if version == (2, 0):
        return np.lib.format.read_array_header_2_0(stream)
    raise ValueError(f".npy format {version[0]}.{version[1]}, which plain arrays do not need")


def _chunks(member: _Member) -> Iterator[Array]:
    """The rows of an array, some megabytes at a time."""
    count, *row_shape = member.shape
    row_bytes = max(1, math.prod(row_shape) * member.dtype.itemsize)
    step = max(1, _BLOCK_BYTES // row_bytes)
    with _opened(member.file, member.member) as stream:
        _parse_header(stream)
        if member.fortran:  # rows are scattered over the whole array
            whole = np.frombuffer(_exactly(stream, count * row_bytes), member.dtype).reshape(member.shape, order="F")
            for start in range(0, count, step):
                yield np.ascontiguousarray(whole[start : start + step])
            return
        for start in range(0, count, step):
            wanted = min(step, count - start)
            yield np.frombuffer(_exactly(stream, wanted * row_bytes), member.dtype).reshape(wanted, *row_shape)


def _exactly(stream: IO[bytes], size: int) -> bytes:
    content = stream.read(size)
    if len(content) < size:
        raise EOFError("it ends before its header says")
    return content


def _value_range(member: _Member) -> tuple[float, float]:
    """The smallest and largest value; NaN and infinity are refused."""
    if member.dtype.kind not in "biuf":
        raise TvirError(f"{member.name} holds values of type {member.dtype}; expected uint8 or floats")
    if not member.shape or 0 in member.shape:
        raise TvirError(f"{member.name} is empty: its shape is {member.shape}")
    if member.dtype.kind in "bu" and member.dtype.itemsize == 1:
        return (0.0, 1.0 if member.dtype.kind == "b" else 255.0)
    low, high = math.inf, -math.inf
    for values in _chunks(member):
        low, high = min(low, float(values.min())), max(high, float(values.max()))
        if not (math.isfinite(low) and math.isfinite(high)):
            raise TvirError(f"{member.name} holds values that are not finite (NaN or infinity); take these rows out")
    return low, high


def _interpret(member: _Member, low: float, high: float) -> _Meaning:
    shape = member.shape
    if len(shape) == 2:
        if shape[1] > _MOST_FEATURES:
            raise TvirError(f"{member.name} holds vectors of {shape[1]:,} numbers, more than {_MOST_FEATURES:,}")
        return _Meaning(features=shape[1])
    channels_last = len(shape) == 4 and shape[3] in (1, 3, 4)
    channels_first = len(shape) == 4 and not channels_last and shape[1] in (1, 3, 4)
    if len(shape) != 3 and not channels_last and not channels_first:
        raise TvirError(
            f"{member.name} has the shape {shape}; expected images (N, H, W) or (N, H, W, C), or vectors (N, D)"
        )
    return _Meaning(features=None, channels_first=channels_first, scale=_scale(member, low, high))


def _scale(member: _Member, low: float, high: float) -> float:
    """What brings pixel values to 0 ... 255: said by the type, and by the range where the type leaves it open."""
    if low >= 0:
        if member.dtype.kind == "b" or (member.dtype.kind == "f" and high <= 1):
            return 255.0
        if member.dtype == np.uint16 and high > 255:
            return 255 / 65535
        if high <= 255:
            return 1.0
    raise TvirError(
        f"{member.name} holds pixel values from {low:g} to {high:g}; expected uint8, or floats from 0 to 1"
        + ("; (x + 1) / 2 mends it" if member.dtype.kind == "f" and low >= -1 and high <= 1 else "")
    )


def _as_vectors(values: Array, member: _Member) -> Array:
    vectors = values.astype(np.float32)
    if not np.isfinite(vectors).all():
        raise TvirError(f"{member.name} holds values that do not fit into float32")
    return vectors


def _as_pixels(values: Array, meaning: _Meaning) -> Array:
    if meaning.channels_first:
        values = values.transpose(0, 2, 3, 1)
    if values.ndim == 3:
        values = values[..., None]
    if values.dtype == np.uint8:
        return np.ascontiguousarray(values)
    return np.rint(values.astype(np.float32) * meaning.scale).astype(np.uint8)


def _read_labels(member: _Member | None, rows: _Member) -> Array:
    """The labels of one split: -1 everywhere if it has none."""
    if member is None:
        return np.full(rows.shape[0], -1, np.int64)
    if math.prod(member.shape) != rows.shape[0] or member.shape[0] != rows.shape[0]:
        raise TvirError(
            f"{member.name} has the shape {member.shape}; expected one label for each of {rows.shape[0]:,} examples"
        )
    return _read_small(member).reshape(-1)


def _read_small(member: _Member) -> Array:
    if math.prod(member.shape) * member.dtype.itemsize > _MOST_LABELS:
        raise TvirError(f"{member.name} is too large to be labels")
    return np.concatenate(list(_chunks(member))) if member.shape and member.shape[0] else np.empty(0, np.int64)
