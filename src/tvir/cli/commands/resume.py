"""Continues a run exactly where its last checkpoint left it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from tvir.cli.parsing import parse


@dataclass(frozen=True, kw_only=True)
class Resume:
    """Continues a run exactly where its last checkpoint left it. A planned run is begun; a finished one says so."""

    run: Annotated[Positional[Path], arg(metavar="RUN")]
    """Folder of the run."""
    allow_changed_data: bool = False
    """Go on although the data is no longer what the run began with."""
    quiet: bool = False
    """Print nothing but errors."""


def main(words: Sequence[str]) -> None:
    """Continue one run."""
    form = parse(Resume, words, program="tvir resume")
    from tvir.cli.progress import Reading, TrainingObserver, screen
    from tvir.workflows.train import resume

    with screen(quiet=form.quiet) as shown:
        run = resume(
            form.run,
            allow_changed_data=form.allow_changed_data,
            observer=TrainingObserver(shown),
            progress=Reading(shown),
        )
    shown.told(f"{run.path} is {run.record.status}; see it with: tvir sample {run.path}")
