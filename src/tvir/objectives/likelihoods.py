"""What a decoder's output says of an example: p(x|z)."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from tvir.contracts.choice import Choice
from tvir.contracts.data import DataSpec, ImageSpec, VectorSpec
from tvir.contracts.model import Measure
from tvir.objectives.elbo import normal_log_prob

Scale = Literal["shared", "each"]
"""One learned scale for all numbers of all examples, or one that the decoder gives for each number."""

_SMALLEST_LOG_SCALE = -7.0
"""Below the rounding of 8-bit data; a density would otherwise grow without bound on constant pixels."""


_MANY_PIXELS = 256
"""Of an image."""


class Likelihood(Choice):
    """A distribution over examples, read from a decoder's output.

    Images are numbers in [-1, 1]. The output has ``outputs`` channels (features, for vectors) for each of the data.
    """

    specs: ClassVar[tuple[type[DataSpec], ...]]
    """Kinds of data it describes."""

    @property
    def outputs(self) -> int:
        """Decoder channels for each data channel."""
        return 1

    @property
    def shares_scale(self) -> bool:
        """Whether it needs one learned log scale beside the decoder's output."""
        return False

    def measure(self, spec: DataSpec) -> Measure:
        """What ``log_prob`` is the logarithm of."""
        return Measure.DENSITY

    @abstractmethod
    def log_prob(self, examples: Tensor, output: Tensor, log_scale: Tensor | None, spec: DataSpec) -> Tensor:
        """Log p(x|z) in nats.

        Args:
            examples: (N, C, ...).
            output: The decoder's output, (N, C * outputs, ...).
            log_scale: The shared log scale, one number; None where none is shared.
            spec: What an example is; its range is that of the expected examples.

        Returns:
            (N,).
        """

    def mean(self, output: Tensor, spec: DataSpec) -> Tensor:
        """The expected example, (N, C, ...)."""
        return spec.bounded(output)


@dataclass(frozen=True, kw_only=True)
class Gaussian(Likelihood):
    """A normal distribution with a learned variance.

    One shared variance balances reconstruction and divergence by itself (Rybkin et al. 2021, Simple and Effective
    VAE Training with Calibrated Decoders, arXiv 2006.13202).

    Args:
        scale: One standard deviation for all (``shared``) or one for ``each`` number.
    """

    specs = (ImageSpec, VectorSpec)
    scale: Scale = "shared"

    @property
    def outputs(self) -> int:
        return 1 if self.shares_scale else 2

    @property
    def shares_scale(self) -> bool:
        return self.scale == "shared"

    def log_prob(self, examples: Tensor, output: Tensor, log_scale: Tensor | None, spec: DataSpec) -> Tensor:
        location, log_scale = _location_and_scale(output, log_scale, spec)
        return normal_log_prob(examples, location, 2 * log_scale)

    def mean(self, output: Tensor, spec: DataSpec) -> Tensor:
        return spec.bounded(output if self.shares_scale else output.chunk(2, 1)[0])


@dataclass(frozen=True, kw_only=True)
class Bernoulli(Likelihood):
    """Black or white, independently for each pixel.

    A grey value counts as the share of times the pixel is white, so this is the expected log probability of images
    binarised at random, not a density of grey values.
    """

    specs = (ImageSpec,)

    def measure(self, spec: DataSpec) -> Measure:
        return Measure.BINARISED

    def log_prob(self, examples: Tensor, output: Tensor, log_scale: Tensor | None, spec: DataSpec) -> Tensor:
        white = (examples + 1) / 2
        return -F.binary_cross_entropy_with_logits(output.float(), white, reduction="none").flatten(1).sum(1)

    def mean(self, output: Tensor, spec: DataSpec) -> Tensor:
        # 2 sigmoid(a) - 1 = tanh(a / 2)
        return torch.tanh(output / 2)


@dataclass(frozen=True, kw_only=True)
class DiscretisedLogistic(Likelihood):
    """A probability for each of the 256 values of a pixel: a logistic distribution integrated over bins.

    Salimans et al. 2017, PixelCNN++, arXiv 1701.05517, section 2.1, with one component. The outermost bins reach to
    infinity, so the probabilities of the 256 values add up to 1.

    Args:
        scale: One scale for all (``shared``) or one for ``each`` number.
    """

    specs = (ImageSpec,)
    scale: Scale = "shared"

    @property
    def outputs(self) -> int:
        return 1 if self.shares_scale else 2

    @property
    def shares_scale(self) -> bool:
        return self.scale == "shared"

    def measure(self, spec: DataSpec) -> Measure:
        return Measure.PROBABILITY

    def log_prob(self, examples: Tensor, output: Tensor, log_scale: Tensor | None, spec: DataSpec) -> Tensor:
        location, log_scale = _location_and_scale(output, log_scale, spec)
        centred, precision, half_bin = examples - location, torch.exp(-log_scale), 1 / 255
        upper, lower = (centred + half_bin) * precision, (centred - half_bin) * precision
        # sigmoid(u) - sigmoid(l) = sigmoid(u) sigmoid(-l) (1 - exp(l - u)): no cancellation, however small the bin.
        inner = F.logsigmoid(upper) + F.logsigmoid(-lower) + torch.log(-torch.expm1(lower - upper))
        outermost_low, outermost_high = F.logsigmoid(upper), F.logsigmoid(-lower)
        bins = torch.where(examples < -1 + half_bin, outermost_low, inner)
        return torch.where(examples > 1 - half_bin, outermost_high, bins).flatten(1).sum(1)

    def mean(self, output: Tensor, spec: DataSpec) -> Tensor:
        # The centre of the logistic; its clipped tails move the mean by less than a grey level.
        return spec.bounded(output if self.shares_scale else output.chunk(2, 1)[0])


@dataclass(frozen=True, kw_only=True)
class Automatic(Likelihood):
    """Bernoulli for images, Gaussian for vectors and for images of few pixels.

    A normal distribution with a learned variance reconstructs images more sharply, but with latents that the prior
    does not cover: samples of 28x28 digits fell apart. Where the pixels are few and gray, black or white says too
    little to outweigh the prior: samples of 8x8 digits were all alike.
    """

    name = "auto"
    specs = (ImageSpec, VectorSpec)

    @property
    def shares_scale(self) -> bool:
        return True

    def measure(self, spec: DataSpec) -> Measure:
        return _suited(spec).measure(spec)

    def log_prob(self, examples: Tensor, output: Tensor, log_scale: Tensor | None, spec: DataSpec) -> Tensor:
        return _suited(spec).log_prob(examples, output, log_scale, spec)

    def mean(self, output: Tensor, spec: DataSpec) -> Tensor:
        return _suited(spec).mean(output, spec)


def _suited(spec: DataSpec) -> Likelihood:
    has_many_pixels = isinstance(spec, ImageSpec) and spec.height * spec.width >= _MANY_PIXELS
    return Bernoulli() if has_many_pixels else Gaussian()


def _location_and_scale(output: Tensor, shared: Tensor | None, spec: DataSpec) -> tuple[Tensor, Tensor]:
    output = output.float()
    location, log_scale = output.chunk(2, 1) if shared is None else (output, shared.float())
    # A softplus above the floor: its gradient never dies, as that of a clamp would.
    return spec.bounded(location), _SMALLEST_LOG_SCALE + F.softplus(log_scale - _SMALLEST_LOG_SCALE)
