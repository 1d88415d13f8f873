"""Image datasets of the Hugging Face hub, through ``datasets``."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from tvir.contracts.errors import MissingExtraError, TvirError, UsageError
from tvir.data.blocks import Block, EncodedBlock, Unreadable
from tvir.data.cache import recall, remember
from tvir.data.files import printable
from tvir.data.images import MOST_BYTES
from tvir.data.labels import Labels, index_labels
from tvir.data.parquet import IMAGE_COLUMNS, LABEL_COLUMNS
from tvir.data.source import Contents, Progress, Source
from tvir.data.splits import SPLIT_NAMES, SPLITS

_REFERENCE = re.compile(r"(?P<name>[\w.-]+(?:/[\w.-]+)?)(?::(?P<split>.+))?")

_BLOCK = 64


class HubDataset(Source):
    """``hf:OWNER/NAME`` with all its splits, or ``hf:OWNER/NAME:SPLIT`` as one. No code from the hub is ever run.

    Args:
        name: ``OWNER/NAME``, as ``datasets.load_dataset`` takes it; a folder of that path is read without the hub.
        split: The one split to read, in the notation of ``datasets``.
    """

    expects = "hf:OWNER/NAME[:SPLIT]"
    precedence = 10

    def __init__(self, name: str, split: str | None) -> None:
        self.name = name
        self.split = split

    @classmethod
    def recognise(cls, reference: str) -> Source | None:
        if not reference.startswith("hf:"):
            return None
        match = _REFERENCE.fullmatch(reference.removeprefix("hf:"))
        if match is None:
            raise UsageError(f"{printable(reference)} is no name on the hub; expected {cls.expects}")
        return cls(match["name"], match["split"])

    def content_hash(self, progress: Progress) -> str:
        # `datasets` names its tables by the versions of the files they were made of.
        states = [(split, getattr(table, "_fingerprint", None)) for split, table in self._tables.items()]
        key = hashlib.blake2b(repr((self.name, states)).encode(), digest_size=16).hexdigest()
        if all(state for _, state in states) and (known := recall("content", key)):
            return known
        whole = hashlib.blake2b(repr([split for split, _ in states]).encode(), digest_size=16)
        whole.update(repr((self._labels.classes, self._labels.indices is not None)).encode())
        if self._labels.indices is not None:
            whole.update(self._labels.indices.tobytes())
        done, total = 0, sum(map(len, self._tables.values()))
        for block in self._encoded():
            for content in block.contents:
                whole.update(_digest(content))
            done += len(block)
            progress("reading", done, total)
        remember("content", key, whole.hexdigest())
        return whole.hexdigest()

    def contents(self) -> Contents:
        counts = tuple((split, len(table)) for split, table in self._tables.items())
        labels = self._labels
        return Contents(
            count=sum(count for _, count in counts),
            splits=() if len(counts) == 1 else counts,
            labels=labels.indices,
            classes=labels.classes,
            encoded_bytes=sum(int(table.data.nbytes) for table in self._tables.values()),
            findings=labels.findings,
        )

    def blocks(self) -> Iterator[Block]:
        return self._encoded()

    def _encoded(self) -> Iterator[EncodedBlock]:
        for split, table in self._tables.items():
            start = 0
            for batch in table.select_columns([self._image]).iter(_BLOCK):
                images = batch[self._image]
                names = tuple(_name(image, f"{split} row {start + index}") for index, image in enumerate(images))
                yield EncodedBlock(names, tuple(_content(image, self._roots) for image in images))
                start += len(images)

    @cached_property
    def _roots(self) -> tuple[Path, ...]:
        """Where files that a row names by path may lie: the path is a stranger's."""
        from datasets import config

        return (Path(self.name).resolve(), Path(config.HF_CACHE_HOME).resolve())

    @cached_property
    def _tables(self) -> dict[str, Any]:
        """The splits in our order, with images left encoded."""
        loaded = _load(self.name, self.split)
        named = loaded if isinstance(loaded, dict) else {"train": loaded}
        known = {SPLIT_NAMES[split]: table for split, table in named.items() if split in SPLIT_NAMES}
        if not known:
            known = {"train": next(iter(named.values()))}
        return {split: _encoded_images(known[split], self.name) for split in SPLITS if split in known}

    @cached_property
    def _image(self) -> str:
        return _image_column(next(iter(self._tables.values())), self.name)

    @cached_property
    def _labels(self) -> Labels:
        tables = list(self._tables.values())
        names = tables[0].column_names
        column = next((name for name in LABEL_COLUMNS if name in names), None)
        if column is None:
            return Labels()
        found = [value for table in tables for value in table.select_columns([column])[column]]
        classes = getattr(tables[0].features[column], "names", None) or ()
        if any(isinstance(value, str) for value in found):
            return index_labels(np.array([value or "" for value in found], object))
        if not all(value is None or isinstance(value, int | float) for value in found):
            return Labels(findings=(f"the column {column!r} holds no classes: the data is taken as unlabelled",))
        return index_labels(np.array([-1 if value is None else value for value in found]), classes)


def _load(name: str, split: str | None) -> Any:
    try:
        import datasets
    except ImportError:
        raise MissingExtraError(f"hf:{name}", "hub") from None
    try:
        return datasets.load_dataset(name, split=split)
    # The hub, the network, the files' own readers: any of them may complain in its own way.
    except Exception as error:
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise TvirError(f"hf:{name} cannot be loaded: {printable(reason)}") from None


def _image_column(table: Any, name: str) -> str:
    import datasets

    found = [column for column, feature in table.features.items() if isinstance(feature, datasets.Image)]
    if not found:
        raise TvirError(
            f"hf:{name} has no column of images; its columns are: {printable(', '.join(table.column_names))}"
        )
    return next((column for column in IMAGE_COLUMNS if column in found), found[0])


def _encoded_images(table: Any, name: str) -> Any:
    import datasets

    return table.cast_column(_image_column(table, name), datasets.Image(decode=False))


def _name(image: Any, otherwise: str) -> str:
    path = image.get("path") if isinstance(image, dict) else None
    return f"{otherwise} ({Path(path).name})" if path else otherwise


def _content(image: Any, roots: tuple[Path, ...]) -> bytes | Path | Unreadable:
    if not isinstance(image, dict):
        return Unreadable("the row holds no image")
    if image.get("bytes") is not None:
        return image["bytes"]
    path = Path(image["path"]).resolve() if image.get("path") else None
    if path is None or not any(path.is_relative_to(root) for root in roots) or not path.is_file():
        return Unreadable("the row holds no image")
    if path.stat().st_size > MOST_BYTES:
        return Unreadable(f"more than the {MOST_BYTES:,} bytes that are read of one image")
    return path


def _digest(content: bytes | Path | Unreadable) -> bytes:
    if isinstance(content, Unreadable):
        return b"unreadable".ljust(32)
    try:
        return hashlib.sha256(content.read_bytes() if isinstance(content, Path) else content).digest()
    except OSError:
        return b"unreadable".ljust(32)
