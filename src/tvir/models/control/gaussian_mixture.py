"""A mixture of normal distributions along principal components."""

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


class GaussianMixture(Control, HasLikelihood):
    """A control: a mixture of normal distributions with full covariances along the data's principal components.

    Such mixtures cover more of a distribution than many GANs (the reference measures it); they blur what they cover.

    Args:
        spec: Images or vectors.
        config: The settings.

    Example:
        >>> mixture = GaussianMixture(VectorSpec(features=2), GaussianMixture.smallest())
        >>> mixture.sample(3).shape
        torch.Size([3, 2])
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(ModelConfig):
        """Settings of a mixture of normal distributions."""

        components: Annotated[int, Ge(1)] = 25
        """Normal distributions that are mixed."""
        mixed: Annotated[int, Ge(1)] = 64
        """Principal components along which they differ."""
        axes: Annotated[int, Ge(1)] = 256
        """Principal components that are kept of more than 1,024 numbers; in all other directions there is one noise."""
        examples: Annotated[int, Ge(1)] = 10_000
        """Training examples, at most, that are drawn to be fitted to."""

    config: Config
    paper = "Richardson and Weiss 2018, On GANs and GMMs, arXiv 1805.12462"
    specs = (ImageSpec, VectorSpec)

    def __init__(self, spec: DataSpec, config: Config) -> None:
        super().__init__(spec, config)
        self.mixture = PrincipalMixture(math.prod(spec.shape), config.axes, config.mixed, config.components)

    @classmethod
    def smallest(cls) -> Config:
        return cls.Config(components=2, mixed=3, axes=4)

    def fit(self, examples: Examples) -> None:
        numbers = drawn_numbers(examples, self.config.examples)
        self.mixture.fit(numbers, smallest_variance(self.spec, numbers))

    def draw(self, noise: Noise) -> Tensor:
        return self.mixture.draw(noise).unflatten(1, self.spec.shape)

    def log_prob(self, examples: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.mixture.log_prob(examples.flatten(1))
