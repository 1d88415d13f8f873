"""Draws new examples from a run: a picture, a folder of pictures, text, or an array."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from tvir.cli.forms import LatentFlag
from tvir.cli.parsing import parse


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Draws new examples from a run. Sample i of a seed is always the same."""

    run: Annotated[Positional[Path], arg(metavar="RUN")]
    """Folder of the run."""
    count: Annotated[int, arg(aliases=["-n"])] = 64
    """How many examples."""
    seed: int = 0
    """Which endless row of samples."""
    condition: Annotated[str | None, arg(metavar="CLASS")] = None
    """A class by name or index, for conditional models."""
    steps: int | None = None
    """Steps that a sample takes, for models that sample in steps; by default as the run was configured."""
    temperature: float | None = None
    """For models that draw tokens: below 1 the probable becomes more so."""
    top_p: float | None = None
    """For models that draw tokens: only the most probable ones that together have this probability."""
    latent: LatentFlag = None
    """For models that encode: draw latents from what is fitted to those of training examples, and kept in the run."""
    to: Annotated[Path | None, arg(metavar="PATH")] = None
    """A .png grid, a folder (no suffix) with a PNG per image, .npy or .npz, for text .txt or .jsonl; by default
    samples-seedS.png (for text .txt) in the run."""


def main(words: Sequence[str]) -> None:
    """Draw samples and say where they are."""
    form = parse(Sample, words, program="tvir sample")
    from tvir.workflows.sample import sample

    written = sample(
        form.run,
        form.count,
        seed=form.seed,
        condition=form.condition,
        steps=form.steps,
        temperature=form.temperature,
        top_p=form.top_p,
        latent=form.latent,
        to=form.to,
    )
    print(written)
