"""What keeps a critic smooth."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from annotated_types import Ge, Gt, Interval
from torch import Tensor, nn

from tvir.contracts.choice import Choice
from tvir.contracts.data import DataSpec, ImageSpec
from tvir.contracts.noise import Noise

Critic = Callable[[Tensor], Tensor]

_MANY_PIXELS = 1024
"""Images with at least so many need a stronger penalty."""


class Regulariser(Choice):
    """A constraint on the critic: penalties of its slope, or the norm of its weights.

    Every penalty is computed for each example by itself, so it does not depend on how a batch is spread over
    processes.
    """

    normalises_weights: ClassVar[bool] = False
    """Whether the critic's weights are divided by their spectral norm."""

    watches_inputs: ClassVar[bool] = False
    """Whether ``of_inputs`` is to be called with the critic's own real and fake inputs."""

    interpolates: ClassVar[bool] = False
    """Whether ``between`` is to be called, which runs the critic once more."""

    weight: float = 0.0
    every: int = 1
    final_share: float = 1.0

    def suited_to(self, spec: DataSpec) -> Regulariser:
        """What acts on such data: itself, unless the choice was left to the data."""
        return self

    def strength(self, progress: float) -> float:
        """How much of its weight a penalty has left: all at first, ``final_share`` in the end, evenly in between.

        Huang et al. 2024, R3GAN, arXiv 2501.05441, section 4: a strong penalty spreads the fakes over all modes, a weak
        one lets them come close.

        Args:
            progress: Share of the stage that is over, 0 to 1.
        """
        return self.final_share**progress

    def is_due(self, step: int) -> bool:
        """Whether a lazy penalty acts on this step (Karras et al. 2020, arXiv 1912.04958, appendix B)."""
        return step % self.every == 0

    def of_inputs(self, real_slopes: Tensor, fake_slopes: Tensor) -> Tensor:
        """The penalty from squared slopes |dD/dx|^2 at real and at fake examples, (N,) each."""
        raise NotImplementedError(f"{self.name} does not watch the critic's inputs")

    def constrain(self, parameters: Iterable[nn.Parameter]) -> None:
        """Bring the critic's parameters back to where they may be, before they are used; nothing by default."""

    def between(self, critic: Critic, real: Tensor, fake: Tensor, noise: Noise) -> Tensor:
        """The penalty at points near or between real and fake examples, (N, ...) each.

        ``noise`` may have several rows for each of them (packed examples): the first of them is used.
        """
        raise NotImplementedError(f"{self.name} does not interpolate")


@dataclass(frozen=True, kw_only=True)
class Unregularised(Regulariser):
    """Nothing."""

    name = "none"


@dataclass(frozen=True, kw_only=True)
class R1(Regulariser):
    """weight / 2 E|dD/dx|^2 on real examples: Mescheder et al. 2018, arXiv 1801.04406, equation 9.

    Args:
        weight: Called gamma in the paper.
        every: Steps between two times it acts; it is scaled up by as much.
        final_share: Share of the weight left in the end.
    """

    watches_inputs = True
    weight: Annotated[float, Ge(0)] = 1.0
    every: Annotated[int, Ge(1)] = 1
    final_share: Annotated[float, Interval(gt=0, le=1)] = 1.0

    def of_inputs(self, real_slopes: Tensor, fake_slopes: Tensor) -> Tensor:
        return 0.5 * self.weight * self.every * real_slopes.mean()


@dataclass(frozen=True, kw_only=True)
class R2(Regulariser):
    """weight / 2 E|dD/dx|^2 on fake examples: Mescheder et al. 2018, arXiv 1801.04406, equation 10.

    Args:
        weight: Called gamma in the paper.
        every: Steps between two times it acts; it is scaled up by as much.
        final_share: Share of the weight left in the end.
    """

    watches_inputs = True
    weight: Annotated[float, Ge(0)] = 1.0
    every: Annotated[int, Ge(1)] = 1
    final_share: Annotated[float, Interval(gt=0, le=1)] = 1.0

    def of_inputs(self, real_slopes: Tensor, fake_slopes: Tensor) -> Tensor:
        return 0.5 * self.weight * self.every * fake_slopes.mean()


@dataclass(frozen=True, kw_only=True)
class R1R2(Regulariser):
    """R1 on real and the same on fake examples: Huang et al. 2024, R3GAN, arXiv 2501.05441.

    Args:
        weight: Called gamma in the paper.
        every: Steps between two times it acts; it is scaled up by as much.
        final_share: Share of the weight left in the end.
    """

    name = "r1-r2"
    watches_inputs = True
    weight: Annotated[float, Ge(0)] = 0.1
    every: Annotated[int, Ge(1)] = 4
    final_share: Annotated[float, Interval(gt=0, le=1)] = 0.1

    def of_inputs(self, real_slopes: Tensor, fake_slopes: Tensor) -> Tensor:
        return 0.5 * self.weight * self.every * (real_slopes.mean() + fake_slopes.mean())


