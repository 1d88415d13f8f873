"""Where a training stands: every counter it is continued from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

from annotated_types import Ge
from pydantic import ConfigDict, with_config

from tvir.contracts.budget import Budget, Spent
from tvir.contracts.model import Stage

Count = Annotated[int, Ge(0)]

_ROUNDING = 1e-9
"""Shares such as 0.3 and 0.7 do not add up to 1 exactly."""


@with_config(ConfigDict(extra="forbid"))
@dataclass(kw_only=True)
class Position:
    """The content of state.json. Random numbers and the order of the data are functions of these counters.

    Args:
        stage: Index of the stage, which has been entered and prepared.
        stage_step: Steps taken in it.
        stage_samples: Examples seen in it.
        stage_begin: Share of the run's budget that was spent when it began.
        steps: Steps of the run.
        samples: Examples of the run seen; the place in the order of the data.
        seconds: Seconds of training.
        flops: Operations of all steps, where the budget counts them.
        previews: Sample grids drawn.
        bad_moves: Phases whose last moves were skipped, and how many in a row.
    """

    schema: Literal[1] = 1
    stage: Count = 0
    stage_step: Count = 0
    stage_samples: Count = 0
    stage_begin: Annotated[float, Ge(0)] = 0.0
    steps: Count = 0
    samples: Count = 0
    seconds: Annotated[float, Ge(0)] = 0.0
    flops: Annotated[float, Ge(0)] = 0.0
    previews: Count = 0
    bad_moves: dict[str, Count] = field(default_factory=dict)

    @property
    def spent(self) -> Spent:
        """What has been used of the budget."""
        return Spent(seconds=self.seconds, steps=self.steps, samples=self.samples, flops=self.flops)

    def enter(self, stage: int, begin: float) -> None:
        """Begin a stage."""
        self.stage, self.stage_step, self.stage_samples, self.stage_begin = stage, 0, 0, begin
        self.bad_moves = {}

    def advance(self, examples: int, flops: float = 0.0) -> None:
        """Count a step of so many examples and operations."""
        self.stage_step += 1
        self.stage_samples += examples
        self.steps += 1
        self.samples += examples
        self.flops += flops


@dataclass(frozen=True)
class Timetable:
    """Which share of the budget each stage has.

    Example:
        >>> table = Timetable(Budget.parse("100steps"), [Stage(name="a", share=0.3), Stage(name="b", share=0.7)])
        >>> table.end(0), table.end(1)
        (0.3, 1.0)
        >>> round(table.progress(Position(stage=1, stage_begin=0.3, steps=65)), 6)
        0.5
    """

    budget: Budget
    stages: Sequence[Stage]

    def __post_init__(self) -> None:
        total = sum(stage.share for stage in self.stages)
        if not self.stages or abs(total - 1) > 1e-6 or min(stage.share for stage in self.stages) < 0:
            raise ValueError(f"the shares of a model's stages must add up to 1, not to {total}")

    def fraction(self, position: Position) -> float:
        """The share of the budget that is spent."""
        return self.budget.fraction(position.spent)

    def end(self, stage: int) -> float:
        """The share of the budget that is spent when a stage ends."""
        last = stage + 1 == len(self.stages)
        return 1.0 if last else sum(stage.share for stage in self.stages[: stage + 1])

    def is_over(self, position: Position) -> bool:
        """Whether the position's stage has ended; one without phases ends once it is prepared."""
        phases = self.stages[position.stage].phases
        return not phases or self.fraction(position) >= self.end(position.stage) - _ROUNDING

    def progress(self, position: Position) -> float:
        """The share of the stage's own part of the budget that is spent, 0 to 1."""
        length = self.end(position.stage) - position.stage_begin
        if length <= 0:
            return 1.0
        return min(1.0, max(0.0, (self.fraction(position) - position.stage_begin) / length))
