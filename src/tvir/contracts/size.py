"""How large a contestant's networks are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Size:
    """The size of one contestant.

    Args:
        subject: The contestant.
        width: Its size dial, or None for one that has none.
        parameters: Trainable ones.
        flops: Operations of a training step for an example, or None where they were not counted.
    """

    subject: str
    width: int | None
    parameters: int
    flops: float | None = None
