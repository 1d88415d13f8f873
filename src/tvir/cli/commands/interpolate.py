"""Walks through the latents of a run from one seed to another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from tvir.cli.parsing import parse


@dataclass(frozen=True, kw_only=True)
class Interpolate:
    """Walks through the latents of a run from one seed to another, along great circles."""

    run: Annotated[Positional[Path], arg(metavar="RUN")]
    """Folder of the run."""
    steps: int = 10
    """Examples on each walk, both ends included."""
    seeds: tuple[int, int] = (0, 1)
    """Where the walks begin and where they end."""
    count: Annotated[int, arg(aliases=["-n"])] = 8
    """How many walks, one below the other."""
    condition: Annotated[str | None, arg(metavar="CLASS")] = None
    """The class that walks stay in, by name or index, for conditional models; by default each walk has its own."""
    to: Annotated[Path | None, arg(metavar="PATH")] = None
    """.png strips, a moving .gif, .npy or .npz; for text .txt; by default interpolation-seedA-seedB in the run."""


def main(words: Sequence[str]) -> None:
    """Draw the walks and say where they are."""
    form = parse(Interpolate, words, program="tvir interpolate")
    from tvir.workflows.sample import interpolate

    print(interpolate(form.run, form.steps, seeds=form.seeds, count=form.count, condition=form.condition, to=form.to))
