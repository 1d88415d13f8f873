"""One move: a phase's loss, its gradients over all processes, and whether they can be used."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tvir.contracts.model import Batch, Phase
from tvir.training.optimiser import laid_out_like
from tvir.training.processes import Processes


@dataclass(frozen=True, kw_only=True)
class Move:
    """What a phase would do to its player.

    Args:
        losses: Every term, the mean over all processes.
        total: Their sum.
        gradients: One for every parameter, the mean over all processes.
        norm: Euclidean norm of all gradients together.
    """

    losses: dict[str, Tensor]
    total: float
    gradients: Sequence[Tensor]
    norm: float

    @property
    def is_finite(self) -> bool:
        """Whether it may be made. All processes see the same numbers and so decide alike."""
        return math.isfinite(self.total) and math.isfinite(self.norm)


def prepare_move(
    phase: Phase,
    parameters: Sequence[nn.Parameter],
    batch: Batch,
    autocast: Callable[[], AbstractContextManager[object]],
    processes: Processes,
) -> Move | None:
    """Differentiate a phase's loss with respect to its player's parameters only.

    Returns:
        The move, or None where the phase has nothing to say at this step.
    """
    with autocast():
        terms = phase.loss(batch)
        if not terms:
            return None
        values = [term.float() for term in terms.values()]
        total = values[0] if len(values) == 1 else torch.stack(values).sum()
    found = torch.autograd.grad(total, parameters, allow_unused=True)
    gradients = [
        torch.zeros_like(parameter) if gradient is None else gradient
        for gradient, parameter in zip(found, parameters, strict=True)
    ]
    averaged = processes.average([*gradients, *(value.detach() for value in values)])
    gradients, values = averaged[: len(gradients)], averaged[len(gradients) :]
    norms = torch._foreach_norm(gradients)  # pyright: ignore[reportPrivateImportUsage]
    norm = torch.linalg.vector_norm(torch.stack(list(norms)))
    # One transfer for all that is looked at: on a GPU each would wait for the device.
    *seen, norm_seen = torch.stack([*values, norm]).tolist()
    return Move(
        losses=dict(zip(terms, values, strict=True)),
        total=sum(seen),
        gradients=[laid_out_like(*pair) for pair in zip(gradients, parameters, strict=True)],
        norm=norm_seen,
    )
