"""Text from files: how lines are read, what is passed over, and running text in windows of equal length."""

from __future__ import annotations

import unicodedata
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import IO, ClassVar, Self

import numpy as np

from tvir.contracts.errors import TvirError
from tvir.data.blocks import Block, TextBlock, Unreadable
from tvir.data.files import FileState, has_files, hash_files, list_files, printable, refuse_pointer
from tvir.data.images import SUFFIXES
from tvir.data.labels import Labels, index_labels
from tvir.data.source import Contents, Progress, Source
from tvir.data.splits import named_parts

LONGEST_LINE = 2**20
"""Bytes of one line at most: a longer one is no sentence and no document, but something else in a text file."""

_BLOCK = 256
"""Texts that are looked at together."""

_MARK = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Line:
    """One text as its source holds it.

    Args:
        text: The text, not yet normalised, or why there is none; empty where there is nothing to read.
        place: Where it is, for messages.
        label: Its class as the source writes it.
    """

    text: str | Unreadable
    place: str
    label: str | int | None = None

    @property
    def content(self) -> str | Unreadable:
        """What there is to read, normalised."""
        return normalised(self.text) if isinstance(self.text, str) else self.text


class TextFiles(Source):
    """One file of text, or all below a folder; files or folders named train..., test... are the splits.

    Text is UTF-8, with or without a byte-order mark, and is brought to Unicode's form NFC.

    Args:
        files: The files to read.
        column: The column of text that was asked for, where there are columns.
    """

    suffixes: ClassVar[tuple[str, ...]]
    """Of the files that are read."""
    noun: ClassVar[str]
    """What one text is called in messages, in the plural."""

    def __init__(self, files: Sequence[FileState], column: str | None = None) -> None:
        self.files = files
        self.column = column

    @classmethod
    def recognise(cls, reference: str) -> Source | None:
        path = Path(reference).expanduser()
        if path.is_dir():
            # Looked at by name alone; text beside images describes them.
            if has_files(path, SUFFIXES) or not has_files(path, cls.suffixes):
                return None
            return cls([file for file in list_files(path) if file.name.lower().endswith(cls.suffixes)])
        return cls([FileState.of(path)]) if path.suffix.lower() in cls.suffixes and path.is_file() else None

    @abstractmethod
    def lines(self, file: FileState) -> Iterator[Line]:
        """The texts of a file in order, empty ones included.

        Raises:
            TvirError: The file as a whole cannot be read.
        """

    def running(self, file: FileState) -> Iterator[str]:
        """A file as one text, in pieces.

        Raises:
            TvirError: A part of it cannot be read: the text would not be what it seems.
        """
        for line in self.lines(file):
            if isinstance(line.text, Unreadable):
                raise TvirError(f"{line.place}: {line.text.reason}; running text cannot leave it out")
            yield line.text + "\n"

    def with_column(self, column: str) -> Self:
        """The same files, with the text in a column of that name."""
        return type(self)(self.files, column)

    def content_hash(self, progress: Progress) -> str:
        return hash_files(self.files, progress)

    def contents(self) -> Contents:
        counts: Counter[str] = Counter()
        labels: list[str | int | None] = []
        empty = 0
        for split, file in self._parts:
            for line in self.lines(file):
                if line.text == "":
                    empty += 1
                    continue
                counts[split] += 1
                labels.append(line.label)
        found = self._labels(labels)
        left = len(self.files) - len(self._parts)
        findings = [f"files that name no split are passed over: {left:,}"] if left else []
        if empty:
            findings.append(f"empty {self.noun} are passed over: {empty:,}")
        return Contents(
            count=counts.total(),
            splits=() if list(counts) in ([""], []) else tuple(counts.items()),
            labels=found.indices,
            classes=found.classes,
            findings=(*findings, *found.findings),
        )

    def blocks(self) -> Iterator[Block]:
        for _, file in self._parts:
            kept = (line for line in self.lines(file) if line.text != "")
            while some := tuple(islice(kept, _BLOCK)):
                yield TextBlock(tuple(line.place for line in some), tuple(line.content for line in some))

    def whole(self) -> Iterator[tuple[str, Iterator[str]]]:
        """Each split's files as one running text in pieces; of one nameless split where there are none."""
        for split in dict.fromkeys(split for split, _ in self._parts):
            files = [file for named, file in self._parts if named == split]
            yield split, (normalised(piece) for file in files for piece in self.running(file))

    @cached_property
    def _parts(self) -> list[tuple[str, FileState]]:
        return named_parts(list(self.files))

    def _labels(self, found: list[str | int | None]) -> Labels:
        if all(label is None for label in found):
            return Labels()
        if all(label is None or isinstance(label, int) for label in found):
            return index_labels(np.array([-1 if label is None else label for label in found]))
        return index_labels(np.array(["" if label is None else str(label) for label in found], object))


def normalised(text: str) -> str:
    """Text in Unicode's form NFC: equal letters are equal characters, and nothing else changes."""
    return unicodedata.normalize("NFC", text)


@contextmanager
def opened_text(file: FileState) -> Iterator[IO[bytes]]:
    """A file of UTF-8 text, behind its byte-order mark.

    Raises:
        TvirError: It cannot be opened, is empty, or says that it is UTF-16.
    """
    refuse_pointer(file.path)
    with file.path.open("rb") as stream:
        head = stream.read(len(_MARK))
        if head.startswith(_UTF_16):
            raise TvirError(
                f"{printable(file.name)} is UTF-16; bring it to UTF-8 with: "
                f"iconv -f UTF-16 -t UTF-8 {printable(file.name)} > utf-8-{printable(Path(file.name).name)}"
            )
        stream.seek(len(_MARK) if head == _MARK else 0)
        yield stream


def decoded(content: bytes, start: int) -> str | Unreadable:
    """The text of some bytes, or why there is none.

    Args:
        content: Whole characters.
        start: Where in the file they begin.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        return Unreadable(f"byte {start + error.start:,} (0x{content[error.start]:02x}) is not UTF-8")
    if "\0" in text:
        return Unreadable(f"byte {start + content.index(0):,} is NUL, which no text holds")
    return text
