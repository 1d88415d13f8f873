"""What stands between the examples and the critic: augmentation whose strength is remembered with the weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tvir.contracts.collectives import mean_over_processes
from tvir.contracts.data import DataSpec, Examples
from tvir.contracts.noise import Noise
from tvir.objectives.augmentation import Augmentation, augmented


class Augmenter(nn.Module):
    """Changes real and fake examples alike; does nothing before it has been prepared.

    Args:
        augmentation: The choice.
        spec: What is changed.
        batch_size: Examples of a step over all processes.
    """

    probability: Tensor
    target: Tensor
    step: Tensor

    def __init__(self, augmentation: Augmentation, spec: DataSpec, batch_size: int) -> None:
        super().__init__()
        self.augmentation, self.spec, self.batch_size = augmentation, spec, batch_size
        # The number of examples is known only once training begins; what follows from it lies in buffers.
        self.register_buffer("probability", torch.zeros(()))
        self.register_buffer("target", torch.zeros(()))
        self.register_buffer("step", torch.zeros(()))

    def prepare(self, examples: Examples) -> None:
        """Settle what acts on so many training examples."""
        suited = self.augmentation.suited_to(self.spec, len(examples))
        self.probability.fill_(suited.probability)
        self.target.fill_(suited.target or 0.0)
        self.step.fill_(0.0 if suited.target is None else self.batch_size / suited.pace)

    def forward(self, examples: Tensor, noise: Noise) -> Tensor:
        probability = float(self.probability)
        return augmented(examples, noise, probability) if probability else examples

    @torch.no_grad()
    def watch(self, real: Tensor, fake: Tensor, *, relative: bool) -> None:
        """Steer by the logits of a critic's move.

        Args:
            real: Logits of real examples.
            fake: Logits of fake ones.
            relative: Only differences of logits mean anything.
        """
        if not float(self.step):
            return
        middle = mean_over_processes(fake.mean()) if relative else torch.zeros(())
        statistic = mean_over_processes((real - middle).sign().mean())
        self.probability.add_(self.step * (statistic - self.target).sign()).clamp_(0, 1)
