"""Images as numbers that are written one after the other, row by row, with an exact probability."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import torch.nn.functional as F
from annotated_types import Ge, Gt
from torch import Tensor, nn

from tvir.contracts.data import ImageSpec
from tvir.contracts.diagram import Diagram
from tvir.contracts.model import Adam, Batch, HasLikelihood, Losses, Measure, Phase, Player, SizedConfig, Stage
from tvir.contracts.noise import Noise
from tvir.contracts.ranges import Logarithmic
from tvir.models.autoregressive.writing import writing_diagram

_GRAYS = 256
"""Values of a number of an image as it stands in the data."""


@dataclass(frozen=True, kw_only=True)
class PixelsConfig(SizedConfig):
    """Settings of every model that writes images number by number."""

    batch_size: Annotated[int, Ge(1)] = 32
    """Examples per step, over all processes."""
    levels: Literal[2, 4, 8, 16, 32, 64, 128, 256] = 256
    """Values that are told apart; those in between are taken to be equally probable."""
    learning_rate: Annotated[float, Gt(0), Logarithmic(5e-4, 5e-3)] = 2e-3
    """Step size of the network."""


class WritesPixels(HasLikelihood, ABC):
    """Gives each number of an image a probability, given all before it: left to right, then down; red, green, blue.

    Args:
        spec: Images.
        config: The settings.
    """

    specs = (ImageSpec,)

    def __init__(self, spec: ImageSpec, config: PixelsConfig) -> None:
        super().__init__(spec, config)
        self._settings = config
        self.rows, self.across = spec.height, spec.width * spec.channels
        self._inside = _GRAYS // config.levels

    @property
    @abstractmethod
    def network(self) -> nn.Module:
        """What finds the probabilities."""

    @abstractmethod
    def logits(self, levels: Tensor) -> Tensor:
        """Of each number given those before it, (N, numbers, levels), from levels (N, numbers)."""

    @abstractmethod
    def write(self, noise: Noise) -> Tensor:
        """Levels (noise.count, numbers), drawn one after the other."""

    @property
    def measure(self) -> Measure:
        return Measure.PROBABILITY

    def log_prob(self, examples: Tensor, condition: Tensor | None = None) -> Tensor:
        return -self._surprise(self.levels_of(examples)).sum(1)

    def generate(self, noise: Noise, condition: Tensor | None) -> Tensor:
        levels = self.write(noise)
        if self._inside > 1:
            levels = levels * self._inside + noise.integers(self._inside, levels.shape[1])
        numbers = levels.view(-1, self.rows, self.spec.shape[2], self.spec.shape[0]).permute(0, 3, 1, 2)
        return numbers.float() / ((_GRAYS - 1) / 2) - 1

    def levels_of(self, examples: Tensor) -> Tensor:
        """The level of each number in the order of writing, (N, numbers) int64."""
        grays = ((examples.float() + 1) * ((_GRAYS - 1) / 2)).round().clamp(0, _GRAYS - 1).long()
        return grays.permute(0, 2, 3, 1).flatten(1) // self._inside

    def _surprise(self, levels: Tensor) -> Tensor:
        """Nats of each number, (N, numbers)."""
        logits = self.logits(levels).float()
        # One of equally probable values within a level.
        return F.cross_entropy(logits.transpose(1, 2), levels, reduction="none") + math.log(self._inside)

    def stages(self) -> Sequence[Stage]:
        def loss(batch: Batch) -> Losses:
            return {"nats_per_number": self._surprise(self.levels_of(batch.data)).mean()}

        player = Player(
            name="network",
            parameters=list(self.network.parameters()),
            optimiser=Adam(learning_rate=self._settings.learning_rate, warmup_steps=100, final_share=0.05),
        )
        return [Stage(name="reading", phases=[Phase(name="reading", player=player, loss=loss)])]

    def diagram(self) -> Diagram:
        return writing_diagram("numbers", "number", self.network)
