"""Parquet with a column of text, perhaps a column of labels, and no images."""

from __future__ import annotations

from collections.abc import Iterator

from tvir.contracts.errors import TvirError
from tvir.data.files import FileState
from tvir.data.parquet import class_names, features_of, holds_images, opened
from tvir.data.source import Source
from tvir.data.text_tables import checked_label, checked_text, choose_columns
from tvir.data.texts import Line, TextFiles

_BATCH = 1024


class ParquetTexts(TextFiles):
    """One Parquet file, or all below a folder, whose columns hold texts and no images."""

    expects = "a .parquet file or a folder of them with a column of text"
    suffixes = (".parquet",)
    noun = "texts"
    precedence = 1  # before images, which take every Parquet file

    @classmethod
    def recognise(cls, reference: str) -> Source | None:
        found = super().recognise(reference)
        return found if isinstance(found, cls) and found.files and _is_text(found.files[0]) else None

    def lines(self, file: FileState) -> Iterator[Line]:
        with opened(file.path) as parquet:
            schema = parquet.schema_arrow
            texts = _text_columns(file)
            text, _ = choose_columns(texts, self.column, file)
            _, label = choose_columns([text, *schema.names], text, file)
            names = class_names(features_of(schema), label)
            columns = [text] if label is None else [text, label]
            number = 0
            for batch in parquet.iter_batches(_BATCH, columns=columns, use_threads=False):
                values = batch.column(text).to_pylist()
                labels = [None] * len(values) if label is None else batch.column(label).to_pylist()
                for value, named in zip(values, labels, strict=True):
                    number += 1
                    yield Line(checked_text(value), f"{file.name} row {number}", _named(checked_label(named), names))


def _named(label: str | int | None, names: tuple[str, ...]) -> str | int | None:
    if isinstance(label, int) and names:
        return names[label] if 0 <= label < len(names) else None
    return label


def _text_columns(file: FileState) -> list[str]:
    from pyarrow import types

    with opened(file.path) as parquet:
        fields = list(parquet.schema_arrow)
        return [field.name for field in fields if types.is_string(field.type) or types.is_large_string(field.type)]


def _is_text(file: FileState) -> bool:
    try:
        with opened(file.path) as parquet:
            if any(holds_images(field.type) for field in parquet.schema_arrow):
                return False
        return bool(_text_columns(file))
    except TvirError:
        return False  # said by those who read images