@dataclass(frozen=True, kw_only=True)
class GradientPenalty(Regulariser):
    """weight E(|dD/dx| - 1)^2 between real and fake: Gulrajani et al. 2017, WGAN-GP, arXiv 1704.00028.

    Args:
        weight: Called lambda in the paper.
        every: Steps between two times it acts; it is scaled up by as much.
    """

    interpolates = True
    weight: Annotated[float, Ge(0)] = 10.0
    every: Annotated[int, Ge(1)] = 1

    def between(self, critic: Critic, real: Tensor, fake: Tensor, noise: Noise) -> Tensor:
        share = _one_row_each(noise.uniform(*[1] * (real.dim() - 1)), real)
        return self.weight * self.every * _distance_from_unit_slope(critic, torch.lerp(real, fake, share))


@dataclass(frozen=True, kw_only=True)
class Dragan(Regulariser):
    """weight E(|dD/dx| - 1)^2 near real examples: Kodali et al. 2017, arXiv 1705.07215, with their code's noise.

    An example is disturbed by up to half of its own standard deviation, so that it does not matter what else is in the
    batch.

    Args:
        weight: Called lambda in the paper.
        every: Steps between two times it acts; it is scaled up by as much.
    """

    interpolates = True
    weight: Annotated[float, Ge(0)] = 10.0
    every: Annotated[int, Ge(1)] = 1

    def between(self, critic: Critic, real: Tensor, fake: Tensor, noise: Noise) -> Tensor:
        del fake
        flat = _one_row_each(noise.uniform(real[0].numel()), real)
        deviation = real.flatten(1).std(1, correction=0, keepdim=True)
        near = real + (0.5 * deviation * flat).view_as(real)
        return self.weight * self.every * _distance_from_unit_slope(critic, near)


@dataclass(frozen=True, kw_only=True)
class Clip(Regulariser):
    """Keeps every weight of the critic within a box: Arjovsky et al. 2017, Wasserstein GAN, arXiv 1701.07875.

    Args:
        bound: Largest magnitude of a weight.
    """

    bound: Annotated[float, Gt(0)] = 0.01

    @torch.no_grad()
    def constrain(self, parameters: Iterable[nn.Parameter]) -> None:
        for parameter in parameters:
            parameter.clamp_(-self.bound, self.bound)


@dataclass(frozen=True, kw_only=True)
class SpectralNorm(Regulariser):
    """Divides each layer's weight by its largest singular value: Miyato et al. 2018, arXiv 1802.05957."""

    normalises_weights = True


@dataclass(frozen=True, kw_only=True)
class Automatic(Regulariser):
    """R1 and R2 with a weight that suits the data, as measured on digits, faces and toys (docs/log.md).

    A critic of 48x48 faces under the penalty that is best for 28x28 digits never lets the generator see more than
    texture; a toy needs a penalty that spreads the fakes over all modes at first and all but vanishes in the end.
    """

    name = "auto"

    def suited_to(self, spec: DataSpec) -> Regulariser:
        if not isinstance(spec, ImageSpec):
            return R1R2(weight=1.0, final_share=0.01)
        return R1R2(weight=5.0, final_share=0.2) if spec.height * spec.width >= _MANY_PIXELS else R1R2()


def _one_row_each(rows: Tensor, examples: Tensor) -> Tensor:
    """The first of the rows of noise that belong to each example, in its type."""
    return rows[:: max(1, len(rows) // len(examples))].to(examples.dtype)


def _distance_from_unit_slope(critic: Critic, examples: Tensor) -> Tensor:
    """E(|dD/dx| - 1)^2."""
    inputs = watched(examples)
    norms = squared_slopes(critic(inputs), inputs).clamp_min(1e-12).sqrt()
    return (norms - 1).square().mean()


def watched(examples: Tensor) -> Tensor:
    """A copy of the examples that slopes can be taken at.

    The view keeps the leaf out of the graph that is differentiated twice: counters of floating-point operations
    stumble over leaves.
    """
    return examples.detach().requires_grad_().view_as(examples)


def squared_slopes(logits: Tensor, inputs: Tensor) -> Tensor:
    """|dD/dx|^2 for each example, differentiable once more.

    Args:
        logits: (N,) or (N, 1), each depending on its own example only.
        inputs: What they were computed from, (N, ...), from ``watched``.

    Returns:
        (N,).
    """
    (slopes,) = torch.autograd.grad(logits.sum(), inputs, create_graph=True)
    return slopes.float().square().flatten(1).sum(1)
