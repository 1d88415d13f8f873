"""What the critic and the generator of a GAN play for."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from tvir.contracts.choice import Choice
from tvir.contracts.collectives import learnable_mean_over_processes


class AdversarialLoss(Choice):
    """Losses of the two players, from logits (N,) or (N, 1), each a mean over examples."""

    compares_with_real: ClassVar[bool] = False
    """Whether the generator's loss needs the logits of real examples."""

    @abstractmethod
    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """What the critic minimises; falls as real logits rise above fake ones."""

    @abstractmethod
    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """What the generator minimises; falls as fake logits rise.

        ``real`` is passed over unless ``compares_with_real``; it may then be empty.
        """


@dataclass(frozen=True, kw_only=True)
class Minimax(AdversarialLoss):
    """The zero-sum game of Goodfellow et al. 2014, arXiv 1406.2661, equation 1; its generator saturates."""

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        return F.softplus(-real).mean() + F.softplus(fake).mean()

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        return -F.softplus(fake).mean()


@dataclass(frozen=True, kw_only=True)
class NonSaturating(AdversarialLoss):
    """Goodfellow et al. 2014, arXiv 1406.2661, section 3: the generator raises log D instead."""

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        return F.softplus(-real).mean() + F.softplus(fake).mean()

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        return F.softplus(-fake).mean()


@dataclass(frozen=True, kw_only=True)
class LeastSquares(AdversarialLoss):
    """Mao et al. 2017, Least Squares GAN, arXiv 1611.04076, equation 9: real is 1, fake is 0."""

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        return 0.5 * ((real - 1).square().mean() + fake.square().mean())

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        return 0.5 * (fake - 1).square().mean()


@dataclass(frozen=True, kw_only=True)
class Hinge(AdversarialLoss):
    """Lim and Ye 2017, Geometric GAN, arXiv 1705.02894."""

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        return F.relu(1 - real).mean() + F.relu(1 + fake).mean()

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        return -fake.mean()


@dataclass(frozen=True, kw_only=True)
class Wasserstein(AdversarialLoss):
    """Arjovsky et al. 2017, Wasserstein GAN, arXiv 1701.07875; needs a regulariser that bounds the slope."""

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        return fake.mean() - real.mean()

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        return -fake.mean()


@dataclass(frozen=True, kw_only=True)
class RelativisticAverage(AdversarialLoss):
    """Each example against the mean of the other side: Jolicoeur-Martineau 2018, arXiv 1807.00734, equation 9.

    The means are those of the whole batch, on however many processes it lies.
    """

    compares_with_real = True

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        above, below = real - _mean(fake), fake - _mean(real)
        return F.softplus(-above).mean() + F.softplus(below).mean()

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        above, below = real - _mean(fake), fake - _mean(real)
        return F.softplus(above).mean() + F.softplus(-below).mean()


@dataclass(frozen=True, kw_only=True)
class RelativisticPaired(AdversarialLoss):
    """Each fake against one real example: Huang et al. 2024, R3GAN, arXiv 2501.05441, equation 2.

    Jolicoeur-Martineau 2018, arXiv 1807.00734. Its landscape has no bad basins in which modes are dropped.
    """

    compares_with_real = True

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        return F.softplus(fake - real).mean()

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        return F.softplus(real - fake).mean()


def _mean(logits: Tensor) -> Tensor:
    return learnable_mean_over_processes(logits.mean())
