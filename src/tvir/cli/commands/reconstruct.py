"""Encodes and decodes examples of the test split and shows each beside what the model made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from tvir.cli.parsing import parse


@dataclass(frozen=True, kw_only=True)
class Reconstruct:
    """Encodes and decodes examples of the test split and shows each beside what the model made of it."""

    run: Annotated[Positional[Path], arg(metavar="RUN")]
    """Folder of the run."""
    count: Annotated[int, arg(aliases=["-n"])] = 32
    """How many examples, from the beginning of the test split."""
    to: Annotated[Path | None, arg(metavar="PATH")] = None
    """.png, .npy or .npz, for text .txt; by default reconstructions in the run."""


def main(words: Sequence[str]) -> None:
    """Draw the pairs and say where they are."""
    form = parse(Reconstruct, words, program="tvir reconstruct")
    from tvir.workflows.sample import reconstruct

    print(reconstruct(form.run, form.count, to=form.to))
