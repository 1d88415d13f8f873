"""How often a model that can be asked for a class is asked for each, where nobody asks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tvir.contracts.data import Examples
from tvir.contracts.noise import Noise


class ClassFrequencies(nn.Module):
    """Draws classes as often as they occur in the training split; evenly before it has been prepared.

    Args:
        classes: Number of classes; one more stands for examples without a label.
    """

    counts: Tensor

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.classes = classes
        self.register_buffer("counts", torch.tensor([1] * classes + [0]))

    def prepare(self, examples: Examples) -> None:
        """Count the classes of the training split."""
        if examples.labels is None or not len(examples):
            return
        labels = torch.as_tensor(examples.labels, dtype=torch.int64)
        self.counts.copy_(torch.bincount(torch.where(labels < 0, self.classes, labels), minlength=self.classes + 1))

    def draw(self, noise: Noise) -> Tensor:
        """A class index for every row of noise, (noise.count,); ``classes`` is an example without a label."""
        ends = self.counts.cumsum(0)
        places = (noise.uniform() * ends[-1]).long().clamp_max(ends[-1] - 1)
        return torch.searchsorted(ends, places, right=True)
