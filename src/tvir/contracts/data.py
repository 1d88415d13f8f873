"""What a model may know of the data, and what a dataset is once its source has been read."""

from __future__ import annotations

import math
import mmap
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tvir.contracts.errors import UsageError

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True)
class DataSpec(ABC):
    """The shape and meaning of one example: all that a model knows of the data.

    Two forms of the same example exist. Inside models it is a float (or int64) tensor; at every boundary (disk,
    metric, web page) it is a NumPy row. Both conversions live here, so that every model is rounded alike.

    Args:
        classes: Names of the classes in label order; empty where the data has no labels.
    """

    classes: tuple[str, ...] = ()

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Shape of one example inside a model."""

    @property
    @abstractmethod
    def row_shape(self) -> tuple[int, ...]:
        """Shape of one example at a boundary."""

    @property
    @abstractmethod
    def row_dtype(self) -> np.dtype[Any]:
        """Type of one example at a boundary."""

    @property
    def class_shape(self) -> tuple[int, ...]:
        """Numbers of classes of the independent parts that a class is made of: one number where it is of one piece."""
        return (len(self.classes),)

    @abstractmethod
    def to_model(self, rows: Array) -> Tensor:
        """Boundary rows (N, *row_shape) to model examples (N, *shape)."""

    @abstractmethod
    def to_rows(self, examples: Tensor) -> Array:
        """Model examples (N, *shape) to boundary rows (N, *row_shape)."""

    @property
    def limits(self) -> tuple[float, float]:
        """The smallest and the largest number that an example may hold inside a model."""
        return (-math.inf, math.inf)

    def bounded(self, numbers: Tensor) -> Tensor:
        """A network's unbounded output, smoothly brought into the range that examples lie in."""
        return numbers


@dataclass(frozen=True, kw_only=True)
class ImageSpec(DataSpec):
    """Images: float NCHW in [-1, 1] inside models, uint8 NHWC at boundaries.

    Args:
        channels: 1 (gray), 3 (RGB) or 4 (RGBA).
        height: Pixels.
        width: Pixels.
        channel_classes: Names of the classes of a single channel, where every channel is an example of its own and
            the class of an image is made of those of its channels, the first of which counts most; empty otherwise.
    """

    channels: int
    height: int
    width: int
    channel_classes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.channels, self.height, self.width)

    @property
    def row_shape(self) -> tuple[int, ...]:
        return (self.height, self.width, self.channels)

    @property
    def row_dtype(self) -> np.dtype[Any]:
        return np.dtype(np.uint8)

    @property
    def class_shape(self) -> tuple[int, ...]:
        return (len(self.channel_classes),) * self.channels if self.channel_classes else super().class_shape

    @property
    def channel(self) -> ImageSpec:
        """A single channel as an image of its own."""
        return ImageSpec(channels=1, height=self.height, width=self.width, classes=self.channel_classes)

    def to_model(self, rows: Array) -> Tensor:
        # Permuting after the gather gives a channels_last tensor without a copy.
        return torch.from_numpy(np.ascontiguousarray(rows)).permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0)

    def to_rows(self, examples: Tensor) -> Array:
        scaled = examples.detach().float().add(1.0).mul(127.5).round_().clamp_(0, 255)
        return scaled.to(torch.uint8).permute(0, 2, 3, 1).contiguous().cpu().numpy()

    @property
    def limits(self) -> tuple[float, float]:
        return (-1.0, 1.0)

    def bounded(self, numbers: Tensor) -> Tensor:
        return torch.tanh(numbers)


@dataclass(frozen=True, kw_only=True)
class VectorSpec(DataSpec):
    """Real vectors: float32 (N, features) on both sides.

    Args:
        features: Length of a vector.
    """

    features: int

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.features,)

    @property
    def row_shape(self) -> tuple[int, ...]:
        return (self.features,)

    @property
    def row_dtype(self) -> np.dtype[Any]:
        return np.dtype(np.float32)

    def to_model(self, rows: Array) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(rows, dtype=np.float32))

    def to_rows(self, examples: Tensor) -> Array:
        return examples.detach().float().cpu().numpy()


END = 0
"""The token that ends a text, and that fills what is left of a sequence after it."""


