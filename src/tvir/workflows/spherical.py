"""Walking between latents."""

from __future__ import annotations

import torch
from torch import Tensor


def great_circle(begin: Tensor, end: Tensor, steps: int) -> Tensor:
    """Spherical interpolation (Shoemake 1985): a straight line would pass where a Gaussian prior has no mass.

    Directions turn evenly along the great circle; lengths change linearly. Where the two latents are parallel,
    opposite or zero no great circle is singled out, and the straight line is taken.

    Args:
        begin: Latents (N, *latent_shape).
        end: Latents (N, *latent_shape).
        steps: Points on each walk, both ends included; at least 2.

    Returns:
        Latents (N, steps, *latent_shape).

    Example:
        >>> middle = great_circle(torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 2.0]]), 3)[0, 1]
        >>> torch.allclose(middle, torch.tensor([2.0**0.5, 2.0**0.5]))
        True
    """
    return on_great_circle(begin, end, torch.linspace(0, 1, steps, dtype=torch.float64, device=begin.device))


def on_great_circle(begin: Tensor, end: Tensor, shares: Tensor) -> Tensor:
    """The points of ``great_circle`` that lie the given shares of the way, (steps,), from one latent to the other."""
    steps = len(shares)
    first, last = begin.flatten(1).double(), end.flatten(1).double()
    share = shares.double().view(1, steps, 1)
    lengths = first.norm(dim=1), last.norm(dim=1)
    cosine = (first * last).sum(1) / (lengths[0] * lengths[1]).clamp_min(1e-12)
    angle = cosine.clamp(-1, 1).arccos().view(-1, 1, 1)
    units = (_unit(first, lengths[0]), _unit(last, lengths[1]))
    turned = (((1 - share) * angle).sin() * units[0] + (share * angle).sin() * units[1]) / angle.sin().clamp_min(1e-12)
    length = (1 - share) * lengths[0].view(-1, 1, 1) + share * lengths[1].view(-1, 1, 1)
    straight = (1 - share) * first.unsqueeze(1) + share * last.unsqueeze(1)
    singled_out = (angle.sin() > 1e-6) & ((lengths[0] * lengths[1]).view(-1, 1, 1) > 0)
    path = torch.where(singled_out, turned * length, straight)
    return path.to(begin.dtype).view(len(begin), steps, *begin.shape[1:])


def _unit(rows: Tensor, lengths: Tensor) -> Tensor:
    return (rows / lengths.clamp_min(1e-12).unsqueeze(1)).unsqueeze(1)
