"""What a comparison may conclude, as data: reports find the words, in any language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tvir.contracts.metric import Axis

Doubt = Literal["seeds", "interval", "floor"]
"""Why nothing was decided: too few seeds, an interval that holds 0, or both as good as real data."""


@dataclass(frozen=True, kw_only=True)
class PairVerdict:
    """What one score says of two models trained on the same seeds.

    Args:
        first: One model.
        second: The other.
        axis: Axis of the score.
        metric: Name of the score.
        space: What the metric looked through.
        gap: Mean over seeds of first - second, in the score's own unit.
        interval: 95 % interval of the gap over the seeds, or None with fewer than three.
        seeds: Seeds that both models have this score for.
        ahead: ``first`` or ``second``, whichever is better, or None where that is undecided.
        doubt: Why it is undecided; None where it is not.
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
