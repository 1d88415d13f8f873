"""Images stacked as the channels of one: many modes whose number is known."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import product

import numpy as np

from tvir.contracts.data import Array, Dataset, Examples, ImageSpec
from tvir.contracts.errors import UsageError
from tvir.data.blocks import Block, PixelBlock
from tvir.data.files import printable
from tvir.data.opening import find_source, open_dataset
from tvir.data.source import Contents, Progress, Source

_PREFIX = "stacked:"

_CHANNELS = 3

_COUNTS = (("train", 128_000), ("validation", 26_000), ("test", 26_000))
"""As many as in VEEGAN's and PacGAN's experiments, which judge 26,000 samples."""

_SEED = 20_170_522

_BLOCK = 256

_MOST_CLASSES = 65_536


class Stacked(Source):
    """``stacked:DATA``: three images of other data, drawn at random, as the red, green and blue of one.

    The class of a stack is the number made of its images' classes, red first, so the ten digits have 1,000. Each split
    is drawn from the same split of the other data, and only from images that have a label.

    Reference:
        Metz et al. 2017, Unrolled Generative Adversarial Networks (arXiv 1611.02163); Srivastava et al. 2017, VEEGAN
        (arXiv 1705.07761), table 2.

    Args:
        reference: The other data.
    """

    expects = "stacked:DATA for three gray labelled images as one"
    precedence = 10

    def __init__(self, reference: str) -> None:
        self.reference = reference

    @classmethod
    def recognise(cls, reference: str) -> Source | None:
        if not reference.startswith(_PREFIX):
            return None
        if not (other := reference.removeprefix(_PREFIX)):
            raise UsageError(f"{_PREFIX} names no data to stack; write for example {_PREFIX}digits")
        return cls(other)

    def from_anywhere(self, reference: str) -> str:
        return _PREFIX + find_source(self.reference).from_anywhere(self.reference)

    def content_hash(self, progress: Progress) -> str:
        base = _stackable(open_dataset(self.reference, progress=progress))
        definition = (base.fingerprint, _COUNTS, _SEED, _CHANNELS)
        return hashlib.blake2b(repr(definition).encode(), digest_size=16).hexdigest()

    def contents(self) -> Contents:
        names = self._base.spec.classes
        shape = (len(names),) * _CHANNELS
        labels = [np.ravel_multi_index(tuple(_labels(split)[drawn].T), shape) for split, drawn in self._drawn]
        return Contents(
            count=sum(count for _, count in _COUNTS),
            splits=_COUNTS,
            labels=np.concatenate(labels).astype(np.int64),
            classes=_stacked_names(names),
            channels=_CHANNELS,
            channel_classes=names,
            findings=tuple(f"{printable(self.reference)}: {finding}" for finding in self._base.all_findings),
        )

    def blocks(self) -> Iterator[Block]:
        for split, drawn in self._drawn:
            for start in range(0, len(drawn), _BLOCK):
                now = drawn[start : start + _BLOCK]
                yield PixelBlock(np.concatenate([split.take(channel) for channel in now.T], axis=3))

    @cached_property
    def _base(self) -> Dataset:
        return _stackable(open_dataset(self.reference))

    @property
    def _drawn(self) -> Iterator[tuple[Examples, Array]]:
        """Every split of the other data, and the indices (count, 3) of its images that are stacked."""
        splits = (self._base.train, self._base.validation, self._base.test)
        for position, (split, (_, count)) in enumerate(zip(splits, _COUNTS, strict=True)):
            labelled = np.flatnonzero(_labels(split) >= 0)
            drawing = np.random.default_rng([_SEED, position])
            yield split, labelled[drawing.integers(len(labelled), size=(count, _CHANNELS))]


def _stackable(base: Dataset) -> Dataset:
    """The data itself.

    Raises:
        UsageError: It cannot be stacked.
    """
    name, spec = printable(base.reference), base.spec
    if not isinstance(spec, ImageSpec):
        raise UsageError(f"{name} holds no images; {_PREFIX}DATA stacks gray images that have labels")
    if spec.channels != 1:
        raise UsageError(
            f"{name} holds images of {spec.channels} channels; {_PREFIX}DATA stacks gray ones, of 1 channel"
        )
    if not all((_labels(split) >= 0).any() for split in (base.train, base.validation, base.test)):
        raise UsageError(f"{name} has no labels in every split; {_PREFIX}DATA needs the class of each image")
    if len(spec.classes) ** _CHANNELS > _MOST_CLASSES:
        raise UsageError(
            f"{name} has {len(spec.classes):,} classes, so stacks would have {len(spec.classes) ** _CHANNELS:,}; "
            f"{_PREFIX}DATA goes up to {_MOST_CLASSES:,}"
        )
    return base


def _labels(split: Examples) -> Array:
    return np.full(len(split), -1) if split.labels is None else np.asarray(split.labels)


def _stacked_names(names: Sequence[str]) -> tuple[str, ...]:
    between = "" if all(len(name) == 1 for name in names) else "-"
    return tuple(map(between.join, product(names, repeat=_CHANNELS)))
