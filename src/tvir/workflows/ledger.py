"""comparison.json: what was compared, how, and what came of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from tvir.contracts.attempt import Attempt
from tvir.contracts.errors import UsageError
from tvir.contracts.faults import first_fault
from tvir.contracts.metric import Scorecard
from tvir.contracts.run import DataRecord, Precision, Status, write_atomically
from tvir.contracts.size import Size
from tvir.contracts.verdict import AxisRanks, Verdict


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
        controls: The subjects that were added for every other to be compared with.
        trials: Every trial, failed ones too.
        cards: One scorecard per model: means over its seeds, with intervals.
        verdicts: What the numbers support.
        ranks: Where every model stands on every axis, as far as the verdicts decide.
        dominating: The model that is behind none and ahead of every other, or None.
        match: In what the networks were to be alike.
        sizes: How large every contestant's are.
        attempts: Settings that were tried before, judged on the validation split.
        floor_spreads: Which gaps are no larger than what other real data would make, over disjoint blocks of it.
    """

    schema: Literal[1] = 1
    data: DataRecord
    budget: str
    precision: Precision | None
    jobs: int
    threads: int
    controls: Sequence[str] = ()
    trials: Sequence[TrialResult]
    cards: Sequence[Scorecard]
    verdicts: Sequence[Verdict]
    ranks: Sequence[AxisRanks] = ()
    dominating: str | None = None
    match: str = "none"
    sizes: Sequence[Size] = ()
    attempts: Sequence[Attempt] = ()
    floor_spreads: Sequence[FloorSpread] = ()


_LEDGER = TypeAdapter(Ledger)


def write_ledger(path: Path, ledger: Ledger) -> None:
    """Write comparison.json. A number that is not finite is written as null."""
    write_atomically(path, _LEDGER.dump_json(ledger, indent=2) + b"\n")


def read_ledger(path: Path) -> Ledger:
    """Read comparison.json.

    Raises:
        UsageError: There is no such file, or it is no comparison, or one with a number that is not finite.
    """
    try:
        return _LEDGER.validate_json(path.read_bytes())
    except FileNotFoundError:
        raise UsageError(f"there is no {path}; make it with: tvir compare MODEL MODEL --out {path.parent}") from None
    except ValidationError as error:
        raise UsageError(f"{path} cannot be read as a comparison: {first_fault(error)}") from None


_COLUMNS = (
    "subject", "axis", "metric", "space", "better", "value", "low", "high", "floor", "n_real", "n_generated",
    "best_rank", "worst_rank",
)  # fmt: skip


def write_table(path: Path, ledger: Ledger) -> None:
    """Write comparison.csv: every score of every model with its interval, its floor and the model's ranks there."""
    ranks = {(found.axis, subject): both for found in ledger.ranks for subject, both in found.ranks.items()}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for card in ledger.cards:
        for score in card.scores:
            low, high = score.interval or (None, None)
            best, worst = ranks.get((score.axis, card.subject), (None, None))
            writer.writerow([
                card.subject, score.axis, score.metric, score.space, score.better, score.value, low, high, score.floor,
                score.n_real, score.n_generated, best, worst,
            ])  # fmt: skip
    write_atomically(path, text.getvalue().encode())
