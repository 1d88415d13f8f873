"""Reading a source into the cache: measure, decode, inspect, publish."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tvir.contracts.data import DataSpec, ImageSpec, VectorSpec
from tvir.contracts.errors import TvirError
from tvir.contracts.run import SpecRecord
from tvir.data.blocks import Skipped
from tvir.data.cache import EntryRecord, building, load_entry, require_space, write_record
from tvir.data.decoding import Report, decode_source, measure_source
from tvir.data.files import printable
from tvir.data.images import ImageForm, Note
from tvir.data.inspection import inspect
from tvir.data.options import ImageOptions, form_options
from tvir.data.source import Contents, Progress, Source
from tvir.data.splits import assign_splits

_SHOWN = 3
"""Undecodable files that are named in a finding; skipped.txt names all."""


def settle_form(source: Source, contents: Contents, asked: ImageOptions, progress: Progress) -> ImageForm:
    """What images are brought to. They are only measured where something was left open."""
    if asked.size and asked.channels:
        return asked.form()
    return asked.form(measure_source(source, contents, progress))


def build_entry(
    reference: str, source: Source, contents: Contents, form: ImageForm | None, key: str, progress: Progress
) -> None:
    """Decode a source into the cache.

    Args:
        reference: What the person typed, for messages.
        source: Where the examples come from.
        contents: What it said it holds.
        form: What images are brought to; None for vectors.
        key: The entry's name in the cache.
        progress: Told what is being done.

    Raises:
        TvirError: The source cannot be read, nothing in it can be decoded, or the cache cannot be written.
    """
    spec = _spec(contents, form)
    require_space(contents.count * spec.row_dtype.itemsize * math.prod(spec.row_shape))
    assignment, about_splits = assign_splits(contents)
    with building(key) as folder:
        report = decode_source(source, contents, assignment, spec, form, folder, progress)
        _require_examples(reference, contents, report)
        _write_skipped(folder, report.skipped)
        record = EntryRecord(
            spec=SpecRecord.of(spec),
            options=form_options(form) if form else {},
            splits=report.counts,
            findings=(*contents.findings, *_about_notes(report)),
            dealing=about_splits,
            skipped=len(report.skipped),
            count=contents.count,
            shown=tuple(map(_line, report.skipped[:_SHOWN])),
        )
        write_record(folder, record)
        noticed = inspect(spec, load_entry(folder).splits)
        write_record(folder, replace(record, findings=(*record.findings, *noticed)))


def _spec(contents: Contents, form: ImageForm | None) -> DataSpec:
    if form is None:
        assert contents.features is not None
        return VectorSpec(features=contents.features, classes=contents.classes)
    return ImageSpec(
        channels=form.channels,
        height=form.height,
        width=form.width,
        classes=contents.classes,
        channel_classes=contents.channel_classes,
    )


def _require_examples(reference: str, contents: Contents, report: Report) -> None:
    if not report.counts:
        first = _line(report.skipped[0])
        raise TvirError(f"none of the {contents.count:,} images in {printable(reference)} can be decoded: {first}")
    for name, count in contents.splits:
        if count and name == "train" and "train" not in report.counts:
            raise TvirError(f"none of the training images in {printable(reference)} can be decoded")
        if count and name == "test" and "test" not in report.counts:
            raise TvirError(f"none of the test images in {printable(reference)} can be decoded")


def _line(skipped: Skipped) -> str:
    return f"{printable(skipped.name)} ({printable(skipped.reason)})"


def _write_skipped(folder: Path, skipped: Sequence[Skipped]) -> None:
    lines = [f"{printable(bad.name)}\t{printable(bad.reason)}\n" for bad in skipped]
    (folder / "skipped.txt").write_text("".join(lines), "utf-8")


def _about_notes(report: Report) -> tuple[str, ...]:
    usable = sum(report.counts.values())
    return tuple(f"{report.notes[note]:,} of {usable:,} images {note}" for note in Note if report.notes[note])
