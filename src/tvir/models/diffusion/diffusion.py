"""Denoising diffusion: a network that takes a little noise away, many times over."""

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
from tvir.objectives.diffusing import DpmSolver, Edm, Parametrisation, Sampler, diffuse

need("diffusers")


class Diffusion(DenoisesExamples):
    """A network that learns to clean data of noise of every strength; samples begin as noise and are cleaned in steps.

    Examples are brought to mean 0 and variance 1 first, per channel, as measured on the training split; while images
    are sampled, estimates are kept within the range of pixels.

    Args:
        spec: Images or vectors.
        config: The settings.

    Example:
        >>> from tvir.contracts.data import VectorSpec
        >>> diffusion = Diffusion(VectorSpec(features=2), Diffusion.smallest())
        >>> with diffusion.sampling_in(3):
        ...     diffusion.sample(5).shape
        torch.Size([5, 2])
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(DenoisingConfig):
        """Settings of a diffusion model."""

        parametrisation: Parametrisation = field(default_factory=Edm)
        """What the network is asked for, and at which noise levels."""
        sampler: Sampler = field(default_factory=DpmSolver)
        """How noise becomes data."""
        steps: Annotated[int, Ge(1)] = 20
        """Steps that a sample takes, each with one call of the network, or two with heun."""

    config: Config
    paper = "Ho et al. 2020, Denoising Diffusion Probabilistic Models, arXiv 2006.11239"

    def __init__(self, spec: DataSpec, config: Config) -> None:
        super().__init__(spec, config, config.steps)

    @classmethod
    def smallest(cls) -> Config:
        return cls.Config(width=2, batch_size=4, steps=3)

    def loss(self, clean: Tensor, noise: Noise) -> Losses:
        return {"denoising": self.config.parametrisation.loss(self.network, clean, noise)}

    def generate(self, noise: Noise, condition: Tensor | None) -> Tensor:
        def denoise(noisy: Tensor, level: float) -> Tensor:
            return self.within_limits(self.config.parametrisation.denoise(self.network, noisy, level))

        levels = self.config.parametrisation.levels(self.steps)
        return self.unit.inverse(diffuse(self.config.sampler, denoise, levels, self.spec.shape, noise))
