"""Draws a model's architecture as an SVG with layer shapes and parameter counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from tvir.cli.forms import TextFlags
from tvir.cli.parsing import parse


@dataclass(frozen=True, kw_only=True)
class Show(TextFlags):
    """Draws a model's architecture: noise, networks, data, decisions, with real layer shapes and parameter counts."""

    subject: Annotated[Positional[str], arg(metavar="MODEL|RUN")]
    """Name of a model, or folder of a run."""
    data: str = "digits"
    """What the model is built for: as for tvir train. A run knows its own."""
    size: Annotated[str | None, arg(metavar="PIXELS")] = None
    """Side of the images in pixels, or HEIGHTxWIDTH; by default that of the data."""
    channels: Annotated[int | None, arg(metavar="{1,3,4}")] = None
    """1 for gray, 3 for RGB, 4 for RGBA; by default what the data has."""
    fit: Literal["crop", "pad"] = "crop"
    """How images of another aspect ratio are met."""
    to: Annotated[Path | None, arg(metavar="PATH")] = None
    """The SVG file; by default MODEL.svg here, or architecture.svg in the run."""


def main(words: Sequence[str]) -> None:
    """Draw and say where it is."""
    form = parse(Show, words, program="tvir show")
    from tvir.workflows.show import show

    place = show(
        form.subject,
        data=form.data,
        to=form.to,
        size=form.size,
        channels=form.channels,
        fit=form.fit,
        tokens=form.tokens,
        vocabulary=form.vocabulary,
        length=form.length,
        windows=form.windows,
        column=form.column,
    )
    print(place)
