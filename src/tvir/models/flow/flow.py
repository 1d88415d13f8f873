"""A normalising flow: an invertible network from data to normal noise."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Annotated, Any

import torch
import torch.nn.functional as F
from annotated_types import Ge, Gt
from torch import Tensor, nn
from torch.distributions import Independent

from tvir.contracts.data import DataSpec, ImageSpec, VectorSpec
from tvir.contracts.diagram import Arrow, Box, Diagram, Role
from tvir.contracts.model import (
    NO_SETTINGS,
    Adam,
    Batch,
    EncodesData,
    HasLikelihood,
    Losses,
    Phase,
    Player,
    SizedConfig,
    Stage,
)
from tvir.contracts.noise import Noise
from tvir.contracts.ranges import Logarithmic
from tvir.contracts.third_party import need
from tvir.models.flow.transforming import Layer, Spline, Transformation
from tvir.models.hybrid.coding import certain
from tvir.models.standardising import Standardiser
from tvir.objectives.elbo import normal_log_prob

need("zuko")

_GRAY_LEVEL = 2 / 255
"""Width of one in model form; images are made continuous by uniform noise of this width."""

_MARGIN = 1e-3
"""Share of the open unit interval left free on each side of the pixels before the logit: alpha in the paper."""


class Flow(EncodesData, HasLikelihood):
    """Layers that can be run backwards carry examples to normal noise; the exact density of an example follows.

    Images are made continuous by uniform noise one gray level wide, and their range is opened by a logit, as in section
    4.1 of the paper. Numbers are then brought to mean 0 and variance 1, per channel, as measured on the training split.
    All of it is part of the density, which is that of the numbers of an example. A latent is all of an example, so
    reconstructions are exact.

    Args:
        spec: Images or vectors.
        config: The settings.

    Example:
        >>> flow = Flow(VectorSpec(features=2), Flow.smallest())
        >>> flow.log_prob(flow.sample(3)).shape
        torch.Size([3])
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(SizedConfig):
        """Settings of a flow."""

        batch_size: Annotated[int, Ge(1)] = 512
        """Examples per step, over all processes."""
        ema_half_life: Annotated[float, Gt(0)] = 20_000.0
        """Examples after which the averaged weights have forgotten half of their past."""
        transformation: Transformation = field(default_factory=lambda: Spline(bins=16))
        """What a layer does."""
        layers: Annotated[int, Ge(1)] = 4
        """How many, one after the other."""
        learning_rate: Annotated[float, Gt(0), Logarithmic(3e-4, 5e-3)] = 3e-3
        """Step size of the network."""

    config: Config
    paper = "Dinh et al. 2017, Density Estimation Using Real NVP, arXiv 1605.08803"
    specs = (ImageSpec, VectorSpec)

    def __init__(self, spec: DataSpec, config: Config) -> None:
        super().__init__(spec, config)
        self.unit = Standardiser(spec.shape[0], places=len(spec.shape) - 1)
        self.layers = nn.ModuleList(
            config.transformation.layer(spec, number, config.width) for number in range(config.layers)
        )

    @classmethod
    def settings_for(cls, spec: DataSpec, asked: Mapping[str, Any] = NO_SETTINGS) -> Mapping[str, Any]:
        if isinstance(spec, ImageSpec):
            return {
                "width": 24,
                "batch_size": 32,
                "layers": 8,
                "transformation": "affine",
                "learning_rate": 4e-3,
                "ema_half_life": 5_000.0,
            }
        # Two layers for every way of dividing the numbers.
        digits = math.ceil(math.log2(max(2, math.prod(spec.shape))))
        return {"layers": min(10, max(4, 2 * digits))}

    @classmethod
    def smallest(cls) -> Config:
        return cls.Config(width=2, layers=2, batch_size=4)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return self.spec.shape

    def sample_prior(self, noise: Noise, condition: Tensor | None = None) -> Tensor:
        return noise.normal(*self.latent_shape)

    def decode(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
        numbers = latents.flatten(1)
        for layer in reversed(self.layers):
            assert isinstance(layer, Layer)
            back: Any = layer.transform().inv
            numbers = back(numbers)
        return self._closed(self.unit.inverse(numbers.unflatten(1, self.spec.shape)))

    def encode(self, examples: Tensor, condition: Tensor | None = None) -> Independent:
        return certain(self._carried(examples)[0])

    def log_prob(self, examples: Tensor, condition: Tensor | None = None) -> Tensor:
        latents, volume = self._carried(examples)
        numbers = latents.flatten(1)
        density = normal_log_prob(numbers, torch.zeros_like(numbers), torch.zeros_like(numbers)) + volume
        return torch.where(self._lies_inside(examples), density, -math.inf)

    def stages(self) -> Sequence[Stage]:
        def loss(batch: Batch) -> Losses:
            examples = self._continuous(batch.data, batch.noise)
            return {"nats_per_number": -self.log_prob(examples).mean() / math.prod(self.spec.shape)}

        player = Player(
            name="flow",
            parameters=list(self.layers.parameters()),
            optimiser=Adam(learning_rate=self.config.learning_rate, warmup_steps=100, final_share=0.01),
        )
        phase = Phase(name="flow", player=player, loss=loss)
        return [Stage(name="flow", phases=[phase], prepare=lambda examples: self.unit.measure(examples, self._opened))]

    def diagram(self) -> Diagram:
        return Diagram(
            boxes=[
                Box(name="data", role=Role.DATA),
                Box(name="invertible layers", role=Role.NETWORK, module=self.layers),
                Box(name="normal noise", role=Role.DISTRIBUTION),
                Box(name="latent", role=Role.NOISE),
                Box(name="sample", role=Role.SAMPLE),
            ],
            arrows=[
                Arrow("data", "invertible layers"),
                Arrow("invertible layers", "normal noise"),
                Arrow("latent", "invertible layers"),
                Arrow("invertible layers", "sample"),
            ],
        )

    def _carried(self, examples: Tensor) -> tuple[Tensor, Tensor]:
        """Latents (N, *shape), and the log of the volume that the whole way there stretches, (N,)."""
        opened = self._opened(examples)
        numbers = self.unit(opened).flatten(1)
        volume = self._log_slope(opened).flatten(1).sum(1)
        with self._precisely(examples):
            for layer in self.layers:
                assert isinstance(layer, Layer)
                transform: Any = layer.transform()
                numbers, stretched = transform.call_and_ladj(numbers)
                volume = volume + stretched
        return numbers.unflatten(1, self.spec.shape), volume

    def _precisely(self, examples: Tensor) -> AbstractContextManager[Any]:
        """Rounded to 8 bits, a vector could not be told from others within a narrow mode."""
        is_image = isinstance(self.spec, ImageSpec)
        return nullcontext() if is_image else torch.autocast(examples.device.type, enabled=False)

    def _continuous(self, examples: Tensor, noise: Noise) -> Tensor:
        if not isinstance(self.spec, ImageSpec):
            return examples
        return examples + _GRAY_LEVEL * (noise.uniform(*self.spec.shape) - 0.5)

    def _lies_inside(self, examples: Tensor) -> Tensor:
        """Whether all numbers of an example lie where the density is not 0, (N,)."""
        if not isinstance(self.spec, ImageSpec):
            return torch.ones(len(examples), dtype=torch.bool, device=examples.device)
        return (self._share(examples) - 0.5).abs().flatten(1).amax(1) < 0.5

    def _opened(self, examples: Tensor) -> Tensor:
        """Examples whose numbers may be any."""
        if not isinstance(self.spec, ImageSpec):
            return examples
        return torch.logit(self._share(examples), eps=1e-6)

    def _closed(self, opened: Tensor) -> Tensor:
        """What ``_opened`` was given, within the limits of an example."""
        if not isinstance(self.spec, ImageSpec):
            return opened
        return ((torch.sigmoid(opened) - 0.5) / _SHARE_OF_NUMBER).clamp(*self.spec.limits)

    def _log_slope(self, opened: Tensor) -> Tensor:
        """Log derivative of standardised numbers with respect to those of the example."""
        slope = -self.unit.scale.log().expand_as(opened)
        if not isinstance(self.spec, ImageSpec):
            return slope
        # The derivative of the logit is 1 / (p (1 - p)).
        return slope - F.logsigmoid(opened) - F.logsigmoid(-opened) + math.log(_SHARE_OF_NUMBER)

    def _share(self, examples: Tensor) -> Tensor:
        """Pixels, noise included, within the unit interval and a margin away from its ends."""
        return 0.5 + _SHARE_OF_NUMBER * examples


_SHARE_OF_NUMBER = (1 - 2 * _MARGIN) / (2 + _GRAY_LEVEL)
"""Of the unit interval, that one unit of a pixel with its noise takes up."""
