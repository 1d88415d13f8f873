"""What reports are made of, gathered from run folders."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypedDict

from PIL import Image, UnidentifiedImageError

from tvir.contracts.data import Array, DataSpec, TextSpec, VectorSpec
from tvir.contracts.errors import TvirError
from tvir.reports.content import FilmStrip, Frame, RunEntry, SampleGrid
from tvir.training.previews import picture
from tvir.workflows.run import Run

_GRID, _POINTS, _TEXTS = 64, 1000, 24
"""Samples in a grid of images, in a scatter plot, and in a list of texts."""


class Shown(TypedDict):
    """What a report shows of samples: one of the two."""

    image: Image.Image | None
    texts: tuple[str, ...]


_FRAMES = 10
"""Pictures in a film strip."""

_TEXTS_OF_FRAME = 3
"""Texts of each preview in a film strip."""

_LARGEST_PREVIEW = 2**20
"""Bytes of a preview of text that are read."""

_LARGEST_PICTURE = 16 * 2**20
"""Pixels of a preview that is worth opening; ours have far fewer, a stranger's may not."""


def run_entry(run: Run, beside: Path, subject: str | None = None) -> RunEntry:
    """A run as a report sees it; its path is shown relative to the folder the report lies in.

    ``subject`` is who the run counts for in a comparison, if that is not its model's name.
    """
    try:
        parameters = sum(weight.numel() for weight in run.model.parameters() if weight.requires_grad)
    except TvirError:  # a run that failed before its first checkpoint has no weights
        parameters = None
    return RunEntry(
        record=run.record,
        path=os.path.relpath(run.path, beside),
        parameters=parameters,
        metrics=list(run.folder.metrics()),
        subject=subject,
    )


def sample_grid(run: Run, subject: str | None = None, *, seed: int = 0) -> SampleGrid:
    """The first samples of a seed, never picked by hand."""
    record = run.record
    count = shown_count(run.model.spec)
    return SampleGrid(
        **shown(run.model.spec, run.sample(count, seed=seed)),
        model=subject or record.model,
        training_seed=record.seed,
        steps=record.spent.steps,
        sample_seed=seed,
        count=count,
    )


def shown_count(spec: DataSpec) -> int:
    """How many samples a report shows."""
    if isinstance(spec, TextSpec):
        return _TEXTS
    return _POINTS if isinstance(spec, VectorSpec) else _GRID


def shown(spec: DataSpec, rows: Array) -> Shown:
    """Samples as a report shows them: a picture, or the texts themselves."""
    if isinstance(spec, TextSpec) and spec.pieces:
        return {"image": None, "texts": tuple(spec.texts(rows))}
    return {"image": picture(spec, rows), "texts": ()}


def film_strip(run: Run, subject: str | None = None) -> FilmStrip | None:
    """The previews of a run, thinned out evenly, or None where there are none."""
    files = sorted(
        ((int(file.stem), file) for file in run.folder.samples.glob("*.[pt][nx][gt]") if file.stem.isdigit()),
        key=lambda numbered: numbered[0],
    )
    last = len(files) - 1
    chosen = sorted({round(last * part / (_FRAMES - 1)) for part in range(_FRAMES)}) if files else []
    frames = [frame for i in chosen if (frame := _frame(*files[i])) is not None]
    record = run.record
    return FilmStrip(model=subject or record.model, training_seed=record.seed, frames=frames) if frames else None


def _frame(step: int, file: Path) -> Frame | None:
    """A preview, or None where it cannot be read."""
    if file.suffix == ".txt":
        texts = _texts(file)
        return Frame(step=step, texts=texts) if texts else None
    image = _opened(file)
    return None if image is None else Frame(step=step, image=image)


def _texts(file: Path) -> tuple[str, ...]:
    """The first texts of a preview, as ``text_file`` wrote them."""
    try:
        with file.open("rb") as stream:
            content = stream.read(_LARGEST_PREVIEW).decode("utf-8", "replace")
    except OSError:
        return ()
    between = "\n---\n" if "\n---\n" in content else "\n"
    return tuple(content.removesuffix("\n").split(between)[:_TEXTS_OF_FRAME])


def _opened(file: Path) -> Image.Image | None:
    try:
        with Image.open(file, formats=("PNG",)) as image:
            if image.width * image.height > _LARGEST_PICTURE:
                return None
            image.load()
            return image.copy()
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError):
        return None
