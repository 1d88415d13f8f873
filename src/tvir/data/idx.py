"""An MNIST-style folder of IDX files, compressed or not."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from tvir.contracts.data import Array
from tvir.contracts.errors import TvirError
from tvir.data.blocks import Block, PixelBlock
from tvir.data.files import FileState, hash_files, printable, refuse_pointer
from tvir.data.labels import index_labels
from tvir.data.source import Contents, Progress, Source

_IMAGES = re.compile(r"(?P<before>.*?)(?P<split>train|t10k|test)-images[-.]idx[34]-ubyte(\.gz)?", re.IGNORECASE)

_SPLITS = {"train": "train", "t10k": "test", "test": "test"}

_BLOCK = 256

_MOST_UNPACKED = 1040
"""Deflate packs at most 1032 to 1: a header that promises more than that lies."""

_LARGEST_SIDE = 4096


@dataclass(frozen=True, kw_only=True)
class _Part:
    """One split: its images and, perhaps, its labels."""

    split: str
    images: Path
    labels: Path | None


class IdxFolder(Source):
    """``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte``, ``t10k-...`` and so on (LeCun's MNIST format).

    Args:
        root: The folder they lie in.
    """

    expects = "an IDX folder like MNIST's"

    def __init__(self, root: Path) -> None:
        self.root = root
        self.parts = _find(root)

    @classmethod
    def recognise(cls, reference: str) -> Source | None:
        root = Path(reference).expanduser()
        try:
            return cls(root) if root.is_dir() and _find(root) else None
        except OSError:
            return None

    def content_hash(self, progress: Progress) -> str:
        paths = [path for part in self.parts for path in (part.images, part.labels) if path]
        return hash_files([FileState.of(path) for path in paths], progress)

    def contents(self) -> Contents:
        shapes = [_image_shape(part.images) for part in self.parts]
        found = [_read_labels(part, shape[0]) for part, shape in zip(self.parts, shapes, strict=True)]
        counts = tuple((part.split, shape[0]) for part, shape in zip(self.parts, shapes, strict=True))
        labels = index_labels(np.concatenate(found))
        return Contents(
            count=sum(count for _, count in counts),
            splits=counts,
            labels=labels.indices,
            classes=labels.classes,
            findings=labels.findings,
        )

    def blocks(self) -> Iterator[Block]:
        for part in self.parts:
            with _opened(part.images) as (stream, shape):
                count, *row_shape = shape
                pixels = row_shape if len(row_shape) == 3 else [*row_shape, 1]
                for start in range(0, count, _BLOCK):
                    wanted = min(_BLOCK, count - start)
                    content = _exactly(stream, wanted * int(np.prod(row_shape)), part.images, shape)
                    yield PixelBlock(np.frombuffer(content, np.uint8).reshape(wanted, *pixels))
                if stream.read(1):
                    raise TvirError(f"{_name(part.images)} is longer than its header says")


def _find(root: Path) -> list[_Part]:
    """The splits in a folder, train first; unpacked files are preferred to the same packed."""
    parts: dict[str, _Part] = {}
    for path in sorted(root.iterdir(), key=lambda path: (path.suffix.lower() == ".gz", path.name)):
        match = _IMAGES.fullmatch(path.name)
        if match and path.is_file() and _SPLITS[match["split"].lower()] not in parts:
            stem = re.escape(match["before"] + match["split"])
            labels = re.compile(stem + r"-labels[-.]idx1-ubyte(\.gz)?", re.IGNORECASE)
            beside = sorted(found for found in root.iterdir() if labels.fullmatch(found.name))
            split = _SPLITS[match["split"].lower()]
            parts[split] = _Part(split=split, images=path, labels=beside[0] if beside else None)
    return [parts[split] for split in ("train", "test") if split in parts]


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO | gzip.GzipFile, tuple[int, ...]]]:
    """A stream at the first element, and the shape that the header says.

    The header (http://yann.lecun.com/exdb/mnist): two zero bytes, the type (8 is uint8), the number of dimensions,
    then each dimension as a big-endian int32.
    """
    refuse_pointer(path)
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as stream:
            head = stream.read(4)
            if len(head) < 4 or head[:2] != b"\0\0" or head[2] != 8 or head[3] not in (1, 3, 4):
                raise TvirError(f"{_name(path)} is no IDX file of bytes: it begins with {head.hex(' ') or 'nothing'}")
            sizes = stream.read(4 * head[3])
            if len(sizes) < 4 * head[3]:
                raise TvirError(f"{_name(path)} is truncated inside its header")
            yield stream, tuple(int(size) for size in np.frombuffer(sizes, ">u4"))
    except (OSError, EOFError, zlib.error) as error:
        raise TvirError(f"{_name(path)} is truncated or corrupt: {error}") from None


def _image_shape(path: Path) -> tuple[int, ...]:
    with _opened(path) as (_, shape):
        sides = shape[1:]
        if len(shape) < 3 or (len(shape) == 4 and shape[3] not in (1, 3, 4)):
            raise TvirError(f"{_name(path)} holds no images: its shape is {' x '.join(map(str, shape))}")
        if not all(1 <= side <= _LARGEST_SIDE for side in sides[:2]):
            raise TvirError(f"{_name(path)} promises images of {' x '.join(map(str, sides))}, which none are")
        size = path.stat().st_size * (_MOST_UNPACKED if path.suffix.lower() == ".gz" else 1)
        if int(np.prod(shape, dtype=object)) > size:
            promised = f"{shape[0]:,} images of {' x '.join(map(str, sides))}"
            raise TvirError(
                f"{_name(path)} is truncated: its header promises {promised}, the file is too short for them"
            )
        return shape


def _read_labels(part: _Part, count: int) -> Array:
    if part.labels is None:
        return np.full(count, -1, np.int64)
    with _opened(part.labels) as (stream, shape):
        if shape != (count,):
            found = f"{shape[0]:,} labels" if len(shape) == 1 else "no labels"
            raise TvirError(f"{_name(part.labels)} holds {found}, {_name(part.images)} {count:,} images")
        return np.frombuffer(_exactly(stream, count, part.labels, shape), np.uint8).astype(np.int64)


def _exactly(stream: BinaryIO | gzip.GzipFile, size: int, path: Path, shape: tuple[int, ...]) -> bytes:
    content = stream.read(size)
    if len(content) < size:
        raise TvirError(f"{_name(path)} is truncated: its header promises {' x '.join(map(str, shape))} bytes")
    return content


def _name(path: Path) -> str:
    return printable(path.name)
