"""How much a run may spend, and how much it has spent."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass

from tvir.contracts.errors import UsageError

_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600}
_SCALES = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}
_PREFIXES = {scale: prefix for prefix, scale in _SCALES.items()}


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What a run has used so far.

    Args:
        seconds: Of training alone: no checkpoint, preview or evaluation.
        steps: Training steps.
        samples: Training examples seen.
        flops: Floating-point operations of all steps; 0 unless the budget counts them.
    """

    seconds: float = 0.0
    steps: int = 0
    samples: int = 0
    flops: float = 0.0


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
        """Read ``90s``, ``2m``, ``1h``, ``5000steps``, ``20ksteps``, ``1Msamples``, ``500Gflops``, ``2.5Tflops``.

        Raises:
            UsageError: The text is none of these, or is not positive.
        """
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kMGTP]?)\s*([a-z]+)", text.strip())
        number = float(match[1]) if match else 0.0
        if match and number > 0:
            scale, noun = match[2], match[3]
            if not scale and noun in _SECONDS:
                return Seconds(number * _SECONDS[noun])
            if noun in ("flop", "flops"):
                return Flops(number * _SCALES[scale])
            if noun in ("step", "steps", "sample", "samples"):
                limit = max(1, round(number * _SCALES[scale]))
                return Steps(limit) if noun.startswith("step") else Samples(limit)
        raise UsageError(f"{text!r} is no budget; write for example 90s, 2m, 1h, 5000steps, 1Msamples or 50Tflops")


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


@dataclass(frozen=True)
class Flops(Budget):
    """Floating-point operations of training steps, as ``tvir.contracts.flops`` counts them.

    It asks the same of every machine, whatever else that machine does. What a stage prepares is not counted.
    """

    limit: float

    def fraction(self, spent: Spent) -> float:
        return spent.flops / self.limit

    def __str__(self) -> str:
        scale = max((scale for scale in _SCALES.values() if scale <= self.limit), default=1)
        return f"{self.limit / scale:.15g}{_PREFIXES[scale]}flops"
