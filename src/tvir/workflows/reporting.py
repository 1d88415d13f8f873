"""What reports are made of, gathered from run folders."""

from __future__ import annotations

import os
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from tvir.contracts.data import VectorSpec
from tvir.contracts.errors import TvirError
from tvir.reports.content import FilmStrip, Frame, RunEntry, SampleGrid
from tvir.training.previews import picture
from tvir.workflows.run import Run

_GRID, _POINTS = 64, 1000
"""Samples in a grid of images, and in a scatter plot."""

_FRAMES = 10
"""Pictures in a film strip."""

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
    count = _POINTS if isinstance(run.model.spec, VectorSpec) else _GRID
    return SampleGrid(
        image=picture(run.model.spec, run.sample(count, seed=seed)),
        model=subject or record.model,
        training_seed=record.seed,
        steps=record.spent.steps,
        sample_seed=seed,
        count=count,
    )


def film_strip(run: Run, subject: str | None = None) -> FilmStrip | None:
    """The previews of a run, thinned out evenly, or None where there are none."""
    files = sorted(
        ((int(file.stem), file) for file in run.folder.samples.glob("*.png") if file.stem.isdigit()),
        key=lambda numbered: numbered[0],
    )
    last = len(files) - 1
    chosen = sorted({round(last * part / (_FRAMES - 1)) for part in range(_FRAMES)}) if files else []
    frames = [Frame(image=image, step=files[i][0]) for i in chosen if (image := _opened(files[i][1])) is not None]
    record = run.record
    return FilmStrip(model=subject or record.model, training_seed=record.seed, frames=frames) if frames else None


def _opened(file: Path) -> Image.Image | None:
    try:
        with Image.open(file, formats=("PNG",)) as image:
            if image.width * image.height > _LARGEST_PICTURE:
                return None
            image.load()
            return image.copy()
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError):
        return None
