"""A codebook that follows what it quantises."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tvir.contracts.collectives import rows_of_processes, sum_over_processes

_DEAD = 0.05
"""A code used less than this share of the mean use is given another place."""


class Codebook(nn.Module):
    """The nearest of a few vectors, each the moving average of what is nearest to it.

    van den Oord et al. 2017, Neural Discrete Representation Learning, arXiv 1711.00937, appendix A.1. Codes that
    nothing is near to are moved to where something is (Williams et al. 2020, Hierarchical Quantized Autoencoders, arXiv
    2002.08111); so the first vectors it learns from become the first codes. All processes learn the same.

    Args:
        codes: How many.
        size: Numbers in a code.
        decay: Share of the past in the averages that remains after a step.
    """

    vectors: Tensor
    counts: Tensor
    sums: Tensor

    def __init__(self, codes: int, size: int, decay: float = 0.98) -> None:
        super().__init__()
        self.decay = decay
        self.register_buffer("vectors", torch.randn(codes, size))
        self.register_buffer("counts", torch.zeros(codes))
        self.register_buffer("sums", torch.zeros(codes, size))

    def nearest(self, rows: Tensor) -> Tensor:
        """The code nearest to each row (N, size), as indices (N,)."""
        # |r - v|^2 without |r|^2, which is the same for all codes.
        return (self.vectors.square().sum(1) - 2 * rows @ self.vectors.T).argmin(1)

    @torch.no_grad()
    def learn(self, rows: Tensor, lots: Tensor) -> None:
        """Follow the rows of a training step.

        Args:
            rows: (N, size).
            lots: Uniform random numbers (N,): rows with the smallest become codes where codes are dead.
        """
        codes = len(self.vectors)
        assigned = F.one_hot(self.nearest(rows), codes).to(rows.dtype)
        seen = sum_over_processes(torch.cat([assigned.sum(0)[:, None], assigned.T @ rows], 1))
        mean_count = seen[:, 0].sum() / codes
        # Before the first step no code has been learned from anything: all are dead.
        self.counts.lerp_(torch.where(self.counts.any(), seen[:, 0], 0.0), 1 - self.decay)
        self.sums.lerp_(seen[:, 1:], 1 - self.decay)
        self._revive(rows, lots, mean_count)
        used = self.counts[:, None] > 0
        self.vectors.copy_(torch.where(used, self.sums / self.counts[:, None], self.vectors))

    def _revive(self, rows: Tensor, lots: Tensor, mean_count: Tensor) -> None:
        drawn = lots.argsort()[: len(self.counts)]
        candidates = rows_of_processes(torch.cat([lots[drawn, None], rows[drawn]], 1))
        candidates = candidates[candidates[:, 0].argsort(stable=True), 1:]
        dead = (self.counts <= _DEAD * mean_count).nonzero()[:, 0][: len(candidates)]
        self.counts[dead] = mean_count
        self.sums[dead] = mean_count * candidates[: len(dead)].to(self.sums.dtype)