@dataclass(frozen=True, kw_only=True)
class TextSpec(DataSpec):
    """Token sequences: int64 (N, length) inside models, uint16 (int32 where that is too small) at boundaries.

    A text ends at its first token 0, and nothing but 0 follows; one that fills the whole length was cut there.

    Args:
        vocabulary: Number of tokens; ids are 0 ... vocabulary - 1.
        length: Tokens in a sequence, padding included.
        pieces: What each token writes, in UTF-8; a character may be spread over several. Empty where tokens are no
            text.

    Example:
        >>> spec = TextSpec(vocabulary=3, length=4, pieces=(b"", b"a", b"b"))
        >>> spec.texts(np.array([[1, 2, 0, 0], [2, 2, 2, 1]]))
        ['ab', 'bbba']
    """

    vocabulary: int
    length: int
    pieces: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.length,)

    @property
    def row_shape(self) -> tuple[int, ...]:
        return (self.length,)

    @property
    def row_dtype(self) -> np.dtype[Any]:
        return np.dtype(np.uint16 if self.vocabulary <= 2**16 else np.int32)

    def to_model(self, rows: Array) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(rows, dtype=np.int64))

    def to_rows(self, examples: Tensor) -> Array:
        return examples.detach().cpu().numpy().astype(self.row_dtype)

    def texts(self, rows: Array) -> list[str]:
        """The text of each boundary row (N, length); bytes that make no character become U+FFFD.

        Raises:
            UsageError: The tokens are no text.
        """
        if not self.pieces:
            raise UsageError("these tokens are numbers without text: their vocabulary is not known")
        return [self._text(row.tolist()) for row in rows]

    def _text(self, tokens: list[int]) -> str:
        until = tokens.index(END) if END in tokens else len(tokens)
        return b"".join(self.pieces[token] for token in tokens[:until]).decode("utf-8", "replace")


def written(tokens: Tensor) -> Tensor:
    """Which tokens belong to the text or end it, (N, length) of bool: those before which it has not ended.

    Example:
        >>> written(torch.tensor([[3, 0, 0], [3, 1, 2]]))
        tensor([[ True,  True, False],
                [ True,  True,  True]])
    """
    ended = (tokens == END).cumsum(1)
    return (ended - (tokens == END).long()) == 0


def shortened(tokens: Tensor) -> Tensor:
    """Tokens (N, length) without the columns in which every text has ended, (N, longest).

    Example:
        >>> shortened(torch.tensor([[3, 0, 0, 0], [3, 1, 0, 0]])).shape
        torch.Size([2, 3])
    """
    return tokens[:, : int(written(tokens).sum(1).max()) if len(tokens) else 0]


_RESIDENT_LIMIT = 256 * 2**20
"""Bytes of a memory-mapped file that may stay resident; the pages of a larger one are given back after use."""

_GATHER = 128
"""Rows of such a file that are gathered before its pages are given back: each may bring 2 MiB of neighbours along."""


class Examples:
    """One split of a dataset: rows at the boundary, perhaps memory-mapped, and their labels.

    Args:
        spec: What an example is.
        rows: Array (N, *spec.row_shape); a ``numpy.memmap`` is read lazily.
        labels: Array (N,) of int64 class indices, or None. -1 marks an unlabelled example.
    """

    def __init__(self, spec: DataSpec, rows: Array, labels: Array | None = None) -> None:
        self.spec = spec
        self.rows = rows
        self.labels = labels

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, indices: Array) -> Array:
        """Rows at the given indices, in one gather."""
        mapping = getattr(self.rows, "_mmap", None)
        if not isinstance(mapping, mmap.mmap) or self.rows.nbytes <= _RESIDENT_LIMIT:
            return np.asarray(self.rows[indices])
        # Pages of a mapped file count as resident memory until they are given back; data larger than memory must
        # not need more of it than small data does.
        taken = np.empty((len(indices), *self.rows.shape[1:]), self.rows.dtype)
        for start in range(0, len(indices), _GATHER):
            taken[start : start + _GATHER] = self.rows[indices[start : start + _GATHER]]
            if hasattr(mmap, "MADV_DONTNEED"):
                mapping.madvise(mmap.MADV_DONTNEED)
        return taken

    def labels_at(self, indices: Array) -> Tensor | None:
        """Labels at the given indices as int64, or None where the data has none."""
        return None if self.labels is None else torch.from_numpy(np.asarray(self.labels[indices], dtype=np.int64))


@dataclass(frozen=True, kw_only=True)
class Modes:
    """The truth of a toy: an equal mixture of isotropic Gaussians.

    Args:
        centres: Array (K, D).
        sigma: Standard deviation of every component.
    """

    centres: Array
    sigma: float


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A source that has been read: three splits and what was noticed on the way.

    Args:
        reference: What the person typed: a built-in name, a path, ``hf:OWNER/NAME``.
        options: How it was read (size, channels, fit, ...), enough to read it again.
        fingerprint: Hash of the content of the source and of the options.
        train: The split that models learn from; also the reference for memorisation.
        validation: The split for selecting, and for the floor of every score.
        test: The split that scores are measured against.
        findings: One line each: what was skipped, converted or looks doubtful.
        dealing: One line each: how examples were dealt to splits that the source does not have.
        modes: The truth, for toys.
    """

    reference: str
    options: dict[str, Any] = field(default_factory=dict)
    fingerprint: str
    train: Examples
    validation: Examples
    test: Examples
    findings: tuple[str, ...] = ()
    dealing: tuple[str, ...] = ()
    modes: Modes | None = None

    @property
    def all_findings(self) -> tuple[str, ...]:
        """What is to be said where the splits matter."""
        return (*self.findings, *self.dealing)

    @property
    def spec(self) -> DataSpec:
        """What an example is; the same for all splits."""
        return self.train.spec
