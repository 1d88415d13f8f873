"""A setting that a search has tried."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tvir.contracts.run import Status


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One setting of one contestant, judged on the validation split.

    Args:
        subject: The contestant.
        settings: Those that differ from its defaults, as text or numbers.
        path: Its run, relative to the comparison.
        status: Of the run.
        value: The score that settings are selected by, or None where there is none.
        reason: Why there is none, or None.
    """

    subject: str
    settings: dict[str, Any] = field(default_factory=dict)
    path: str
    status: Status
    value: float | None
    reason: str | None = None
