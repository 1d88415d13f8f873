"""How far a run has come, which decides what may be called an illness."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from tvir.contracts.model import Stage
from tvir.health.history import History


@dataclass(frozen=True, kw_only=True)
class Age:
    """How far a run has come; fully grown by default.

    Args:
        fraction: Share of the run's budget that is spent, 0 to 1.
        steps: Of the present stage, since the last of its players reached full speed; below 0 while one warms up.
        stages_left: Stages that are still to come.
    """

    fraction: float = 1.0
    steps: int = sys.maxsize
    stages_left: int = 0


def age_at(history: History, stages: Sequence[Stage], fraction: float) -> Age:
    """How far a run had come at the last line of its log.

    Args:
        history: The log.
        stages: Of the model.
        fraction: Share of the run's budget that is spent, 0 to 1.
    """
    names = [stage.name for stage in stages if stage.phases]
    if not names:
        return Age(fraction=fraction)
    place = names.index(history.stage) if history.stage in names else 0
    return Age(fraction=fraction, steps=history.steps, stages_left=len(names) - 1 - place)
