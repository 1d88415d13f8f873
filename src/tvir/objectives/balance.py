"""How much one term of a loss may weigh beside another."""

from __future__ import annotations

import torch
from torch import Tensor

from tvir.contracts.collectives import mean_over_processes

_LARGEST_WEIGHT = 1e4
_SMALLEST_NORM = 1e-4


def adaptive_weight(reconstruction: Tensor, adversarial: Tensor, last_layer: Tensor) -> Tensor:
    """The weight that lets two losses pull equally at a decoder's last layer, without a gradient of its own.

    |d reconstruction / d last| / (|d adversarial / d last| + 1e-4), at most 1e4: Esser et al. 2021, Taming
    Transformers, arXiv 2012.09841, equation 7. The gradients are those of the whole batch, on however many processes
    it lies.

    Args:
        reconstruction: A scalar.
        adversarial: A scalar.
        last_layer: Weights that both depend on.

    Example:
        >>> weight = torch.tensor([2.0], requires_grad=True)
        >>> round(adaptive_weight(3 * weight.sum(), 6 * weight.sum(), weight).item(), 3)
        0.5
    """
    slopes = [
        torch.autograd.grad(loss, last_layer, retain_graph=True)[0].float() for loss in (reconstruction, adversarial)
    ]
    wanted, given = mean_over_processes(torch.stack(slopes)).flatten(1).norm(dim=1)
    return (wanted / (given + _SMALLEST_NORM)).clamp_max(_LARGEST_WEIGHT)
