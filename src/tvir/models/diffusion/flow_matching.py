"""Flow matching: a velocity that carries noise to data along straight paths."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import Ge
from torch import Tensor

from tvir.contracts.data import DataSpec
from tvir.contracts.model import Losses
from tvir.contracts.noise import Noise
from tvir.contracts.third_party import need
from tvir.models.diffusion.denoising import DenoisesExamples, DenoisingConfig
from tvir.objectives.transport import Coupling, Independent, Midpoint, Solver, flow_matching_loss

need("diffusers", "torchdiffeq")


class FlowMatching(DenoisesExamples):
    """A network that learns which way noise must go to become data; samples follow it by solving an equation.

    Straight paths from noise to data, as in rectified flow (Liu et al. 2023, arXiv 2209.03003). Examples are brought to
    mean 0 and variance 1 first, per channel, as measured on the training split.

    Args:
        spec: Images or vectors.
        config: The settings.

    Example:
        >>> from tvir.contracts.data import VectorSpec
        >>> flow = FlowMatching(VectorSpec(features=2), FlowMatching.smallest())
        >>> with flow.sampling_in(3):
        ...     flow.sample(5).shape
        torch.Size([5, 2])
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(DenoisingConfig):
        """Settings of flow matching."""

        coupling: Coupling = field(default_factory=Independent)
        """Which noise of a batch becomes which example."""
        solver: Solver = field(default_factory=Midpoint)
        """How paths are followed."""
        steps: Annotated[int, Ge(1)] = 10
        """Steps that a sample takes, each with one call of the network, two with midpoint, four with runge-kutta."""

    config: Config
    paper = "Lipman et al. 2023, Flow Matching for Generative Modeling, arXiv 2210.02747"

    def __init__(self, spec: DataSpec, config: Config) -> None:
        super().__init__(spec, config, config.steps)

    @classmethod
    def smallest(cls) -> Config:
        return cls.Config(width=2, batch_size=4, steps=3)

    def loss(self, clean: Tensor, noise: Noise) -> Losses:
        times = noise.uniform()
        start = self.config.coupling.pair(noise.normal(*self.spec.shape), clean)
        return {"velocity": flow_matching_loss(self.network, start, clean, times)}

    def generate(self, noise: Noise, condition: Tensor | None) -> Tensor:
        reached = self.config.solver.follow(self.network, noise.normal(*self.spec.shape), self.steps)
        return self.unit.inverse(self.within_limits(reached))
