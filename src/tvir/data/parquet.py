"""Parquet in the Hugging Face image layout: a column of images as bytes, perhaps a column of labels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tvir.contracts.data import Array
from tvir.contracts.errors import TvirError
from tvir.data.blocks import Block, EncodedBlock, Unreadable
from tvir.data.files import FileState, has_files, hash_files, list_files, printable, refuse_pointer
from tvir.data.images import MOST_BYTES, SUFFIXES
from tvir.data.labels import Labels, index_labels
from tvir.data.source import Contents, Progress, Source
from tvir.data.splits import named_parts

if TYPE_CHECKING:
    import pyarrow
    from pyarrow.parquet import ParquetFile

IMAGE_COLUMNS = ("image", "img", "images", "picture", "pixel_values")
"""Names of the column of images, the likeliest first; else the first column of bytes."""

LABEL_COLUMNS = ("label", "labels", "class", "target", "fine_label")
"""Names of the column of labels, the likeliest first."""

_BLOCK = 64


@dataclass(frozen=True, kw_only=True)
class _Columns:
    """Which columns matter, and the names of the classes where the file tells them."""

    image: str
    label: str | None
    names: tuple[str, ...]


class ParquetImages(Source):
    """One Parquet file, or all below a folder; files or folders named train..., test... are the splits.

    Args:
        files: The files to read.
    """

    expects = "a .parquet file or a folder of them (Hugging Face images)"

    def __init__(self, files: list[FileState]) -> None:
        self.files = files

    @classmethod
    def recognise(cls, reference: str) -> Source | None:
        path = Path(reference).expanduser()
        if path.is_dir():
            # Looked at by name alone, since most folders hold images; a table beside images describes them.
            if has_files(path, SUFFIXES) or not has_files(path, (".parquet",)):
                return None
            return cls([file for file in list_files(path) if file.name.lower().endswith(".parquet")])
        return cls([FileState.of(path)]) if path.suffix.lower() == ".parquet" and path.is_file() else None

    def content_hash(self, progress: Progress) -> str:
        return hash_files(self.files, progress)

    def contents(self) -> Contents:
        columns = self._columns
        counts: dict[str, int] = {}
        for split, file in self._parts:
            with opened(file.path) as parquet:
                counts[split] = counts.get(split, 0) + parquet.metadata.num_rows
        labels = self._labels(columns)
        left = len(self.files) - len(self._parts)
        findings = (f"Parquet files that name no split are passed over: {left:,}",) if left else ()
        return Contents(
            count=sum(counts.values()),
            splits=() if list(counts) == [""] else tuple(counts.items()),
            labels=labels.indices,
            classes=labels.classes,
            encoded_bytes=sum(file.size for _, file in self._parts),
            findings=(*findings, *labels.findings),
        )

    def blocks(self) -> Iterator[Block]:
        column = self._columns.image
        for _, file in self._parts:
            start = 0
            with opened(file.path) as parquet:
                for batch in parquet.iter_batches(_BLOCK, columns=[column], use_threads=False):
                    contents = [_content(image) for image in batch.column(0).to_pylist()]
                    names = [f"{file.name} row {start + index}" for index in range(len(contents))]
                    yield EncodedBlock(tuple(names), tuple(contents))
                    start += len(contents)

    @cached_property
    def _parts(self) -> list[tuple[str, FileState]]:
        return named_parts(self.files)

    @cached_property
    def _columns(self) -> _Columns:
        found = set()
        for _, file in self._parts:
            with opened(file.path) as parquet:
                found.add(_choose_columns(parquet.schema_arrow, file))
        if len(found) > 1:
            raise TvirError("the Parquet files do not have the same image and label columns")
        return found.pop()

    def _labels(self, columns: _Columns) -> Labels:
        if columns.label is None:
            return Labels()
        values: list[Array] = []
        for _, file in self._parts:
            with opened(file.path) as parquet:
                column = parquet.read([columns.label], use_threads=False).column(0)
                values.append(label_values(column))
        return index_labels(np.concatenate(values), columns.names)


@contextmanager
def opened(path: Path) -> Iterator[ParquetFile]:
    """A Parquet file to read from.

    Raises:
        TvirError: It is none, or it is damaged.
    """
    import pyarrow
    from pyarrow.parquet import ParquetFile

    refuse_pointer(path)
    try:
        # A buffered stream: a row group may be larger than memory.
        with ParquetFile(path, buffer_size=2**20, pre_buffer=False) as parquet:
            yield parquet
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        reason = str(error).strip().split("\n")[0]
        raise TvirError(f"{printable(path.name)} cannot be read as Parquet: {printable(reason)}") from None


def _choose_columns(schema: pyarrow.Schema, file: FileState) -> _Columns:
    images = [field.name for field in schema if holds_images(field.type)]
    if not images:
        raise TvirError(
            f"{printable(file.name)} has no column of images as bytes; its columns are: "
            + printable(", ".join(schema.names))
        )
    features = features_of(schema)
    label = next((name for name in LABEL_COLUMNS if name in schema.names), None)
    if label is None:
        label = next((name for name in schema.names if class_names(features, name)), None)
    image = next((name for name in IMAGE_COLUMNS if name in images), images[0])
    return _Columns(image=image, label=label, names=class_names(features, label))


def holds_images(kind: pyarrow.DataType) -> bool:
    """Whether a column of this type may hold images as bytes."""
    from pyarrow import types

    if types.is_struct(kind):
        return kind.get_field_index("bytes") >= 0 and types.is_binary(kind.field("bytes").type)
    return types.is_binary(kind) or types.is_large_binary(kind)


def features_of(schema: pyarrow.Schema) -> dict[str, Any]:
    """What ``datasets`` wrote of the columns' meaning, or nothing."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, ValueError, TypeError):
        return {}
    return features if isinstance(features, dict) else {}


def class_names(features: dict[str, Any], column: str | None) -> tuple[str, ...]:
    """The names of the classes that a column of labels counts."""
    feature = features.get(column or "")
    names = feature.get("names") if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" else None
    return tuple(map(str, names)) if isinstance(names, list) else ()


def label_values(column: pyarrow.ChunkedArray) -> Array:
    """A column of labels as numbers or texts; missing ones as -1 or an empty text."""
    from pyarrow import types

    if types.is_integer(column.type) or types.is_boolean(column.type):
        return column.cast("int64").fill_null(-1).to_numpy()
    if types.is_floating(column.type):
        return column.cast("float64").to_numpy()
    if types.is_string(column.type) or types.is_large_string(column.type) or types.is_dictionary(column.type):
        return np.array([str(value or "") for value in column.to_pylist()], object)
    return np.zeros(len(column), "V1")  # of no type that could be a label: said by index_labels


def _content(image: Any) -> bytes | Unreadable:
    content = image.get("bytes") if isinstance(image, dict) else image
    if content is None:
        # The path is a stranger's: opening it could read anything on this machine.
        held = "only a path" if isinstance(image, dict) and image.get("path") else "no image"
        return Unreadable(f"the row holds {held}")
    if len(content) > MOST_BYTES:
        return Unreadable(f"{len(content):,} bytes, more than the {MOST_BYTES:,} that are read of one image")
    return content
