"""The classes that a model can be asked for, and how often it is asked for each where nobody asks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tvir.contracts.data import DataSpec, Examples
from tvir.contracts.errors import UsageError
from tvir.contracts.noise import Noise


class ClassFrequencies(nn.Module):
    """Draws classes as often as they occur in the training split; evenly before it has been prepared.

    Args:
        spec: Data with classes; one more class stands for examples without a label.
        instead: The model to use where there are none.

    Raises:
        UsageError: The data has no classes.
    """

    counts: Tensor

    def __init__(self, spec: DataSpec, instead: str) -> None:
        super().__init__()
        if not spec.classes:
            raise UsageError(
                "the data has no classes to ask for: use labelled data (class folders, a label column) or the model "
                + instead
            )
        self.classes = len(spec.classes)
        self.register_buffer("counts", torch.tensor([1] * self.classes + [0]))

    def prepare(self, examples: Examples) -> None:
        """Count the classes of the training split."""
        if examples.labels is None or not len(examples):
            return
        labels = torch.tensor(examples.labels, dtype=torch.int64)  # a copy: what the data holds may not be writable
        self.counts.copy_(torch.bincount(torch.where(labels < 0, self.classes, labels), minlength=self.classes + 1))

    def draw(self, noise: Noise) -> Tensor:
        """A class index for every row of noise, (noise.count,); ``classes`` is an example without a label."""
        ends = self.counts.cumsum(0)
        places = (noise.uniform() * ends[-1]).long().clamp_max(ends[-1] - 1)
        return torch.searchsorted(ends, places, right=True)

    def known(self, condition: Tensor | None, rows: Tensor) -> Tensor:
        """A class for each of the rows, (N,): ``classes`` where none is given or where -1 marks that there is none."""
        if condition is None:
            return torch.full((len(rows),), self.classes, device=rows.device)
        return torch.where(condition < 0, self.classes, condition)

    def asked(self, condition: Tensor | None, noise: Noise) -> Tensor:
        """What is asked for, or what is drawn where nothing is; (noise.count,).

        Raises:
            UsageError: There is no such class.
        """
        if condition is None:
            return self.draw(noise)
        if bool((condition >= self.classes).any()):
            raise UsageError(f"there is no class {int(condition.max())}; the classes are 0 to {self.classes - 1}")
        return condition
