"""What a comparison may conclude, as data: reports find the words, in any language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tvir.contracts.metric import Axis

Doubt = Literal["seeds", "interval", "floor", "spread"]
"""Why nothing was decided: too few seeds, an interval that holds 0, both as good as real data, or a gap that other
real data would make as well (not larger than the spread of the floor)."""

Test = Literal["paired t", "Welch"]
"""What a gap was tested with."""


@dataclass(frozen=True, kw_only=True)
class PairVerdict:
    """What one score says of two models.

    All scores on which the same two models are compared are one family: the chance that any of its gaps is called
    decided where there is none is at most 5 % (Holm 1979, A Simple Sequentially Rejective Multiple Test Procedure).

    Args:
        first: One model.
        second: The other.
        axis: Axis of the score.
        metric: Name of the score.
        space: What the metric looked through.
        gap: Mean over seeds of first - second, in the score's own unit.
        interval: Interval of the gap over the seeds, as wide as Holm's correction asks: it excludes 0 exactly where
            ``p_value`` is below 0.05. None with fewer than three seeds.
        seeds: Seeds that the gap is taken over; with Welch's test, of the model that has fewer.
        ahead: ``first`` or ``second``, whichever is better, or None where that is undecided.
        doubt: Why it is undecided; None where it is not.
        p_value: Of no gap, corrected over the family, or None with fewer than three seeds.
        family: Number of scores in the family.
        test: Student's t over seeds that both models were trained with, or Welch's where those are too few.
        floor_spread: Standard error of the floor, which the gap must exceed, or None where it is not known.
    """

    first: str
    second: str
    axis: Axis
    metric: str
    space: str
    gap: float
    interval: tuple[float, float] | None
    seeds: int
    ahead: str | None
    doubt: Doubt | None = None
    p_value: float | None = None
    family: int = 1
    test: Test = "paired t"
    floor_spread: float | None = None

    @property
    def behind(self) -> str | None:
        """The model that is worse, or None where that is undecided."""
        if self.ahead is None:
            return None
        return self.second if self.ahead == self.first else self.first


@dataclass(frozen=True, kw_only=True)
class CopyVerdict:
    """How much of what a model makes lies closer to a training example than real data does.

    Args:
        subject: The model.
        space: What the metric looked through.
        share: Share of its samples that are copies, 0 to 1.
        floor: The same share among real data that the model has not seen, or None.
        interval: 95 % interval of the share over the seeds, or None.
        copies: True: more than real data does. False: not shown to be more. None: there is no telling (no floor).
    """

    subject: str
    space: str
    share: float
    floor: float | None
    interval: tuple[float, float] | None
    copies: bool | None


Verdict = PairVerdict | CopyVerdict


@dataclass(frozen=True, kw_only=True)
class AxisRanks:
    """Who stands where on one axis.

    Args:
        axis: The axis.
        ranks: By model, the best and the worst rank that the verdicts allow: (1, 1) is the first alone, and models
            that nothing tells apart share a range.
    """

    axis: Axis
    ranks: Mapping[str, tuple[int, int]]
