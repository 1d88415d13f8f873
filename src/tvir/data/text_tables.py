"""Tables with a column of text: CSV with a header, and JSON objects one per line."""

from __future__ import annotations

import csv
import json
from abc import abstractmethod
from collections.abc import Iterator, Sequence

from tvir.contracts.errors import TvirError
from tvir.data.blocks import Unreadable
from tvir.data.files import FileState, printable
from tvir.data.parquet import LABEL_COLUMNS
from tvir.data.texts import LONGEST_LINE, Line, TextFiles, decoded, opened_text

TEXT_COLUMNS = ("text", "sentence", "caption", "document", "content", "review", "body")
"""Names of the column of text, the likeliest first; else the only column there is."""


class TextTables(TextFiles):
    """Files with columns, one of which is text and another perhaps the label."""

    noun = "texts"

    def lines(self, file: FileState) -> Iterator[Line]:
        text_column: str | None = None
        label_column: str | None = None
        for number, row in self.rows(file):
            place = f"{file.name} line {number}"
            if isinstance(row, Unreadable):
                yield Line(row, place)
                continue
            if text_column is None:
                text_column, label_column = choose_columns(list(row), self.column, file)
            yield Line(checked_text(row.get(text_column)), place, checked_label(row.get(label_column or "")))

    @abstractmethod
    def rows(self, file: FileState) -> Iterator[tuple[int, dict[str, object] | Unreadable]]:
        """The number of the line that each row ends in, and its values by column."""


class CsvTexts(TextTables):
    """One ``.csv`` file, or all below a folder; the first row names the columns."""

    expects = "a .csv file with a column of text"
    suffixes = (".csv",)

    def rows(self, file: FileState) -> Iterator[tuple[int, dict[str, object] | Unreadable]]:
        csv.field_size_limit(LONGEST_LINE)
        reader = csv.reader(_decoded_lines(file), strict=True)
        try:
            header = next(reader, [])
            for row in reader:
                if row:
                    yield reader.line_num, dict(zip(header, row, strict=False))
        except csv.Error as error:
            raise TvirError(f"{printable(file.name)} line {reader.line_num} cannot be read as CSV: {error}") from None


class JsonTexts(TextTables):
    """One ``.jsonl`` file, or all below a folder: an object on each line."""

    expects = "a .jsonl file with a column of text"
    suffixes = (".jsonl",)

    def rows(self, file: FileState) -> Iterator[tuple[int, dict[str, object] | Unreadable]]:
        with opened_text(file) as stream:
            start = stream.tell()
            for number, line in enumerate(stream, 1):
                text = decoded(line, start)
                start += len(line)
                if isinstance(text, Unreadable):
                    yield number, text
                elif text.strip():
                    yield number, _object(text)


def choose_columns(columns: Sequence[str], asked: str | None, file: FileState) -> tuple[str, str | None]:
    """The column of text and that of labels.

    Args:
        columns: Those that could be text, or labels.
        asked: The column of text that was asked for.
        file: Where they are.

    Raises:
        TvirError: There is no such column, or none that is surely text.
    """
    text = asked if asked is not None else next((name for name in TEXT_COLUMNS if name in columns), None)
    others = [name for name in columns if name not in LABEL_COLUMNS]
    if text is None and len(others) == 1:
        text = others[0]
    if text is None or text not in columns:
        missing = "no column of text that is known" if asked is None else f"no column {printable(asked)!r}"
        raise TvirError(
            f"{printable(file.name)} has {missing}; name it with --column; its columns are: "
            + printable(", ".join(columns))
        )
    return text, next((name for name in LABEL_COLUMNS if name in columns and name != text), None)


def checked_text(value: object) -> str | Unreadable:
    """A value as text; nothing is the empty text."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return Unreadable("its value is not text")
    if "\0" in value:
        return Unreadable("it holds NUL, which no text holds")
    if len(value) > LONGEST_LINE:
        return Unreadable(f"longer than the {LONGEST_LINE:,} characters that are read of one text")
    try:
        value.encode()
    except UnicodeEncodeError:
        return Unreadable("it holds half of a surrogate pair, which is no character")
    return value if value.strip() else ""


def checked_label(value: object) -> str | int | None:
    """A value as a label."""
    return value if isinstance(value, str | int) and not isinstance(value, bool) else None


def _object(text: str) -> dict[str, object] | Unreadable:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return Unreadable("it is no JSON")
    return found if isinstance(found, dict) else Unreadable("it is no JSON object")


def _decoded_lines(file: FileState) -> Iterator[str]:
    with opened_text(file) as stream:
        start = stream.tell()
        for line in stream:
            text = decoded(line, start)
            if isinstance(text, Unreadable):
                # A row may be of several lines, so nothing can be left out.
                raise TvirError(f"{printable(file.name)}: {text.reason}")
            start += len(line)
            yield text
