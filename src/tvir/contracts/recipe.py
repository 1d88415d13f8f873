"""A recipe: a published model as settings of one of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Which parts make a published model, how to train it here, and what to expect.

    Args:
        model: Name of the model that it is a setting of.
        settings: Those that differ from the model's defaults, as text or numbers.
        paper: Authors, year, title and arXiv number.
        parts: What it is made of, in words.
        departs: What differs from the paper, in words; empty where nothing does that matters.
        command: That trains it.
        duration: How long that takes, and on what machine.
        expected: The score it ended with when it was last tried, and the metric.
    """

    model: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    paper: str
    parts: str
    departs: str = ""
    command: str
    duration: str
    expected: str
