"""Distances between two sets in blocks: no N x N matrix is ever formed.

Blocks come from one matrix product each, |a|^2 + |b|^2 - 2ab in float32, which is fast and errs by a few units in the
last place of |a|^2 + |b|^2: a point's distance to its own copy is not 0. Where an answer hangs on less than that error
the distance is computed again as a sum of squared differences in float64.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

_BLOCK = 2**22
"""Distances in memory at once."""

_FEW_DIMENSIONS = 16
"""Up to here float64 differences cost no more than a matrix product."""

_ROUNDING = 64 * torch.finfo(torch.float32).eps
"""Error of a float32 block relative to |a|^2 + |b|^2; 3 units were measured at 2,048 dimensions."""

_TIE = 1e-12
"""Two float64 distances closer than this, relatively, are equal."""

_MARGIN = 8
"""Neighbours shortlisted beyond those that were asked for."""


@dataclass(frozen=True)
class Neighbours:
    """The nearest points of every query, nearest first: squared distances (N, k) in float64 and indices (N, k)."""

    squared: Tensor
    indices: Tensor


class Pairs:
    """All pairs of a row of ``left`` (N, D) and a row of ``right`` (M, D), on one device."""

    def __init__(self, left: Tensor, right: Tensor) -> None:
        if left.shape[1:] != right.shape[1:]:
            raise ValueError(f"points of {left.shape[1]} and of {right.shape[1]} dimensions cannot be compared")
        self.left, self.right = left, right
        self._exact_blocks = left.shape[1] <= _FEW_DIMENSIONS
        number = torch.float64 if self._exact_blocks else torch.float32
        # Distances do not see a common shift, but the rounding of |a|^2 + |b|^2 does.
        centre = right.mean(0, dtype=torch.float64)
        self._a, self._b = (left - centre).to(number), (right - centre).to(number)
        self._a_norms, self._b_norms = self._a.square().sum(1), self._b.square().sum(1)
        scale = float(self._a_norms.max() + self._b_norms.max()) if len(left) and len(right) else 0.0
        self.tolerance = scale * (_TIE if self._exact_blocks else _ROUNDING)

    def blocks(self, *, upper: bool = False) -> Iterator[tuple[slice, slice, Tensor]]:
        """Rows, columns and their squared distances, clamped at 0, within ``tolerance``.

        Args:
            upper: Leave out the blocks below the diagonal, for a set against itself.
        """
        height = max(1, _BLOCK // max(1, len(self._b)))
        for start in range(0, len(self._a), height):
            rows = slice(start, min(start + height, len(self._a)))
            columns = slice(start if upper else 0, len(self._b))
            yield rows, columns, self._squared(rows, columns)

    def _squared(self, rows: slice, columns: slice) -> Tensor:
        a, b = self._a[rows], self._b[columns]
        if self._exact_blocks:
            return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist").square_()
        squared = torch.addmm(self._b_norms[columns].expand(len(a), -1), a, b.T, alpha=-2)
        return squared.add_(self._a_norms[rows, None]).clamp_min_(0)

    def exact(self, rows: Tensor, columns: Tensor) -> Tensor:
        """Squared distances of the pairs (rows[i], columns[i]) in float64, (P,)."""
        chunk = max(1, _BLOCK // self.left.shape[1])
        parts = [
            (self.left[i].double() - self.right[j].double()).square_().sum(1)
            for i, j in zip(rows.split(chunk), columns.split(chunk), strict=True)
        ]
        return torch.cat(parts) if parts else torch.zeros(0, dtype=torch.float64, device=self.left.device)

    def below(self, rows: slice, squared: Tensor, limits: Tensor) -> Tensor:
        """Which distances of a block of whole rows are strictly below their limits, decided exactly.

        Args:
            rows: The rows of the block.
            squared: The block as ``blocks`` gave it.
            limits: Squared limits in float64, broadcastable to the block.
        """
        coarse = limits.to(squared.dtype)
        inside = squared < coarse
        i, j = ((squared - coarse).abs_() <= self.tolerance).nonzero(as_tuple=True)
        if len(i):
            inside[i, j] = self.exact(i + rows.start, j) < limits.expand_as(squared)[i, j] * (1 - _TIE)
        return inside


def nearest(queries: Tensor, points: Tensor, count: int, *, same: bool = False) -> Neighbours:
    """The ``count`` nearest points of every query, in O(block) memory beside the answer.

    Neighbours are shortlisted in float32 and ordered in float64; rows whose shortlist cannot be proved complete are
    done again in float64 throughout.

    Args:
        queries: (N, D).
        points: (M, D).
        count: At least 1 and at most M (M - 1 with ``same``).
        same: The two sets are one: a point is not its own neighbour. Decided by index, never by distance.

    Raises:
        ValueError: There are too few points.
    """
    available = len(points) - same
    if count > available:
        raise ValueError(f"{count} nearest neighbours were asked for and there are {available} points to choose from")
    pairs = Pairs(queries, points)
    parts = [
        _nearest_in_block(pairs, rows, squared, count, available, same=same) for rows, _, squared in pairs.blocks()
    ]
    return Neighbours(torch.cat([part.squared for part in parts]), torch.cat([part.indices for part in parts]))


def _nearest_in_block(
    pairs: Pairs, rows: slice, squared: Tensor, count: int, available: int, *, same: bool
) -> Neighbours:
    index = torch.arange(rows.start, rows.stop, device=squared.device)
    if same:
        squared[index - rows.start, index] = torch.inf
    size = min(count + _MARGIN, available)
    shortlist = squared.topk(size, dim=1, largest=False, sorted=False)
    exact = pairs.exact(index.repeat_interleave(size), shortlist.indices.flatten()).view(-1, size)
    order = exact.argsort(dim=1, stable=True)[:, :count]
    found, indices = exact.gather(1, order), shortlist.indices.gather(1, order)
    # What was left out is at least as far as the worst of the shortlist, give or take the rounding of a block.
    unproved = found[:, -1] > shortlist.values.amax(1).double() - pairs.tolerance
    if size < available and unproved.any():
        again = _nearest_in_float64(pairs, index[unproved], count, same=same)
        found[unproved], indices[unproved] = again.squared, again.indices
    return Neighbours(found, indices)


def _nearest_in_float64(pairs: Pairs, index: Tensor, count: int, *, same: bool) -> Neighbours:
    right = pairs.right.double()
    values, indices = [], []
    for part in index.split(max(1, _BLOCK // len(right))):
        distances = torch.cdist(pairs.left[part].double(), right, compute_mode="donot_use_mm_for_euclid_dist")
        if same:
            distances[torch.arange(len(part), device=part.device), part] = torch.inf
        best = distances.topk(count, dim=1, largest=False)
        values.append(best.values.square())
        indices.append(best.indices)
    return Neighbours(torch.cat(values), torch.cat(indices))
