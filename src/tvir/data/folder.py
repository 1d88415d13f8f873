"""A folder of images, with or without a folder per class and per split."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from tvir.contracts.data import Array
from tvir.contracts.errors import TvirError
from tvir.data.blocks import Block, EncodedBlock, Unreadable
from tvir.data.files import FileState, hash_files, list_files, printable
from tvir.data.images import MOST_BYTES, SUFFIXES
from tvir.data.labels import natural_order
from tvir.data.source import Contents, Progress, Source
from tvir.data.splits import SPLIT_NAMES, SPLITS, name_keys

_BLOCK = 64


@dataclass(frozen=True, kw_only=True)
class _Layout:
    """The files of a folder in the order of their splits, what splits there are, and each file's class."""

    files: tuple[FileState, ...]
    splits: tuple[tuple[str, int], ...]
    classes: tuple[str, ...]
    labels: Array | None
    findings: tuple[str, ...]


class ImageFolder(Source):
    """All files below a folder, tried as images.

    Folders named train, validation (val, valid, dev) and test at the top are its splits; below them, or below the
    top, two or more folders with images in them are classes, however deep the images lie.

    Args:
        root: The folder.
    """

    expects = "a folder of images"
    precedence = -10  # any folder could be one

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def recognise(cls, reference: str) -> Source | None:
        root = Path(reference).expanduser()
        return cls(root) if root.is_dir() else None

    def content_hash(self, progress: Progress) -> str:
        return hash_files(self._files, progress)

    def contents(self) -> Contents:
        layout = self._layout
        return Contents(
            count=len(layout.files),
            splits=layout.splits,
            labels=layout.labels,
            classes=layout.classes,
            encoded_bytes=sum(file.size for file in layout.files),
            split_keys=name_keys(os.fsencode(file.name) for file in layout.files),
            findings=layout.findings,
        )

    def blocks(self) -> Iterator[Block]:
        files = self._layout.files
        for start in range(0, len(files), _BLOCK):
            some = files[start : start + _BLOCK]
            yield EncodedBlock(tuple(file.name for file in some), tuple(map(_content, some)))

    @cached_property
    def _files(self) -> tuple[FileState, ...]:
        files = tuple(list_files(self.root))
        if not files:
            raise TvirError(f"the folder {printable(str(self.root))} is empty; expected images in it")
        return files

    @cached_property
    def _layout(self) -> _Layout:
        return _arrange(self._files)


def _content(file: FileState) -> Path | Unreadable:
    if not file.regular:
        return Unreadable("no regular file")
    if file.size > MOST_BYTES:
        return Unreadable(f"{file.size:,} bytes, more than the {MOST_BYTES:,} that are read of one image")
    return file.path


def _arrange(files: Sequence[FileState]) -> _Layout:
    """Recognise splits and classes in the names of files."""
    parts = [file.name.split("/") for file in files]
    depth = _shared_depth(parts)
    splits = [SPLIT_NAMES.get(part[depth].lower()) if len(part) > depth + 1 else None for part in parts]
    findings: list[str] = []
    if len({split for split in splits if split}) >= 2 and "train" in splits:
        outside = splits.count(None)
        if outside:
            findings.append(f"files outside the train, validation and test folders are passed over: {outside:,}")
        order = sorted(
            (index for index, split in enumerate(splits) if split),
            key=lambda index: (SPLITS.index(splits[index] or ""), files[index].name),
        )
        files, parts = [files[index] for index in order], [parts[index] for index in order]
        found = [splits[index] for index in order]
        counts = tuple((name, found.count(name)) for name in SPLITS if name in found)
        depth += 1
    else:
        counts = ()
    classes, labels = _classes(files, parts, depth)
    return _Layout(files=tuple(files), splits=counts, classes=classes, labels=labels, findings=tuple(findings))


def _shared_depth(parts: Sequence[Sequence[str]]) -> int:
    """How many folders at the top hold everything and mean nothing."""
    depth = 0
    while all(len(part) > depth + 1 for part in parts) and len({part[depth] for part in parts}) == 1:
        depth += 1
    return depth


def _classes(
    files: Sequence[FileState], parts: Sequence[Sequence[str]], depth: int
) -> tuple[tuple[str, ...], Array | None]:
    """Class names and labels from the folders at a depth; images beside those folders are unlabelled."""
    likely = [file.name.lower().endswith(SUFFIXES) for file in files]
    if not any(likely):
        likely = [True] * len(files)
    owners = [part[depth] if len(part) > depth + 1 else None for part in parts]
    names = sorted({owner for owner, image in zip(owners, likely, strict=True) if image and owner}, key=natural_order)
    if len(names) < 2:
        return (), None
    positions = {name: index for index, name in enumerate(names)}
    labels = np.array([positions.get(owner or "", -1) for owner in owners], np.int64)
    return tuple(map(printable, names)), labels
