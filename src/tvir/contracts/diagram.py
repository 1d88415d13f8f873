"""A model as people draw it: boxes and arrows, with the real modules inside the boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from torch import nn


class Role(Enum):
    """What a box stands for; decides its shape and colour, not its words."""

    NOISE = "noise"
    NETWORK = "network"
    DATA = "data"
    DISTRIBUTION = "distribution"
    SAMPLE = "sample"
    DECISION = "decision"


@dataclass(frozen=True, kw_only=True)
class Box:
    """One box.

    Args:
        name: Words shown to people, unique within the diagram ("generator", "real data").
        role: What it stands for.
        module: The network inside, or None. Layer shapes and parameter counts are measured from it.
    """

    name: str
    role: Role
    module: nn.Module | None = None


@dataclass(frozen=True)
class Arrow:
    """A flow from one box to another, by name."""

    source: str
    target: str


@dataclass(frozen=True, kw_only=True)
class Diagram:
    """Boxes and arrows, left to right in the order data flows."""

    boxes: Sequence[Box]
    arrows: Sequence[Arrow]
