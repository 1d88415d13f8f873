"""How the features of a decoder are kept in range."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated

import torch
import torch.distributed as distributed
import torch.nn.functional as F
from annotated_types import Ge
from torch import Tensor, nn

from tvir.contracts.choice import Choice
from tvir.contracts.collectives import learnable_sum_over_processes
from tvir.contracts.errors import UsageError


class Normalisation(Choice):
    """A layer put before each activation of a decoder."""

    def given(self, condition: int) -> Normalisation:
        """The same for a decoder that is told so many numbers beside its latents."""
        return self

    @abstractmethod
    def layer(self, channels: int) -> nn.Module:
        """A new layer for features (N, channels, ...)."""


@dataclass(frozen=True, kw_only=True)
class Unnormalised(Normalisation):
    """Nothing: residual branches that start from zero keep the features in range."""

    name = "none"

    def layer(self, channels: int) -> nn.Module:
        return nn.Identity()


@dataclass(frozen=True, kw_only=True)
class Group(Normalisation):
    """Wu and He 2018, Group Normalization, arXiv 1803.08494: each example by itself.

    Args:
        groups: At most so many; fewer where they would not divide the channels.
    """

    groups: Annotated[int, Ge(1)] = 8

    def layer(self, channels: int) -> nn.Module:
        groups = next(number for number in range(min(self.groups, channels), 0, -1) if channels % number == 0)
        return nn.GroupNorm(groups, channels)


@dataclass(frozen=True, kw_only=True)
class BatchNormalised(Normalisation):
    """Ioffe and Szegedy 2015, Batch Normalization, arXiv 1502.03167, over the batch of all processes."""

    name = "batch"

    def layer(self, channels: int) -> nn.Module:
        return BatchNormalisation(channels)


@dataclass(frozen=True, kw_only=True)
class ConditionalBatchNormalised(Normalisation):
    """Batch normalisation with a gain and a shift for each class: de Vries et al. 2017, arXiv 1707.00683.

    In GANs: Miyato and Koyama 2018, arXiv 1802.05637. As in BigGAN (Brock et al. 2019, arXiv 1809.11096) they are read
    from an embedding of the class that all layers share.
    """

    name = "conditional-batch"

    def given(self, condition: int) -> Normalisation:
        return _Conditional(condition)

    def layer(self, channels: int) -> nn.Module:
        raise UsageError(
            "conditional-batch normalises by class, and this model is told none; use --normalisation batch, or the "
            "model conditional-gan"
        )


class _Conditional(Normalisation):
    """Conditional batch normalisation whose condition has a known length; no alternative of its own."""

    def __init__(self, condition: int) -> None:
        self.condition = condition

    def layer(self, channels: int) -> nn.Module:
        return ConditionalBatchNormalisation(channels, self.condition)


def normalised(layer: nn.Module, features: Tensor, condition: Tensor | None) -> Tensor:
    """What a layer makes of features (N, channels, ...); it is told the condition (N, any) where it listens to one."""
    if isinstance(layer, ConditionalBatchNormalisation):
        return layer(features, condition)
    return layer(features)


class BatchNormalisation(nn.Module):
    """Batch normalisation whose statistics are those of the whole batch, on however many processes it lies.

    Args:
        channels: Size of dimension 1.
        momentum: Share of the newest batch in the running statistics, which are used outside training.
        epsilon: Added to the variance.
    """

    running_mean: Tensor
    running_variance: Tensor

    def __init__(self, channels: int, *, momentum: float = 0.02, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.momentum, self.epsilon = momentum, epsilon
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_variance", torch.ones(channels))

    def forward(self, features: Tensor) -> Tensor:
        if self.training and distributed.is_available() and distributed.is_initialized():
            return self._across_processes(features)
        return F.batch_norm(
            features,
            self.running_mean,
            self.running_variance,
            self.weight,
            self.bias,
            self.training,
            self.momentum,
            self.epsilon,
        )

    def _across_processes(self, features: Tensor) -> Tensor:
        wide, dimensions = features.double(), [0, *range(2, features.dim())]
        count = torch.full((1,), features.numel() / features.shape[1], dtype=torch.double, device=features.device)
        total = learnable_sum_over_processes(torch.cat([wide.sum(dimensions), wide.square().sum(dimensions), count]))
        sums, squares = total[:-1].chunk(2)
        mean, variance = sums / total[-1], squares / total[-1] - (sums / total[-1]).square()
        self._remember(mean, variance, float(total[-1].detach()))
        scale = self.weight * torch.rsqrt(variance.clamp_min(0) + self.epsilon)
        shape = (1, -1, *[1] * (features.dim() - 2))
        return ((wide - mean.view(shape)) * scale.view(shape) + self.bias.view(shape)).to(features.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor, count: float) -> None:
        self.running_mean.lerp_(mean.float(), self.momentum)
        self.running_variance.lerp_((variance * count / max(count - 1, 1)).float(), self.momentum)


class ConditionalBatchNormalisation(nn.Module):
    """Batch normalisation whose gain and shift depend on a condition; at first they are alike for all.

    Args:
        channels: Size of dimension 1.
        condition: Length of a condition.
    """

    def __init__(self, channels: int, condition: int) -> None:
        super().__init__()
        self.normalise = BatchNormalisation(channels)
        self.read = nn.Linear(condition, 2 * channels, bias=False)
        nn.init.zeros_(self.read.weight)

    def forward(self, features: Tensor, condition: Tensor) -> Tensor:
        shape = (len(features), -1, *[1] * (features.dim() - 2))
        gain, shift = (part.reshape(shape) for part in self.read(condition).chunk(2, 1))
        return self.normalise(features) * (1 + gain) + shift
