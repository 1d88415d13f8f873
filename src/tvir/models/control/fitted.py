"""What all controls share: they are fitted once, before a first step that never comes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from tvir.contracts.data import Examples
from tvir.contracts.diagram import Arrow, Box, Diagram, Role
from tvir.contracts.model import GenerativeModel, Stage


class Control(GenerativeModel, ABC):
    """A model that is fitted to the training split at once and takes no step, whatever the budget.

    Args:
        spec: The data.
        config: The settings.
    """

    @abstractmethod
    def fit(self, examples: Examples) -> None:
        """Fit to the training split; what is left to chance follows from torch's generator."""

    def stages(self) -> Sequence[Stage]:
        return [Stage(name="fitting", prepare=self.fit)]

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
