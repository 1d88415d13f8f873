"""Which values of a setting are worth trying, declared beside the setting."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_type_hints

import numpy as np

from tvir.contracts.model import ModelConfig


class Range(ABC):
    """Values that a search draws from; written into the ``Annotated`` type of a setting."""

    @abstractmethod
    def draw(self, share: float) -> Any:
        """The value at a share of the range, 0 to 1 (1 excluded)."""


@dataclass(frozen=True)
class Logarithmic(Range):
    """Numbers between two ends, even in their logarithm, to three digits.

    Example:
        >>> Logarithmic(1e-4, 1e-2).draw(0.5)
        0.001
    """

    low: float
    high: float

    def draw(self, share: float) -> float:
        value = math.exp(math.log(self.low) + share * (math.log(self.high) - math.log(self.low)))
        return float(f"{value:.3g}")


@dataclass(frozen=True)
class OneOf(Range):
    """One of a few values, as text or numbers.

    Example:
        >>> OneOf(16, 32, 64).draw(0.4)
        32
    """

    values: tuple[Any, ...]

    def __init__(self, *values: Any) -> None:
        object.__setattr__(self, "values", values)

    def draw(self, share: float) -> Any:
        return self.values[int(share * len(self.values))]


def ranges_of(config: type[ModelConfig]) -> dict[str, Range]:
    """The settings of a model that are worth searching, with their ranges."""
    found: dict[str, Range] = {}
    for name, hint in get_type_hints(config, include_extras=True).items():
        ranges = [part for part in getattr(hint, "__metadata__", ()) if isinstance(part, Range)]
        if ranges:
            found[name] = ranges[0]
    return found


def draw_settings(ranges: Mapping[str, Range], number: int) -> dict[str, Any]:
    """The settings of trial ``number``: the defaults (nothing) for 0, else one value of every range.

    Every setting has a random sequence of its own, so that a model with one setting more tries the same values of the
    others.
    """
    if number == 0:
        return {}
    shares = {name: np.random.default_rng([number, *name.encode()]).uniform() for name in ranges}
    return {name: found.draw(shares[name]) for name, found in ranges.items()}
