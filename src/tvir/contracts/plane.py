"""A point of the plane of quality and diversity."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class PlanePoint:
    """Where samples lie in the plane.

    Args:
        repetition: Self-BLEU or the like: the lower, the more diverse.
        fidelity: BLEU or the like: the higher, the better.
        temperature: They were drawn at.
    """

    repetition: float
    fidelity: float
    temperature: float = 1.0
