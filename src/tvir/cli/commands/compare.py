"""Trains several models with several seeds on an equal budget, judges them alike, and writes a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from tvir.cli.forms import BudgetFlags, DataFlags, TextFlags
from tvir.cli.parsing import parse


@dataclass(frozen=True, kw_only=True)
class Compare(BudgetFlags, TextFlags, DataFlags):
    """Trains several models with several seeds on an equal budget, judges them alike, and writes a report.

    Every run is a process of its own. The same command again, after an interruption, finishes the rest.
    """

    models: Annotated[Positional[tuple[str, ...]], arg(metavar="MODEL ...")]
    """Names of models; settings may follow: unbalanced-gan:pretraining=none."""
    seeds: int = 3
    """How many seeds each model is trained with: 0, 1, ...; intervals need at least 3."""
    trials: int = 1
    """Settings tried for every model before, the best on the validation split being taken; each spends the budget."""
    match: Literal["none", "parameters", "flops"] = "none"
    """Give every model the width at which it is as large as the first one."""
    no_controls: bool = False
    """Leave out what no network may lose to: fits without a step, copies, noise."""
    out: Annotated[str | None, arg(metavar="FOLDER")] = None
    """Folder of the comparison; by default runs/compare-MODELS-DATA-BUDGET."""
    jobs: Annotated[int | None, arg(metavar="INT")] = None
    """Runs side by side; by default as many as there are cores, which are shared out evenly."""
    limit: int = 10_000
    """The most real and generated examples that are compared."""
    weights: tuple[Path, ...] = ()
    """Files of pretrained weights to look through as well: DINOv2, CLIP (.safetensors) or Inception-2015 (.pth)."""
    language: Literal["en", "uk"] = "en"
    """Of the table and the report."""
    hide_training_examples: bool = False
    """Leave the training examples nearest to suspicious samples out of the report."""
    quiet: bool = False
    """Print nothing but errors and the path of the report."""


def main(words: Sequence[str]) -> None:
    """Compare, print the table, end with the path of the report."""
    form = parse(Compare, words, program="tvir compare")
    from rich.console import Console

    from tvir.cli.progress import ComparisonObserver, Reading, screen
    from tvir.contracts.errors import TvirError
    from tvir.reports.terminal import comparison_table
    from tvir.workflows.compare import compare

    with screen(quiet=form.quiet, lines=4) as shown:
        comparison = compare(
            form.models,
            form.data,
            budget=form.budget,
            seeds=form.seeds,
            trials=form.trials,
            match=form.match,
            controls=not form.no_controls,
            out=form.out,
            precision=form.precision,
            size=form.size,
            channels=form.channels,
            fit=form.fit,
            strict=form.strict,
            tokens=form.tokens,
            vocabulary=form.vocabulary,
            length=form.length,
            windows=form.windows,
            column=form.column,
            jobs=form.jobs,
            limit=form.limit,
            weights=form.weights,
            language=form.language,
            show_training_examples=not form.hide_training_examples,
            observer=ComparisonObserver(shown),
            progress=Reading(shown),
        )
    if not form.quiet:
        table = comparison_table(
            comparison.cards,
            form.language,
            verdicts=comparison.verdicts,
            controls=comparison.controls,
            runs=comparison.runs,
        )
        Console().print(table)
    print(comparison.report_path)
    if comparison.failed:
        raise TvirError(f"{len(comparison.failed)} runs failed, the others were compared; {comparison.failed[0]}")
