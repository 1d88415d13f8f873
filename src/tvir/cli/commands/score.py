"""Judges anybody's samples against real data, without a model of ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from tvir.cli.parsing import parse


@dataclass(frozen=True, kw_only=True)
class Score:
    """Judges samples against real data; writes scorecard.json and report.html into a folder.

    Each of the three is a folder of images, .npz, .npy, an IDX folder, Parquet, or text (.txt, .csv, .jsonl). Each
    score stands beside its floor: the same measurement between two real sets of the same sizes.
    """

    generated: Annotated[Positional[str], arg(metavar="GENERATED")]
    """The samples."""
    against: Annotated[str, arg(metavar="REAL")]
    """Real examples that the generator has not seen."""
    train: Annotated[str | None, arg(metavar="TRAIN")] = None
    """What the generator has learnt from, to look for copies. The same as REAL means the splits of that data."""
    features: bool = False
    """The arrays are feature vectors (N x D) already."""
    size: Annotated[str | None, arg(metavar="PIXELS")] = None
    """Side of the images in pixels, or HEIGHTxWIDTH; by default that of each source."""
    channels: Annotated[int | None, arg(metavar="{1,3,4}")] = None
    """1 for gray, 3 for RGB, 4 for RGBA; by default what each source has."""
    fit: Literal["crop", "pad"] = "crop"
    """How images of another aspect ratio are met: their centre is cropped, or they are padded."""
    length: Annotated[int | None, arg(metavar="BYTES")] = None
    """Bytes of a text that are read, 2 for a Cyrillic letter; by default those of the longest, at most 256."""
    windows: bool = False
    """Take all lines as one running text and cut it into windows; by default each line is an example."""
    column: Annotated[str | None, arg(metavar="NAME")] = None
    """Column of text in a table; by default the one whose name says so, or the only one."""
    limit: int = 10_000
    """The most real and generated examples that are compared."""
    weights: tuple[Path, ...] = ()
    """Files of pretrained weights to look through as well: DINOv2, CLIP (.safetensors) or Inception-2015 (.pth)."""
    seed: int = 0
    """Of what is drawn."""
    language: Literal["en", "uk"] = "en"
    """Of the table and the report."""
    hide_training_examples: bool = False
    """Show no real example in the report."""
    out: Annotated[str | None, arg(metavar="FOLDER")] = None
    """Folder for the files; by default scores/NAME, or none with --json."""
    json: bool = False
    """Print the scorecard as JSON instead of a table."""


def main(words: Sequence[str]) -> None:
    """Judge and print."""
    form = parse(Score, words, program="tvir score")
    from rich.console import Console

    from tvir.cli.progress import Reading, screen
    from tvir.evaluation.scorecard import to_json
    from tvir.reports.terminal import scorecard_table
    from tvir.workflows.requesting import short_name
    from tvir.workflows.score import score

    out = form.out or (None if form.json else f"scores/{short_name(form.generated)}")
    with screen(quiet=form.json) as shown:
        card = score(
            form.generated,
            form.against,
            train=form.train,
            features=form.features,
            size=form.size,
            channels=form.channels,
            fit=form.fit,
            length=form.length,
            windows=form.windows,
            column=form.column,
            limit=form.limit,
            weights=form.weights,
            seed=form.seed,
            out=out,
            language=form.language,
            show_training_examples=not form.hide_training_examples,
            progress=Reading(shown),
        )
    if form.json:
        print(to_json(card).decode())
        return
    Console().print(scorecard_table(card, form.language))
    print(out)
