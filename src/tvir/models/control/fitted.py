"""What all controls share: they are fitted once, before a first step that never comes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor

from tvir.contracts.data import DataSpec, Examples
from tvir.contracts.diagram import Arrow, Box, Diagram, Role
from tvir.contracts.model import GenerativeModel, ModelConfig, Stage
from tvir.contracts.noise import Noise, mix_seed


class Control(GenerativeModel, ABC):
    """A model that is fitted to the training split at once and takes no step, whatever the budget.

    Args:
        spec: The data.
        config: The settings.
    """

    salt: Tensor

    def __init__(self, spec: DataSpec, config: ModelConfig) -> None:
        super().__init__(spec, config)
        self.register_buffer("salt", torch.zeros((), dtype=torch.int64))

    @abstractmethod
    def fit(self, examples: Examples) -> None:
        """Fit to the training split; what is left to chance follows from torch's generator."""

    @abstractmethod
    def draw(self, noise: Noise) -> Tensor:
        """One example for every row of noise, (noise.count, *spec.shape)."""

    def generate(self, noise: Noise, condition: Tensor | None) -> Tensor:
        seed = mix_seed(noise.seed, int(self.salt))
        return self.draw(Noise(seed, count=noise.count, first=noise.first, device=noise.device))

    def stages(self) -> Sequence[Stage]:
        return [Stage(name="fitting", prepare=self._prepare)]

    def _prepare(self, examples: Examples) -> None:
        # Fits to the same data are alike; the samples of other training seeds must be others all the same.
        self.salt.random_()
        self.fit(examples)

    def diagram(self) -> Diagram:
        return Diagram(
            boxes=[
                Box(name="training examples", role=Role.DATA),
                Box(name="fitted distribution", role=Role.DISTRIBUTION),
                Box(name="noise", role=Role.NOISE),
                Box(name="sample", role=Role.SAMPLE),
            ],
            arrows=[
                Arrow("training examples", "fitted distribution"),
                Arrow("fitted distribution", "sample"),
                Arrow("noise", "sample"),
            ],
        )
