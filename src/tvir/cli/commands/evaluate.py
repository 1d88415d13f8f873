"""Judges a run: fidelity, diversity, structure, memorisation, each beside its floor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from tvir.cli.forms import LatentFlag
from tvir.cli.parsing import parse


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """Judges a run against the test split of its data; writes scorecard.json and report.html into the run.

    Each score stands beside its floor: the same measurement between two real sets of the same sizes.
    """

    run: Annotated[Positional[Path], arg(metavar="RUN")]
    """Folder of the run."""
    data: Annotated[str | None, arg(metavar="DATA")] = None
    """Judge it against other data of the same shape; by default its own."""
    limit: int = 10_000
    """The most real and generated examples that are compared."""
    weights: tuple[Path, ...] = ()
    """Files of pretrained weights to look through as well: DINOv2, CLIP (.safetensors) or Inception-2015 (.pth)."""
    seed: int = 0
    """Of the samples that are judged."""
    latent: LatentFlag = None
    """For models that encode: draw latents from what is fitted to those of training examples."""
    language: Literal["en", "uk"] = "en"
    """Of the table and the report."""
    hide_training_examples: bool = False
    """Leave the training examples nearest to suspicious samples out of the report."""
    json: bool = False
    """Print the scorecard as JSON instead of a table."""
    allow_changed_data: bool = False
    """Go on although the data is no longer what the run began with."""


def main(words: Sequence[str]) -> None:
    """Judge and print."""
    form = parse(Evaluate, words, program="tvir evaluate")
    from rich.console import Console

    from tvir.cli.progress import Reading, screen
    from tvir.evaluation.scorecard import to_json
    from tvir.reports.terminal import scorecard_table
    from tvir.workflows.evaluate import evaluate

    with screen(quiet=form.json) as shown:
        card = evaluate(
            form.run,
            data=form.data,
            limit=form.limit,
            weights=form.weights,
            seed=form.seed,
            latent=form.latent,
            allow_changed_data=form.allow_changed_data,
            language=form.language,
            show_training_examples=not form.hide_training_examples,
            progress=Reading(shown),
        )
    if form.json:
        print(to_json(card).decode())
    else:
        Console().print(scorecard_table(card, form.language))
