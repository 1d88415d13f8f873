"""One normal distribution."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge
from torch import Tensor

from tvir.contracts.data import DataSpec, Examples, ImageSpec, VectorSpec
from tvir.contracts.model import HasLikelihood, ModelConfig
from tvir.contracts.noise import Noise
from tvir.models.control.drawing import drawn_numbers, smallest_variance
from tvir.models.control.fitted import Control
from tvir.models.control.principal import PrincipalMixture


class Gaussian(Control, HasLikelihood):
    """A control: one normal distribution with the mean and the covariance of the data.

    The covariance is full where an example has no more than 1,024 numbers, else that of probabilistic principal
    component analysis.

    Args:
        spec: Images or vectors.
        config: The settings.

    Example:
        >>> gaussian = Gaussian(VectorSpec(features=2), Gaussian.smallest())
        >>> gaussian.sample(3).shape
        torch.Size([3, 2])
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(ModelConfig):
        """Settings of a normal distribution."""

        axes: Annotated[int, Ge(1)] = 256
        """Principal components that are kept of more than 1,024 numbers; in all other directions there is one noise."""
        examples: Annotated[int, Ge(1)] = 10_000
        """Training examples, at most, that are drawn to be fitted to."""

    config: Config
    paper = "Tipping and Bishop 1999, Probabilistic Principal Component Analysis, doi 10.1111/1467-9868.00196"
    specs = (ImageSpec, VectorSpec)

    def __init__(self, spec: DataSpec, config: Config) -> None:
        super().__init__(spec, config)
        self.normal = PrincipalMixture(math.prod(spec.shape), config.axes, mixed=1, components=1)

    @classmethod
    def smallest(cls) -> Config:
        return cls.Config(axes=3)

    def fit(self, examples: Examples) -> None:
        numbers = drawn_numbers(examples, self.config.examples)
        self.normal.fit(numbers, smallest_variance(self.spec, numbers))

    def draw(self, noise: Noise) -> Tensor:
        return self.normal.draw(noise).unflatten(1, self.spec.shape)

    def log_prob(self, examples: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.normal.log_prob(examples.flatten(1))
