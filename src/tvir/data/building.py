"""Reading a source into the cache: measure, decode, inspect, publish."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tvir.contracts.data import DataSpec, ImageSpec, VectorSpec
from tvir.contracts.errors import TvirError, UsageError
from tvir.contracts.run import SpecRecord
from tvir.data.blocks import Block, Form, Skipped, TextNote
from tvir.data.cache import EntryRecord, building, load_entry, require_space, write_record
from tvir.data.decoding import Report, decode_source, measure_source
from tvir.data.files import printable
from tvir.data.images import Note
from tvir.data.inspection import inspect
from tvir.data.options import ImageOptions, form_options
from tvir.data.source import Contents, Progress, Source
from tvir.data.splits import assign_splits

_SHOWN = 3
"""Undecodable examples that are named in a finding; skipped.txt names all."""


@dataclass(frozen=True, kw_only=True)
class Settled:
    """What a source holds and what it is to become.

    Args:
        contents: What it said it holds.
        blocks: Gives its examples from the beginning.
        form: What they are brought to; None for vectors.
        spec: What an example becomes.
        options: The options that ask for exactly this.
        noun: What the examples are called, in the plural.
        dealing: How splits were made that the source does not have, where that was done already.
    """

    contents: Contents
    blocks: Callable[[], Iterator[Block]]
    form: Form | None
    spec: DataSpec
    options: dict[str, Any]
    noun: str
    dealing: tuple[str, ...] = ()


def settle_images(reference: str, source: Source, asked: ImageOptions, progress: Progress) -> Settled:
    """What a source of images or vectors is to become. Images are only measured where something was left open.

    Raises:
        UsageError: It cannot become what was asked for.
        TvirError: It cannot be read, or there is nothing in it.
    """
    contents = source.contents()
    if not contents.count:
        raise TvirError(f"{printable(reference)} holds no examples")
    if contents.features is not None:
        if asked.size or asked.channels:
            raise UsageError(
                f"{printable(reference)} holds vectors, not images: it has no size and no channels to choose"
            )
        spec = VectorSpec(features=contents.features, classes=contents.classes)
        return Settled(contents=contents, blocks=source.blocks, form=None, spec=spec, options={}, noun="vectors")
    if contents.channels and asked.channels not in (None, contents.channels):
        raise UsageError(
            f"{printable(reference)} is of {contents.channels} channels, each an image of its own: "
            f"--channels {asked.channels} would mix them"
        )
    complete = asked.size and asked.channels
    form = asked.form() if complete else asked.form(measure_source(source, contents, progress))
    return Settled(
        contents=contents,
        blocks=source.blocks,
        form=form,
        spec=ImageSpec(
            channels=form.channels,
            height=form.height,
            width=form.width,
            classes=contents.classes,
            channel_classes=contents.channel_classes,
        ),
        options=form_options(form),
        noun="images",
    )


def build_entry(reference: str, settled: Settled, key: str, progress: Progress) -> None:
    """Decode a source into the cache.

    Args:
        reference: What the person typed, for messages.
        settled: What it holds and what it is to become.
        key: The entry's name in the cache.
        progress: Told what is being done.

    Raises:
        TvirError: The source cannot be read, nothing in it can be decoded, or the cache cannot be written.
    """
    contents, spec = settled.contents, settled.spec
    require_space(contents.count * spec.row_dtype.itemsize * math.prod(spec.row_shape))
    assignment, about_splits = assign_splits(contents)
    with building(key) as folder:
        report = decode_source(settled.blocks(), contents, assignment, spec, settled.form, folder, progress)
        _require_examples(reference, settled, report)
        _write_skipped(folder, report.skipped)
        record = EntryRecord(
            spec=SpecRecord.of(spec),
            options=settled.options,
            splits=report.counts,
            findings=(*contents.findings, *_about_notes(report, settled.noun)),
            dealing=(*settled.dealing, *about_splits),
            skipped=len(report.skipped),
            count=contents.count,
            shown=tuple(map(_line, report.skipped[:_SHOWN])),
            noun=settled.noun,
        )
        write_record(folder, record)
        noticed = inspect(spec, load_entry(folder).splits)
        write_record(folder, replace(record, findings=(*record.findings, *noticed)))


def _require_examples(reference: str, settled: Settled, report: Report) -> None:
    contents, noun = settled.contents, settled.noun
    if not report.counts:
        first = _line(report.skipped[0])
        raise TvirError(f"none of the {contents.count:,} {noun} in {printable(reference)} can be decoded: {first}")
    for name, count in contents.splits:
        if count and name == "train" and "train" not in report.counts:
            raise TvirError(f"none of the training {noun} in {printable(reference)} can be decoded")
        if count and name == "test" and "test" not in report.counts:
            raise TvirError(f"none of the test {noun} in {printable(reference)} can be decoded")


def _line(skipped: Skipped) -> str:
    return f"{printable(skipped.name)} ({printable(skipped.reason)})"


def _write_skipped(folder: Path, skipped: Sequence[Skipped]) -> None:
    lines = [f"{printable(bad.name)}\t{printable(bad.reason)}\n" for bad in skipped]
    (folder / "skipped.txt").write_text("".join(lines), "utf-8")


def _about_notes(report: Report, noun: str) -> tuple[str, ...]:
    usable = sum(report.counts.values())
    notes = (*Note, *TextNote)
    return tuple(f"{report.notes[note]:,} of {usable:,} {noun} {note}" for note in notes if report.notes[note])
