"""What a source of data is. Each kind has a file of its own in this package and is found by walking it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from tvir.contracts.data import Array, Modes
from tvir.data.blocks import Block

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done and how much there is."""


def no_progress(description: str, done: int, total: int) -> None:
    """A progress callback that tells nobody."""


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a source holds, as far as it is known without decoding anything.

    Args:
        count: Number of examples, undecodable ones included.
        splits: The source's own splits in the order of its blocks, as (name, count) with the names ``train``,
            ``validation`` and ``test``; empty where it has none.
        labels: int64 array (count,) with -1 for unlabelled examples, or None.
        classes: Names of the classes in label order.
        channels: Of an image, where another number would make something else of it; None where it may be chosen.
        channel_classes: Names of the classes of a single channel, where the class of an image is made of its
            channels' classes.
        features: Length of a vector; None for images.
        encoded_bytes: Bytes to decode; 0 where the pixels are stored as they are.
        split_keys: uint64 array (count,): examples are dealt to splits in the order of these numbers. None deals
            by position.
        findings: What was noticed, one line each.
    """

    count: int
    splits: tuple[tuple[str, int], ...] = ()
    labels: Array | None = None
    classes: tuple[str, ...] = ()
    channels: int | None = None
    channel_classes: tuple[str, ...] = ()
    features: int | None = None
    encoded_bytes: int = 0
    split_keys: Array | None = None
    findings: tuple[str, ...] = ()


class Source(ABC):
    """A place that data comes from. Making one reads nothing; every method may."""

    expects: ClassVar[str]
    """What a reference to this kind looks like, for the message when nobody recognises one."""

    built_in: ClassVar[tuple[str, ...]] = ()
    """References that need no files."""

    precedence: ClassVar[int] = 0
    """Of several kinds that recognise a reference the highest takes it."""

    @classmethod
    @abstractmethod
    def recognise(cls, reference: str) -> Source | None:
        """The source a reference means, or None if it is not of this kind."""

    def from_anywhere(self, reference: str) -> str:
        """The reference as it means the same from any folder: a path is made absolute."""
        if reference not in self.built_in and Path(reference).expanduser().exists():
            return str(Path(reference).expanduser().absolute())
        return reference

    @abstractmethod
    def content_hash(self, progress: Progress) -> str:
        """A hash of everything the examples depend on. Unchanged files are not read again to find it."""

    @abstractmethod
    def contents(self) -> Contents:
        """Counts, labels and classes.

        Raises:
            TvirError: The source cannot be read as what it seems to be.
        """

    @abstractmethod
    def blocks(self) -> Iterator[Block]:
        """The examples in a fixed order, a few at a time.

        Raises:
            TvirError: The source cannot be read as what it seems to be.
        """

    def modes(self) -> Modes | None:
        """The truth, where it is known."""
        return None
