"""A few examples at a time, as their source stores them: the unit of work of decoding."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import numpy as np
from PIL import Image

from tvir.contracts.data import Array
from tvir.data.images import ImageForm, Measured, Note, UnusableImageError, bring_to, decode_image, measure_image
from tvir.data.tokenising import TextForm

Form = ImageForm | TextForm
"""What examples are brought to."""


class TextNote(StrEnum):
    """What was done to a text; finishes "3 of 20 texts ..."."""

    CUT = "are longer than an example and are cut (--length says how long one is)"


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """An example that cannot be used."""

    name: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """The rows of one block.

    Args:
        rows: The usable examples, in order.
        usable: bool array over the whole block.
        skipped: The examples that are not usable.
        notes: How many examples each note applies to.
    """

    rows: Array
    usable: Array
    skipped: tuple[Skipped, ...] = ()
    notes: Counter[StrEnum] = field(default_factory=Counter)


class Block(ABC):
    """Consecutive examples of a source. Blocks travel to worker processes."""

    @abstractmethod
    def __len__(self) -> int:
        """Number of examples, undecodable ones included."""

    @abstractmethod
    def decode(self, form: Form | None) -> Decoded:
        """The examples as rows: brought to ``form`` if they are images or texts."""


class ImageBlock(Block):
    """Consecutive images."""

    @abstractmethod
    def measure(self) -> tuple[Measured, ...]:
        """What the headers of the readable ones say."""


@dataclass(frozen=True)
class Unreadable:
    """Stands in for the bytes of an image, or for a text, that could not even be fetched."""

    reason: str


@dataclass(frozen=True)
class EncodedBlock(ImageBlock):
    """Images as bytes or files of some image format.

    Args:
        names: What each is called when it has to be named to a person.
        contents: Bytes, a file to read, or why there are none.
    """

    names: tuple[str, ...]
    contents: tuple[bytes | Path | Unreadable, ...]

    def __len__(self) -> int:
        return len(self.names)

    def decode(self, form: Form | None) -> Decoded:
        assert isinstance(form, ImageForm)
        rows = np.empty((len(self), form.height, form.width, form.channels), np.uint8)
        usable = np.zeros(len(self), bool)
        skipped: list[Skipped] = []
        notes: Counter[StrEnum] = Counter()
        for index, (name, content) in enumerate(zip(self.names, self.contents, strict=True)):
            try:
                if isinstance(content, Unreadable):
                    raise UnusableImageError(content.reason)
                rows[index], noted = decode_image(content, form)
            except UnusableImageError as error:
                skipped.append(Skipped(name=name, reason=str(error)))
                continue
            usable[index] = True
            notes.update(noted)
        return Decoded(rows=rows[usable] if skipped else rows, usable=usable, skipped=tuple(skipped), notes=notes)

    def measure(self) -> tuple[Measured, ...]:
        measured: list[Measured] = []
        for content in self.contents:
            if isinstance(content, Unreadable):
                continue
            try:
                measured.append(measure_image(content))
            except UnusableImageError:
                continue  # decoding will name it
        return tuple(measured)


@dataclass(frozen=True)
class PixelBlock(ImageBlock):
    """Images as pixels: uint8 (N, H, W, C) with 1, 3 or 4 channels."""

    pixels: Array

    def __len__(self) -> int:
        return len(self.pixels)

    def decode(self, form: Form | None) -> Decoded:
        assert isinstance(form, ImageForm)
        usable = np.ones(len(self), bool)
        if self.pixels.shape[1:] == (form.height, form.width, form.channels):
            return Decoded(rows=np.ascontiguousarray(self.pixels), usable=usable)
        rows = np.empty((len(self), form.height, form.width, form.channels), np.uint8)
        notes: Counter[StrEnum] = Counter()
        for index, pixels in enumerate(self.pixels):
            noted: set[Note] = set()
            plain = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
            rows[index] = bring_to(plain, form, noted)
            notes.update(noted)
        return Decoded(rows=rows, usable=usable, notes=notes)

    def measure(self) -> tuple[Measured, ...]:
        _, height, width, channels = self.pixels.shape
        return (Measured(height=height, width=width, gray=channels == 1),) * len(self)


@dataclass(frozen=True)
class VectorBlock(Block):
    """Vectors: float32 (N, features)."""

    vectors: Array

    def __len__(self) -> int:
        return len(self.vectors)

    def decode(self, form: Form | None) -> Decoded:
        rows = np.ascontiguousarray(self.vectors, dtype=np.float32)
        return Decoded(rows=rows, usable=np.ones(len(rows), bool))


@dataclass(frozen=True)
class TextBlock(Block):
    """Texts.

    Args:
        names: What each is called when it has to be named to a person.
        contents: The texts, normalised, or why there are none.
    """

    names: tuple[str, ...]
    contents: tuple[str | Unreadable, ...]

    def __len__(self) -> int:
        return len(self.names)

    @property
    def texts(self) -> list[str]:
        """Those that can be read."""
        return [content for content in self.contents if isinstance(content, str)]

    def decode(self, form: Form | None) -> Decoded:
        assert isinstance(form, TextForm)
        rows, cut = form.rows(self.texts)
        skipped = [
            Skipped(name=name, reason=content.reason)
            for name, content in zip(self.names, self.contents, strict=True)
            if isinstance(content, Unreadable)
        ]
        usable = np.array([isinstance(content, str) for content in self.contents])
        return Decoded(rows=rows, usable=usable, skipped=tuple(skipped), notes=Counter({TextNote.CUT: cut}))


@dataclass(frozen=True)
class TokenBlock(Block):
    """Rows of tokens as they are: (N, length)."""

    rows: Array

    def __len__(self) -> int:
        return len(self.rows)

    def decode(self, form: Form | None) -> Decoded:
        return Decoded(rows=self.rows, usable=np.ones(len(self), bool))
