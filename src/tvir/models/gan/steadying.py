"""What a critic's logits are held to: what was said earlier, or what is said of the same examples after a change."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tvir.contracts.collectives import mean_over_processes
from tvir.contracts.data import DataSpec, ImageSpec
from tvir.contracts.errors import UsageError
from tvir.contracts.model import Losses
from tvir.contracts.noise import Noise
from tvir.objectives.augmentation import shifted
from tvir.objectives.logit_penalties import LogitRegulariser
from tvir.objectives.penalties import Critic


class LogitAverages(nn.Module):
    """Exponential averages of the logits of either side, over the batches of all processes.

    The first steps count alike, so that nothing is left of where the averages began.

    Args:
        decay: Share that a step leaves as it was, 0 to 1.
    """

    real: Tensor
    fake: Tensor
    steps: Tensor

    def __init__(self, decay: float) -> None:
        super().__init__()
        self.decay = decay
        for name in ("real", "fake", "steps"):
            self.register_buffer(name, torch.zeros(()))

    @torch.no_grad()
    def update(self, real: Tensor, fake: Tensor) -> None:
        """Move towards the means of the newest logits."""
        self.steps.add_(1)
        means = mean_over_processes(torch.stack([real.mean(), fake.mean()]))
        share = (1 / self.steps).clamp_min(1 - self.decay)
        for average, mean in zip((self.real, self.fake), means, strict=True):
            average.lerp_(mean, share)


class Steadier(nn.Module):
    """Applies a penalty of logits; what it remembers lies in buffers, beside the weights.

    Args:
        regulariser: The choice.
        spec: What the critic judges.

    Raises:
        UsageError: Images are to be changed where there are none.
    """

    def __init__(self, regulariser: LogitRegulariser, spec: DataSpec) -> None:
        super().__init__()
        if regulariser.changes_images and not isinstance(spec, ImageSpec):
            raise UsageError(
                f"{regulariser.name} moves images, and the data holds none; use --logit-regulariser lecam or none"
            )
        self.regulariser = regulariser
        self.averages = LogitAverages(regulariser.decay) if regulariser.remembers else None

    def forward(self, critic: Critic, inputs: Tensor, logits: Tensor, noise: Noise) -> Losses:
        """Named terms of the critic's loss.

        Args:
            critic: What has judged.
            inputs: What it has judged: real examples, then as many fakes, each perhaps packs of neighbours.
            logits: What it has said of them.
            noise: A row for each example of either side.
        """
        real, fake = logits.chunk(2)
        if self.averages is not None:
            self.averages.update(real, fake)
            return {"logits": self.regulariser.of_averages(real, fake, self.averages.real, self.averages.fake)}
        if self.regulariser.changes_images:
            changed = torch.cat([_changed(part, noise) for part in inputs.chunk(2)])
            return {"logits": self.regulariser.of_changed(real, fake, *critic(changed).float().chunk(2))}
        return {}


def _changed(images: Tensor, noise: Noise) -> Tensor:
    """Images moved at random, each of a pack by itself."""
    pack = noise.count // len(images)
    apart = images.unflatten(1, (pack, -1)).flatten(0, 1)
    return shifted(apart, noise).unflatten(0, (-1, pack)).flatten(1, 2)
