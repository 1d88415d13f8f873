"""Examines the health of a run and says what would mend it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from tvir.cli.parsing import parse


@dataclass(frozen=True, kw_only=True)
class Doctor:
    """Examines a finished or a running run: what was seen, whether it is an illness, and which flag mends it.

    It is a report: the exit status is 0 whatever it finds. What the findings mean: docs/health.md.
    """

    run: Annotated[Positional[Path], arg(metavar="RUN")]
    """Folder of the run."""
    size: int = 1000
    """Examples of each kind (training, held-out, made) that are looked at."""
    language: Literal["en", "uk"] = "en"
    """Of the table."""
    json: bool = False
    """Print the findings as JSON instead of a table."""
    allow_changed_data: bool = False
    """Go on although the data is no longer what the run began with."""


def main(words: Sequence[str]) -> None:
    """Examine and print."""
    form = parse(Doctor, words, program="tvir doctor")
    from rich.console import Console

    from tvir.cli.progress import Reading, screen
    from tvir.reports.health import health_table
    from tvir.workflows.doctor import doctor

    with screen(quiet=form.json) as shown:
        health = doctor(form.run, size=form.size, allow_changed_data=form.allow_changed_data, progress=Reading(shown))
    if form.json:
        print(health.to_json().decode())
    else:
        Console().print(health_table(health.findings, health.subject, health.fraction, form.language))
