"""Distances between two sets in square blocks: no N x N matrix is ever formed, and a set against itself costs half.

Blocks come from one matrix product each, |a|^2 + |b|^2 - 2ab in float32, which is fast and errs by a few units in the
last place of |a|^2 + |b|^2: a point's distance to its own copy is not 0. Where an answer hangs on less than that error
the distance is computed again as a sum of squared differences in float64.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

_BLOCK = 2**20
"""Distances in memory at once: what a processor's cache holds."""

_DEVICE_BLOCK = 2**26
"""The same on a GPU, which wants large products and seldom to be waited for."""

_DIFFERENCES = 2**17
"""Coordinates of float64 differences in memory at once: what a core's own cache holds."""

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
        self._a, self._a_norms = _centred(left, centre, number)
        self._b, self._b_norms = (self._a, self._a_norms) if left is right else _centred(right, centre, number)
        scale = float(self._a_norms.max() + self._b_norms.max()) if len(left) and len(right) else 0.0
        self.tolerance = scale * (_TIE if self._exact_blocks else _ROUNDING)

    def blocks(self, *, upper: bool = False) -> Iterator[tuple[slice, slice, Tensor]]:
        """Rows, columns and their squared distances, clamped at 0, within ``tolerance``.

        All blocks share one piece of memory: a block may be changed, and lasts until the next one.

        Args:
            upper: Leave out the blocks below the diagonal, for a set against itself. A block on the diagonal holds
                both orders of its pairs, any other only one.
        """
        size = _block_size(self._a.device)
        side = math.isqrt(size)
        memory = self._a.new_empty(0 if self._exact_blocks else size)
        for rows in _ranges(len(self._a), side):
            for columns in _ranges(len(self._b), side, start=rows.start if upper else 0):
                yield rows, columns, self._squared(rows, columns, memory)

    def _squared(self, rows: slice, columns: slice, memory: Tensor) -> Tensor:
        a, b = self._a[rows], self._b[columns]
        if self._exact_blocks:
            return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist").square_()
        squared = memory[: len(a) * len(b)].view(len(a), len(b))
        torch.addmm(self._b_norms[columns].expand(len(a), -1), a, b.T, alpha=-2, out=squared)
        return squared.add_(self._a_norms[rows, None]).clamp_min_(0)

    def exact(self, rows: Tensor, columns: Tensor) -> Tensor:
        """Squared distances of the pairs (rows[i], columns[i]) in float64, (P,)."""
        together = _DIFFERENCES if self.left.device.type == "cpu" else _DEVICE_BLOCK // 2
        # Filled in place: small results left among large temporaries would keep the allocator from reusing them.
        exact = torch.empty(len(rows), dtype=torch.float64, device=self.left.device)
        for part in _ranges(len(rows), max(1, together // self.left.shape[1])):
            exact[part] = self.left[rows[part]].double().sub_(self.right[columns[part]]).square_().sum(1)
        return exact

    def below(self, rows: slice, columns: slice, squared: Tensor, limits: Tensor) -> Tensor:
        """Which distances of a block are strictly below their limits, decided exactly.

        Args:
            rows: The rows of the block.
            columns: The columns of the block.
            squared: The block as ``blocks`` gave it.
            limits: Squared limits in float64, broadcastable to the block.
        """
        inside = squared < (limits - self.tolerance).to(squared.dtype)
        doubtful = (squared <= (limits + self.tolerance).to(squared.dtype)).logical_xor_(inside)
        i, j = doubtful.nonzero(as_tuple=True)
        if len(i):
            exact = self.exact(i + rows.start, j + columns.start)
            inside[i, j] = exact < limits.expand_as(squared)[i, j] * (1 - _TIE)
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
    pairs = Pairs(queries, queries if same else points)
    size = min(count + _MARGIN, available)
    shortlist = _Shortlist(len(queries), size, pairs.left.device)
    for rows, columns, squared in pairs.blocks(upper=same):
        if same and rows == columns:
            squared.fill_diagonal_(torch.inf)
        shortlist.offer(rows, columns, squared)
        if same and rows != columns:
            shortlist.offer(columns, rows, squared.T.contiguous())
    found, indices = _ordered(pairs, shortlist, count)
    if size < available:
        # What was left out is at least as far as the worst of the shortlist, give or take the rounding of a block,
        # and nothing is nearer than 0.
        worst = found[:, -1]
        unproved = (worst > shortlist.squared.amax(1).double() - pairs.tolerance) & (worst > 0)
        if unproved.any():
            again = _nearest_in_float64(pairs, unproved.nonzero()[:, 0], count, same=same)
            found[unproved], indices[unproved] = again.squared, again.indices
    return Neighbours(found, indices)


class _Shortlist:
    """The nearest so far of every row, by the distances of blocks: (N, size) each, in no order."""

    def __init__(self, rows: int, size: int, device: torch.device) -> None:
        self.squared = torch.full((rows, size), torch.inf, device=device)
        self.indices = torch.zeros(rows, size, dtype=torch.int64, device=device)

    def offer(self, rows: slice, columns: slice, squared: Tensor) -> None:
        """Take from a block what is nearer than what is there."""
        size = self.squared.shape[1]
        best = squared.topk(min(size, squared.shape[1]), dim=1, largest=False, sorted=False)
        values = torch.cat([self.squared[rows].to(squared.dtype), best.values], 1)
        indices = torch.cat([self.indices[rows], best.indices + columns.start], 1)
        kept = values.topk(size, dim=1, largest=False, sorted=False)
        self.squared[rows], self.indices[rows] = kept.values, indices.gather(1, kept.indices)


def _ordered(pairs: Pairs, shortlist: _Shortlist, count: int) -> tuple[Tensor, Tensor]:
    """The first ``count`` of every row in exact order. Only what rounding might put among them is computed again."""
    last = shortlist.squared.topk(count, dim=1, largest=False).values[:, -1:]
    candidates = shortlist.squared.double() <= last.double() + 2 * pairs.tolerance
    rows = candidates.nonzero()[:, 0]
    exact = torch.full_like(shortlist.squared, torch.inf, dtype=torch.float64)
    exact[candidates] = pairs.exact(rows, shortlist.indices[candidates])
    order = exact.argsort(dim=1, stable=True)[:, :count]
    return exact.gather(1, order), shortlist.indices.gather(1, order)


def _nearest_in_float64(pairs: Pairs, index: Tensor, count: int, *, same: bool) -> Neighbours:
    right = pairs.right.double()
    values, indices = [], []
    for part in index.split(max(1, _block_size(right.device) // len(right))):
        distances = torch.cdist(pairs.left[part].double(), right, compute_mode="donot_use_mm_for_euclid_dist")
        if same:
            distances[torch.arange(len(part), device=part.device), part] = torch.inf
        best = distances.topk(count, dim=1, largest=False)
        values.append(best.values.square())
        indices.append(best.indices)
    return Neighbours(torch.cat(values), torch.cat(indices))


def _centred(points: Tensor, centre: Tensor, number: torch.dtype) -> tuple[Tensor, Tensor]:
    """Points less the centre and their squared norms, rounded once, without a float64 copy of all of them."""
    centred = torch.empty(points.shape, dtype=number, device=points.device)
    norms = torch.empty(len(points), dtype=number, device=points.device)
    for rows in _ranges(len(points), max(1, _block_size(points.device) // max(1, points.shape[1]))):
        centred[rows] = points[rows].double().sub(centre)
        norms[rows] = centred[rows].square().sum(1)
    return centred, norms


def _block_size(device: torch.device) -> int:
    return _BLOCK if device.type == "cpu" else _DEVICE_BLOCK


def _ranges(stop: int, step: int, start: int = 0) -> Iterator[slice]:
    for first in range(start, stop, step):
        yield slice(first, min(first + step, stop))
