"""What an illness is to the doctor: a check that recognises it."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from functools import cache, cached_property
from typing import Any, ClassVar

import torch
from torch import Tensor

from tvir.contracts.data import Array, Dataset, Examples
from tvir.contracts.discovery import discover
from tvir.contracts.errors import UsageError
from tvir.contracts.health import Condition, Finding
from tvir.contracts.model import Conditional, GenerativeModel, JudgesExamples, JudgesReconstructions, ModelConfig
from tvir.contracts.noise import mix_seed
from tvir.evaluation.subsampling import drawn_indices
from tvir.health.age import Age
from tvir.health.history import History

_CHUNK = 256
_SEED = 0

Classify = Callable[[Array], Array]
"""From rows to class indices (N,)."""


class Case:
    """A model, its data and its log: all that a check may know.

    Args:
        model: With averaged weights.
        dataset: What it learns from.
        history: Its log.
        size: Examples of each kind that are looked at.
        classify: Names the class of rows; None where classes are not known or not worth the time.
    """

    def __init__(
        self,
        model: GenerativeModel,
        dataset: Dataset,
        history: History,
        *,
        size: int = 1000,
        classify: Classify | None = None,
    ) -> None:
        self.model = model
        self.dataset = dataset
        self.history = history
        self.size = size
        self.classify = classify

    @cached_property
    def made(self) -> Tensor:
        """Samples in model form."""
        return self.model.sample(self.size, seed=mix_seed(_SEED, "health"))

    @cached_property
    def fakes(self) -> tuple[Tensor, Tensor | None]:
        """What a critic has learned to tell from examples, in model form, and the classes that were asked for."""
        data, labels = self.train
        if isinstance(self.model, JudgesReconstructions):
            return self.in_pieces(self.model.reconstruct, data, labels), labels
        if labels is None or not isinstance(self.model, Conditional) or bool((labels < 0).any()):
            return self.made, None
        return self.model.sample(len(data), condition=labels, seed=mix_seed(_SEED, "health")), labels

    @cached_property
    def train(self) -> tuple[Tensor, Tensor | None]:
        """Training examples in model form, and their labels."""
        return self._drawn(self.dataset.train)

    @cached_property
    def held_out(self) -> tuple[Tensor, Tensor | None]:
        """Examples of the validation split in model form, and their labels."""
        return self._drawn(self.dataset.validation)

    @cached_property
    def logits_of_train(self) -> Tensor:
        """What the critic says of training examples, (N,); only of a model that judges examples."""
        return self.judged(*self.train)

    @cached_property
    def logits_of_fakes(self) -> Tensor:
        """What it says of fakes, (N,)."""
        return self.judged(*self.fakes)

    def judged(self, examples: Tensor, labels: Tensor | None) -> Tensor:
        """What the critic says of examples, (N,)."""
        if not isinstance(self.model, JudgesExamples):
            raise TypeError(f"{type(self.model).__name__} judges no examples")
        return self.in_pieces(self.model.judge, examples, labels).flatten()

    def in_pieces(self, function: Callable[..., Tensor], examples: Tensor, labels: Tensor | None = None) -> Tensor:
        """``function`` of examples and their classes, a few at a time; only a conditional model is told classes."""
        asked = labels if isinstance(self.model, Conditional) else None
        starts = range(0, len(examples), _CHUNK)
        return torch.cat(
            [
                function(examples[i : i + _CHUNK], None if asked is None else asked[i : i + _CHUNK]).float()
                for i in starts
            ]
        )

    def _drawn(self, examples: Examples) -> tuple[Tensor, Tensor | None]:
        chosen = drawn_indices(len(examples), self.size, _SEED)
        labels, device = examples.labels_at(chosen), self.model.device
        data = examples.spec.to_model(examples.take(chosen)).to(device)
        return data, None if labels is None else labels.to(device)


class Check(ABC):
    """One illness. One file under ``health/checks`` holds one final check; nothing else names it but its words.

    The docstring of a check states the sign, the threshold, where both come from, and how it is known to fail.
    """

    name: ClassVar[str]
    earliest: ClassVar[float] = 0.0
    """Share of the budget before which a healthy run may look the same."""
    fewest_steps: ClassVar[int] = 100
    """Steps of the present stage, with every player at full speed, before which a healthy run may look the same."""
    judges_samples: ClassVar[bool] = False
    """Whether it looks at what is made, of which nothing is to be expected before the last stage."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).lower()

    def is_due(self, age: Age) -> bool:
        """Whether what it sees in a run of that age is an illness: the one rule for all checks."""
        if self.judges_samples and age.stages_left:
            return False
        return age.fraction >= self.earliest and age.steps >= self.fewest_steps

    def finding(self, is_ill: bool, flags: Sequence[str] = (), **seen: float) -> Finding:
        """What was seen; flags are named only where something is to be mended."""
        condition = Condition.ILL if is_ill else Condition.WELL
        return Finding(check=self.name, condition=condition, seen=seen, flags=tuple(flags) if is_ill else ())


class LogCheck(Check):
    """An illness that shows in the log."""

    @abstractmethod
    def read(self, history: History, config: ModelConfig) -> Finding | None:
        """What the log says, or None where the illness cannot befall such a run or nothing can be said yet."""


class ModelCheck(Check):
    """An illness that shows in what the model does."""

    @abstractmethod
    def examine(self, case: Case) -> Finding | None:
        """What the model shows, or None where the illness cannot befall it. Called without gradients."""


@cache
def find_checks() -> tuple[Check, ...]:
    """Every check there is, by walking ``health/checks``."""
    from tvir.health import checks

    finals: Iterator[type[Check]] = discover(checks, Check)
    return tuple(final() for final in finals)


def flags_for(config: ModelConfig, *wanted: tuple[str, Any]) -> tuple[str, ...]:
    """Those settings as flags that the model has, that it accepts and that would change something."""
    return tuple(f"--{name.replace('_', '-')} {value}" for name, value in wanted if _would_change(config, name, value))


def _would_change(config: ModelConfig, name: str, value: object) -> bool:
    known = config.as_json()
    if name not in known:
        return False
    try:
        return type(config).from_json({**known, name: value}) != config
    except UsageError:
        return False
