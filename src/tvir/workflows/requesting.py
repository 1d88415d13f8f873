"""What a person asked of the data, and what run.json says of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from tvir.contracts.data import Dataset
from tvir.contracts.errors import UsageError
from tvir.contracts.faults import first_fault
from tvir.contracts.run import DataRecord, SpecRecord
from tvir.data.opening import find_source, open_dataset

Reading = Callable[[str, int, int], None]
"""Told while data is read: what is being done, how much of it is done, how much there is."""

Fit = Literal["crop", "pad"]
Tokens = Literal["characters", "bytes", "bpe", "unigram"]


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, kw_only=True)
class DataRequest:
    """What a person asked of the data: a reference and how to read it.

    Args:
        reference: A built-in name, a path, or ``hf:OWNER/NAME``.
        size: Side in pixels, (height, width) or "HxW"; None takes what the data has.
        channels: 1, 3 or 4; None takes what the data has.
        fit: How another aspect ratio is met: ``crop`` the centre or ``pad``.
        strict: A file that cannot be read is an error instead of a finding.
        tokens: What text is cut into; None for characters.
        vocabulary: Most pieces of text; None takes what suits the kind of tokens.
        length: Tokens of an example; None takes what the data has.
        windows: Whether text is one running text, to be cut into windows.
        column: The column of text in a table; None takes the likeliest.
    """

    reference: str
    size: int | tuple[int, int] | str | None = None
    channels: int | None = None
    fit: Fit = "crop"
    strict: bool = False
    tokens: Tokens | None = None
    vocabulary: int | None = None
    length: int | None = None
    windows: bool = False
    column: str | None = None

    @staticmethod
    def of_record(record: DataRecord) -> DataRequest:
        """How the data of a run was read.

        Raises:
            UsageError: run.json holds options that reading data does not have.
        """
        try:
            return _REQUEST.validate_python({**record.options, "reference": record.reference})
        except ValidationError as error:
            raise UsageError(
                f"run.json: the data cannot be read with these options: {first_fault(error, 'data')}"
            ) from None

    def open(self, progress: Reading | None = None) -> Dataset:
        """Read the data, or find it in the cache.

        Raises:
            UsageError: There is no such data, or nothing in it can be read.
        """
        return open_dataset(
            self.reference,
            size=self.size,
            channels=self.channels,
            fit=self.fit,
            strict=self.strict,
            tokens=self.tokens,
            vocabulary=self.vocabulary,
            length=self.length,
            windows=self.windows,
            column=self.column,
            progress=progress,
        )


_REQUEST = TypeAdapter(DataRequest)


def record_data(dataset: Dataset) -> DataRecord:
    """What run.json says of the data. A path is made absolute, so that a run resumes from any folder."""
    return DataRecord(
        reference=find_source(dataset.reference).from_anywhere(dataset.reference),
        options=dataset.options,
        fingerprint=dataset.fingerprint,
        spec=SpecRecord.of(dataset.spec),
    )


def short_name(reference: str) -> str:
    """A few plain characters that remind of the data: the last part of a path or of a hub name.

    Example:
        >>> short_name("stacked:data/MNIST"), short_name("hf:owner/name"), short_name("digits")
        ('stacked-mnist', 'name', 'digits')
    """
    place = re.sub(r"^(?:[a-z]{2,}:)+", "", reference)
    kinds = reference.removesuffix(place).replace("hf:", "")
    last = place.rstrip("/\\").replace("\\", "/").rsplit("/", 1)[-1]
    stem = last.rsplit(".", 1)[0] or last
    return re.sub(r"[^a-z0-9]+", "-", f"{kinds}{stem}".lower()).strip("-")[:40] or "data"
