"""Scorecards side by side: one row per score, one place per model, grouped by axis."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from tvir.contracts.metric import Axis, Direction, Score, Scorecard
from tvir.contracts.verdict import PairVerdict, Verdict
from tvir.reports.language import Words, capital
from tvir.reports.numbers import RowFormat, floor_format, row_format

FIRST = frozenset({
    "mmd_rbf", "density", "high_quality_share",
    "coverage", "mode_count", "class_kl", "modes_found", "reverse_kl",
    "spectrum_w1", "pairwise_distance_w1", "covariance_spectrum_ratio", "tstr_gap",
    "copy_rate", "authenticity_gap", "likelihood_gap",
})  # fmt: skip
"""Scores that are shown first on their axis; others stand below them. Likelihood and cost have none to stand below."""

_ALL_FIRST = (Axis.LIKELIHOOD, Axis.COST)

_SHOWN_UNIT = {"peak_memory": 2.0**20}
"""What people count some scores in; a scorecard has bytes."""


@dataclass(frozen=True, kw_only=True)
class ScoreRow:
    """One score of every model.

    Args:
        axis: What it speaks of.
        metric: Name of the metric.
        space: Full name of what it looked through; "-" for the examples themselves.
        better: Direction.
        scores: One per model in the order of the cards, or None where a model lacks it.
        ahead: Models that are ahead of every other one on this score (one at most).
        controls: How many of the last scores are those of controls, which set no scale.
    """

    axis: Axis
    metric: str
    space: str
    better: Direction
    scores: tuple[Score | None, ...]
    ahead: str | None = None
    controls: int = 0

    @property
    def first(self) -> bool:
        """Whether it is read first on its axis."""
        return self.axis in _ALL_FIRST or self.metric in FIRST

    @property
    def measured(self) -> list[Score]:
        """The scores that are there."""
        return [score for score in self.scores if score is not None]

    @property
    def scaling(self) -> list[Score]:
        """The scores that a picture is scaled to: all but those of controls, where there are others."""
        contestants = [score for score in self.scores[: len(self.scores) - self.controls] if score is not None]
        return contestants or self.measured

    @property
    def floor(self) -> float | None:
        """Mean floor of the models: they share the real data, so theirs differ by rounding at most."""
        floors = [score.floor for score in self.measured if score.floor is not None]
        return sum(floors) / len(floors) if floors else None

    @property
    def layout(self) -> RowFormat:
        """How the numbers of this row are written."""
        return row_format(self.measured)

    @property
    def arrow(self) -> str:
        """Which way is better."""
        return "↓" if self.better is Direction.LOWER else "↑"

    def label(self, words: Words) -> str:
        """Metric and short space."""
        name = capital(words.metric(self.metric)) + words.unit(self.metric)
        return name if self.space == "-" else f"{name} [{words.space(self.space)}]"

    def full_name(self, words: Words) -> str:
        """Metric, space with its hash and sample sizes: what a number may be compared by."""
        sizes = sorted({(score.n_real, score.n_generated) for score in self.measured})
        counts = "; ".join(words("scores.sizes", real=real, generated=generated) for real, generated in sizes)
        space = "" if self.space == "-" else f"{self.space}, "
        return f"{self.metric}[{space}{counts}]"

    def floor_text(self, words: Words) -> str:
        """The floor, or a dash where it has no meaning."""
        return "–" if self.floor is None else floor_format(self.layout, self.floor).number(self.floor, words)


def score_rows(
    cards: Sequence[Scorecard], verdicts: Sequence[Verdict] = (), controls: Collection[str] = ()
) -> dict[Axis, list[ScoreRow]]:
    """Rows by axis: those to be read first, then the others, each in the order of their first appearance.

    Args:
        cards: One per subject; those of controls come last.
        verdicts: Where given, a subject that is ahead of every other one is known; of controls it need not be.
        controls: The subjects that others are compared with.
    """
    keys = dict.fromkeys((score.axis, score.metric, score.space) for card in cards for score in card.scores)
    by_card = [{(score.axis, score.metric, score.space): _shown(score) for score in card.scores} for card in cards]
    subjects = [card.subject for card in cards if card.subject not in controls]
    rows: dict[Axis, list[ScoreRow]] = {}
    for axis in Axis:
        for key in keys:
            if key[0] is axis:
                scores = tuple(scores.get(key) for scores in by_card)
                first = next(score for score in scores if score is not None)
                ahead = _ahead_of_all(subjects, [verdict for verdict in verdicts if _speaks_of(verdict, key)])
                row = ScoreRow(
                    axis=axis, metric=key[1], space=key[2], better=first.better, scores=scores, ahead=ahead,
                    controls=len(cards) - len(subjects),
                )  # fmt: skip
                rows.setdefault(axis, []).append(row)
    return {axis: sorted(found, key=lambda row: not row.first) for axis, found in rows.items()}


def _shown(score: Score) -> Score:
    """A score in the unit that people count it in."""
    if (unit := _SHOWN_UNIT.get(score.metric)) is None:
        return score
    interval = score.interval and (score.interval[0] / unit, score.interval[1] / unit)
    return replace(score, value=score.value / unit, interval=interval)


@dataclass(frozen=True, kw_only=True)
class FromFloor:
    """Where a model's score lies between the floor of the score, 0, and the model furthest from it, 1.

    Args:
        place: Negative where the model is better than the floor.
        interval: Of the score, on the same scale, or None.
    """

    place: float
    interval: tuple[float, float] | None


def from_floor(row: ScoreRow) -> list[FromFloor | None]:
    """The scores of a row on a scale that other rows share.

    Where no model is worse than the floor, there is no distance to share out: all of them are at 0.
    """
    if row.floor is None:
        return [None] * len(row.scores)
    sign = 1 if row.better is Direction.LOWER else -1
    furthest = max(sign * (score.value - row.floor) for score in row.scaling)

    def scaled(value: float, floor: float) -> float:
        return sign * (value - floor) / furthest if furthest > 0 else 0.0

    return [
        None
        if score is None
        else FromFloor(
            place=scaled(score.value, row.floor),
            interval=None
            if score.interval is None
            else tuple(sorted(scaled(end, row.floor) for end in score.interval)),  # pyright: ignore[reportArgumentType]
        )
        for score in row.scores
    ]


def _speaks_of(verdict: Verdict, key: tuple[Axis, str, str]) -> bool:
    return isinstance(verdict, PairVerdict) and (verdict.axis, verdict.metric, verdict.space) == key


def _ahead_of_all(subjects: Sequence[str], verdicts: Sequence[Verdict]) -> str | None:
    wins = dict.fromkeys(subjects, 0)
    for verdict in verdicts:
        if isinstance(verdict, PairVerdict) and verdict.ahead in wins and verdict.behind in wins:
            wins[verdict.ahead] += 1
    return next((subject for subject in subjects if 0 < wins[subject] == len(subjects) - 1), None)
