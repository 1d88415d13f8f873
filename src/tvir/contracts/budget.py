"""How much a run may spend, and how much it has spent."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass

from tvir.contracts.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What a run has used so far. Seconds count training alone: no checkpoint, preview or evaluation."""

    seconds: float = 0.0
    steps: int = 0
    samples: int = 0


class Budget(ABC):
    """A limit on training, the same for every model in a comparison.

    Example:
        >>> Budget.parse("2m")
        Seconds(limit=120.0)
        >>> Budget.parse("1.5Msamples"), str(Budget.parse("5000steps"))
        (Samples(limit=1500000), '5000steps')
        >>> Budget.parse("200steps").fraction(Spent(steps=50))
        0.25
    """

    @abstractmethod
    def fraction(self, spent: Spent) -> float:
        """The share of the budget that is spent, 1 or more when nothing is left."""

    @staticmethod
    def parse(text: str) -> Budget:
        """Read ``90s``, ``2m``, ``1h``, ``5000steps``, ``20ksteps``, ``1Msamples``.

        Raises:
            UsageError: The text is none of these, or is not positive.
        """
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(?:(s|m|min|h)|([kM]?)\s*(steps?|samples?))", text.strip())
        if not match or float(match[1]) <= 0:
            raise UsageError(f"{text!r} is no budget; write for example 90s, 2m, 1h, 5000steps or 1Msamples")
        number, time_unit, scale, noun = float(match[1]), match[2], match[3], match[4]
        if time_unit:
            return Seconds(number * {"s": 1, "m": 60, "min": 60, "h": 3600}[time_unit])
        limit = max(1, round(number * {"": 1, "k": 1_000, "M": 1_000_000}[scale]))
        return Steps(limit) if noun.startswith("step") else Samples(limit)


@dataclass(frozen=True)
class Seconds(Budget):
    """Wall-clock seconds of training."""

    limit: float

    def fraction(self, spent: Spent) -> float:
        return spent.seconds / self.limit

    def __str__(self) -> str:
        return f"{self.limit:g}s"


@dataclass(frozen=True)
class Steps(Budget):
    """Training steps, each of one global batch."""

    limit: int

    def fraction(self, spent: Spent) -> float:
        return spent.steps / self.limit

    def __str__(self) -> str:
        return f"{self.limit}steps"


@dataclass(frozen=True)
class Samples(Budget):
    """Training examples seen, over all processes."""

    limit: int

    def fraction(self, spent: Spent) -> float:
        return spent.samples / self.limit

    def __str__(self) -> str:
        return f"{self.limit}samples"
