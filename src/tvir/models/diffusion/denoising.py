"""A network that answers noisy data, learned in one stage: what diffusion and flow matching share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from annotated_types import Ge, Gt
from torch import Tensor, nn

from tvir.contracts.data import DataSpec, ImageSpec, VectorSpec
from tvir.contracts.diagram import Arrow, Box, Diagram, Role
from tvir.contracts.model import Adam, Batch, Losses, Phase, Player, SamplesInSteps, SizedConfig, Stage
from tvir.contracts.noise import Noise
from tvir.contracts.ranges import Logarithmic
from tvir.models.standardising import Standardiser
from tvir.networks.denoising import denoiser_for


@dataclass(frozen=True, kw_only=True)
class DenoisingConfig(SizedConfig):
    """Settings of every model that learns to answer noisy data."""

    batch_size: Annotated[int, Ge(1)] = 32
    """Examples per step, over all processes."""
    ema_half_life: Annotated[float, Gt(0)] = 50_000.0
    """Examples after which the averaged weights have forgotten half of their past."""
    width: Annotated[int, Ge(1)] = 24
    """Size of the network: channels of features 16 pixels wide, a quarter of the hidden units of a perceptron."""
    learning_rate: Annotated[float, Gt(0), Logarithmic(5e-4, 5e-3)] = 2e-3
    """Step size of the network."""


class DenoisesExamples(SamplesInSteps, ABC):
    """Learns from standardised examples with noise, and makes examples from noise alone.

    Args:
        spec: Images or vectors.
        config: The settings.
        steps: That a sample takes where nothing else is asked for.
    """

    specs = (ImageSpec, VectorSpec)

    def __init__(self, spec: DataSpec, config: DenoisingConfig, steps: int) -> None:
        super().__init__(spec, config)
        self._settings = config
        self.steps = steps
        self.unit = Standardiser(spec.shape[0], places=len(spec.shape) - 1)
        self.network = denoiser_for(spec, config.width)

    @abstractmethod
    def loss(self, clean: Tensor, noise: Noise) -> Losses:
        """What is minimised, for standardised examples (N, *spec.shape)."""

    def within_limits(self, clean: Tensor) -> Tensor:
        """Standardised examples, none of whose numbers lie beyond what an example may hold."""
        low, high = (self.unit(torch.full_like(self.unit.shift, limit)) for limit in self.spec.limits)
        return clean.clamp(low, high)

    def stages(self) -> Sequence[Stage]:
        def loss(batch: Batch) -> Losses:
            return self.loss(self.unit(batch.data), batch.noise)

        phase = Phase(name="denoising", player=denoising_player(self.network, self._settings.learning_rate), loss=loss)
        return [Stage(name="denoising", phases=[phase], prepare=self.unit.measure)]

    def diagram(self) -> Diagram:
        return Diagram(
            boxes=[
                Box(name="real data", role=Role.DATA),
                Box(name="noise", role=Role.NOISE),
                Box(name="noisy data", role=Role.SAMPLE),
                Box(name="denoiser", role=Role.NETWORK, module=self.network),
                Box(name="denoised data", role=Role.SAMPLE),
            ],
            arrows=[
                Arrow("real data", "noisy data"),
                Arrow("noise", "noisy data"),
                Arrow("noisy data", "denoiser"),
                Arrow("denoiser", "denoised data"),
                Arrow("denoised data", "noisy data"),
            ],
        )


def denoising_player(network: nn.Module, learning_rate: float) -> Player:
    """A network with the optimiser that suits it."""
    optimiser = Adam(learning_rate=learning_rate, betas=(0.9, 0.99), warmup_steps=100, final_share=0.05)
    return Player(name="denoiser", parameters=list(network.parameters()), optimiser=optimiser)
