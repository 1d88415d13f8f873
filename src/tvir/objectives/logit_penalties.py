"""What keeps a critic's logits steady, beside what keeps it smooth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch.nn.functional as F
from annotated_types import Ge, Interval
from torch import Tensor

from tvir.contracts.choice import Choice


class LogitRegulariser(Choice):
    """A penalty of what the critic says; that of how steeply it says it is a ``Regulariser``, and both go together.

    Every penalty is a mean over logits, so it does not depend on how a batch is spread over processes.
    """

    remembers: ClassVar[bool] = False
    """Whether ``of_averages`` is to be called, with averages of earlier logits."""

    decay: float = 0.0
    """Share of those averages that a step leaves as it was."""

    changes_images: ClassVar[bool] = False
    """Whether ``of_changed`` is to be called, which runs the critic once more, on moved images."""

    def of_averages(self, real: Tensor, fake: Tensor, real_average: Tensor, fake_average: Tensor) -> Tensor:
        """The penalty from logits (N, 1) of either side and scalar averages of those of this and earlier steps."""
        raise NotImplementedError(f"{self.name} remembers no logits")

    def of_changed(self, real: Tensor, fake: Tensor, real_changed: Tensor, fake_changed: Tensor) -> Tensor:
        """The penalty from logits (N, 1) of either side, and from those of the same examples after a change."""
        raise NotImplementedError(f"{self.name} changes no images")


@dataclass(frozen=True, kw_only=True)
class Unsteadied(LogitRegulariser):
    """Nothing."""

    name = "none"


@dataclass(frozen=True, kw_only=True)
class LeCam(LogitRegulariser):
    """weight (E[D(real) - average D(fake)]^2 + E[D(fake) - average D(real)]^2): Tseng et al. 2021, arXiv 2104.03310.

    Each side is drawn to where the other has been lately, so that few examples are not learnt by heart. As in the
    authors' code a logit that is already beyond its anchor is left alone.

    Args:
        weight: Called lambda in the paper.
        decay: Share of the averages that a step leaves as it was, 0 to 1.
    """

    name = "lecam"
    remembers = True
    weight: Annotated[float, Ge(0)] = 0.1
    decay: Annotated[float, Interval(ge=0, lt=1)] = 0.99

    def of_averages(self, real: Tensor, fake: Tensor, real_average: Tensor, fake_average: Tensor) -> Tensor:
        above, below = F.relu(real - fake_average), F.relu(real_average - fake)
        return self.weight * (above.square().mean() + below.square().mean())


@dataclass(frozen=True, kw_only=True)
class BalancedConsistency(LogitRegulariser):
    """E[D(x) - D(T(x))]^2 on real and on fake examples: Zhao et al. 2020, bCR, arXiv 2002.04724, algorithm 1.

    T moves an image by whole pixels; it does not mirror it as in the paper, since digits and letters would become
    others.

    Args:
        real_weight: Of the penalty on real examples.
        fake_weight: Of that on fake ones; 0 gives CR-GAN (Zhang et al. 2020, arXiv 1910.12027).
    """

    name = "bcr"
    changes_images = True
    real_weight: Annotated[float, Ge(0)] = 10.0
    fake_weight: Annotated[float, Ge(0)] = 10.0

    def of_changed(self, real: Tensor, fake: Tensor, real_changed: Tensor, fake_changed: Tensor) -> Tensor:
        on_real, on_fake = (real - real_changed).square().mean(), (fake - fake_changed).square().mean()
        return self.real_weight * on_real + self.fake_weight * on_fake
