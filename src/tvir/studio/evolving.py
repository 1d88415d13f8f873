"""Breeding latents: children take numbers from several parents and drift from them, and blends lie between."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch

from tvir.contracts.noise import mix_seed
from tvir.studio.making import Maker, Point
from tvir.studio.refusal import RefusalError
from tvir.workflows.spherical import on_great_circle

MOST_PARENTS = 8
"""More are not told apart in a child."""


def children(
    maker: Maker, parents: Sequence[Point], count: int, *, boldness: float, crossover: float, seed: int
) -> list[Point]:
    """Children of one or more parents; child *i* of a seed is always the same.

    A child begins as one parent, takes each number from another one with a probability, and is turned away from
    there towards a draw from the prior. A turn keeps what a Gaussian prior looks like (Neal 1998, section 3, for the
    same step in a Markov chain), where adding noise would leave it.

    Args:
        maker: Of the model.
        parents: Checked points of that model.
        count: Number of children.
        boldness: 0 for copies, 1 for strangers.
        crossover: 0 for one parent each, 1 for numbers from all parents alike.
        seed: Of the litter.
    """
    if not parents or len(parents) > MOST_PARENTS:
        raise RefusalError("no-parents", f"children have 1 to {MOST_PARENTS} parents, not {len(parents)}", 422)
    random = np.random.default_rng(mix_seed("children", seed))
    if not maker.numbers:
        seeds = random.integers(0, 2**31, size=count)
        return [Point(seed=int(own), condition=_inherited(parents, random)) for own in seeds]
    latents = np.stack([parent.latent for parent in parents if parent.latent is not None])
    strangers = maker.drawn(count, mix_seed("strangers", seed))
    turn = boldness * math.pi / 2
    born = []
    for stranger in strangers:
        first = int(random.integers(len(latents)))
        swapped = random.random(latents.shape[1]) < crossover
        donors = random.integers(len(latents), size=latents.shape[1])
        begun = np.where(swapped, latents[donors, np.arange(latents.shape[1])], latents[first])
        latent = math.cos(turn) * begun + math.sin(turn) * stranger
        born.append(Point(latent=latent.astype(np.float32), condition=_inherited(parents, random)))
    return born


def blended(points: Sequence[Point], weights: Sequence[float]) -> Point:
    """A point between others, on great circles: first between two, then from there to the third, and so on.

    Args:
        points: Two or more points of one model.
        weights: How near it lies to each, at least 0, not all 0.
    """
    if len(points) != len(weights) or not sum(weights) > 0 or min(weights) < 0:
        raise RefusalError("no-point", "a blend needs a weight of at least 0 for each work, and one above 0", 422)
    latents = [torch.from_numpy(point.latent) for point in points if point.latent is not None]
    if len(latents) != len(points):
        raise RefusalError("no-latents", "works without latents cannot be blended", 422)
    latent, total = latents[0], float(weights[0])
    for other, weight in zip(latents[1:], weights[1:], strict=True):
        total += weight
        if weight > 0:
            latent = on_great_circle(latent[None], other[None], torch.tensor([weight / total]))[0, 0]
    nearest = points[int(np.argmax(weights))]
    return Point(latent=latent.numpy(), condition=nearest.condition)


def walk_through(points: Sequence[Point], count: int) -> list[Point]:
    """Points on a walk from each station to the next along great circles, evenly spaced in latent distance.

    Args:
        points: Two or more stations of one model.
        count: Number of points, both ends included; at least 2.
    """
    if len(points) < 2 or any(point.latent is None for point in points):
        raise RefusalError("no-path", "a path needs two or more points with latents", 422)
    latents = [np.asarray(point.latent, np.float32) for point in points]
    lengths = np.array([np.linalg.norm(after - before) for before, after in pairwise(latents)])
    ends = np.concatenate([[0.0], np.cumsum(lengths)])
    walked = []
    for place in np.linspace(0, ends[-1], count):
        leg = min(int(np.searchsorted(ends, place, side="right")) - 1, len(lengths) - 1)
        share = 0.0 if lengths[leg] == 0 else (place - ends[leg]) / lengths[leg]
        begin, end = torch.from_numpy(latents[leg]), torch.from_numpy(latents[leg + 1])
        latent = on_great_circle(begin[None], end[None], torch.tensor([share]))[0, 0].numpy()
        walked.append(Point(latent=latent, condition=points[leg if share < 0.5 else leg + 1].condition))
    return walked


def _inherited(parents: Sequence[Point], random: np.random.Generator) -> int | None:
    return parents[int(random.integers(len(parents)))].condition
