"""What can be found when a run's health is examined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Condition(StrEnum):
    """How a run stands with regard to one illness."""

    WELL = "well"
    """There is no sign of it."""
    REMARK = "remark"
    """Something is wasted, nothing is wrong."""
    ILL = "ill"
    """It is there."""
    EARLY = "early"
    """It looks as if it were there, but so do healthy runs of that age."""
    UNKNOWN = "unknown"
    """It could not be examined."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one check has seen.

    Args:
        check: Name of the check; its words are under ``health.NAME`` in every language.
        condition: What follows from it.
        seen: The numbers it rests on, by name; they fill the places of ``health.NAME.seen``.
        flags: Settings that mend it, as typed after ``tvir train MODEL``; best first.
        reason: Why nothing could be examined; empty otherwise.
    """

    check: str
    condition: Condition
    seen: Mapping[str, float] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    reason: str = ""

    @property
    def is_well(self) -> bool:
        """Whether nothing is to be mended."""
        return self.condition in (Condition.WELL, Condition.EARLY)
