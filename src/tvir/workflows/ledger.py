"""comparison.json: what was compared, how, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from tvir.contracts.metric import Scorecard
from tvir.contracts.run import DataRecord, Precision, Status, write_atomically
from tvir.contracts.verdict import Verdict


@dataclass(frozen=True, kw_only=True)
class TrialResult:
    """What became of one trial.

    Args:
        subject: The model, with the settings that differ from its defaults.
        seed: Training seed.
        path: Its run, relative to the comparison.
        status: Of the run.
        reason: Why it did not finish, or None.
        card: Its scorecard, or None where it did not finish.
    """

    subject: str
    seed: int
    path: str
    status: Status
    reason: str | None
    card: Scorecard | None


@dataclass(frozen=True, kw_only=True)
class FloorSpread:
    """How far the floor of a score would land with other real points: its standard error."""

    metric: str
    space: str
    spread: float


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """The content of comparison.json.

    Args:
        data: What was learned from.
        budget: Of each trial.
        precision: Of every trial; None where each could choose.
        jobs: Trials side by side.
        threads: Of each trial.
        trials: Every trial, failed ones too.
        cards: One scorecard per model: means over its seeds, with intervals.
        verdicts: What the numbers support.
        floor_spreads: Which gaps are no larger than what other real data would make, over disjoint blocks of it.
    """

    schema: Literal[1] = 1
    data: DataRecord
    budget: str
    precision: Precision | None
    jobs: int
    threads: int
    trials: Sequence[TrialResult]
    cards: Sequence[Scorecard]
    verdicts: Sequence[Verdict]
    floor_spreads: Sequence[FloorSpread] = ()


_LEDGER = TypeAdapter(Ledger)


def write_ledger(path: Path, ledger: Ledger) -> None:
    """Write comparison.json. A number that is not finite is written as null."""
    write_atomically(path, _LEDGER.dump_json(ledger, indent=2) + b"\n")
