"""Finding one's way in a latent space: a map on a plane, and directions along which something changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tvir.contracts.data import Array, Examples
from tvir.contracts.errors import TvirError
from tvir.contracts.model import EncodesData
from tvir.studio.making import Maker, Point
from tvir.workflows.latents import latents_of

_ENCODED = 1500
"""Training examples whose latents are looked at."""

_DRAWN = 768
"""Draws from the prior of a model that does not encode."""

_SHOWN = 600
"""Points of the map."""

_SEED = 0
_DIRECTIONS = 8
_BY_CLASS = 4
"""Directions towards a class, where there are classes; the others are principal."""

_REST = 1e-6
"""A part of a direction that is shorter than this is rounding."""


@dataclass(frozen=True, kw_only=True)
class Direction:
    """A line through the latent space.

    Args:
        vector: Unit vector (numbers,).
        low: Where hardly any latent lies further back, along the vector.
        high: Where hardly any latent lies further on.
        kind: How it was found: along the greatest variance of latents, along the greatest change of what is made
            (Härkönen et al. 2020, arXiv 2004.02546), or from all examples to those of a class.
        towards: Name of that class.
    """

    vector: Array
    low: float
    high: float
    kind: Literal["variance", "change", "class"]
    towards: str | None = None


@dataclass(frozen=True, kw_only=True)
class Chart:
    """What is known of a latent space.

    Args:
        centre: Mean latent (numbers,).
        axes: The two orthonormal axes of the map, (2, numbers); one where a latent is a single number.
        points: Latents on the map, (N, 2), measured from the centre.
        labels: Class indices (N,) of the points, -1 where there is none.
        indices: Which training examples the points are (N,); empty for draws from the prior.
        directions: The most telling first.
    """

    centre: Array
    axes: Array
    points: Array
    labels: Array
    indices: Array
    directions: tuple[Direction, ...]


def chart_of(maker: Maker, train: Callable[[], Examples]) -> Chart:
    """Look at latents of training examples, or of the prior where the model cannot encode or the data is gone.

    Args:
        maker: Of the model.
        train: Reads the training split.
    """
    model = maker.model
    if isinstance(model, EncodesData):
        try:
            examples = train()
        except TvirError:
            return _of_prior(maker)
        return _of_examples(model, examples)
    return _of_prior(maker)


def _of_examples(model: EncodesData, examples: Examples) -> Chart:
    chosen = np.unique(np.linspace(0, len(examples) - 1, min(_ENCODED, len(examples))).astype(np.int64))
    labels = None if examples.labels is None else np.asarray(examples.labels[chosen])
    part = Examples(examples.spec, examples.take(chosen), labels)
    latents = latents_of(model, part).numpy()
    centre = latents.mean(axis=0)
    away = latents - centre
    by_class = _towards_classes(away, labels, examples.spec.classes)
    principal = _principal(away, _DIRECTIONS - len(by_class))
    directions = [_direction(vector, away, "variance") for vector in principal] + by_class
    return _chart(centre, principal[:2], away, labels, chosen, directions)


def _of_prior(maker: Maker) -> Chart:
    latents = maker.drawn(_DRAWN, _SEED, 0 if maker.classes else None)
    labels = np.arange(_DRAWN) % len(maker.classes) if maker.classes else None
    conditions = [None] * _DRAWN if labels is None else [int(label) for label in labels]
    points = [Point(latent=latent, condition=asked) for latent, asked in zip(latents, conditions, strict=True)]
    made = maker.rows(points).reshape(_DRAWN, -1).astype(np.float32)
    centre = latents.mean(axis=0)
    away = latents - centre
    vectors = _most_telling(away, _within_classes(made, labels))
    directions = [_direction(vector, away, "change") for vector in vectors]
    # A draw from the prior is of no class before one is asked for.
    return _chart(centre, vectors[:2], away, None, np.empty(0, np.int64), directions)


def _chart(
    centre: Array, axes: Array, away: Array, labels: Array | None, chosen: Array, directions: list[Direction]
) -> Chart:
    axes = _orthonormal(axes)
    shown = np.linspace(0, len(away) - 1, min(_SHOWN, len(away))).astype(np.int64)
    places = away[shown] @ axes.T
    if len(axes) == 1:
        places = np.column_stack([places, np.zeros(len(places), places.dtype)])
    return Chart(
        centre=centre.astype(np.float32),
        axes=axes.astype(np.float32),
        points=places.astype(np.float32),
        labels=np.full(len(shown), -1) if labels is None else labels[shown],
        indices=chosen[shown] if len(chosen) else chosen,
        directions=tuple(directions),
    )


def _direction(
    vector: Array, away: Array, kind: Literal["variance", "change", "class"], towards: str | None = None
) -> Direction:
    low, high = np.quantile(away @ vector, [0.005, 0.995])
    return Direction(vector=vector.astype(np.float32), low=float(low), high=float(high), kind=kind, towards=towards)


def _principal(away: Array, count: int) -> Array:
    """Unit vectors of greatest variance, (at most count, numbers)."""
    rows = away if len(away) <= 2 * away.shape[1] else np.linalg.qr(away, mode="r")
    _, sizes, vectors = np.linalg.svd(rows, full_matrices=False)
    kept = vectors[: min(count, int((sizes > _REST * max(sizes[0], _REST)).sum()) or 1)]
    return np.stack([_turned(vector) for vector in kept])


def _most_telling(away: Array, made: Array) -> Array:
    """Directions of isotropic latents along which what is made changes most, (at most 8, numbers).

    The principal components of what is made are regressed on the latents, as GANSpace does with activations
    (Härkönen et al. 2020, arXiv 2004.02546, section 2.2).
    """
    count = min(_DIRECTIONS, away.shape[1])
    left, sizes, _ = np.linalg.svd(made - made.mean(axis=0), full_matrices=False)
    scores = left[:, : 4 * count] * sizes[: 4 * count]
    slopes = np.linalg.lstsq(away, scores, rcond=None)[0].T
    lengths = np.linalg.norm(slopes, axis=1)
    order = np.argsort(-lengths, kind="stable")
    return np.stack([_turned(vector) for vector in _orthonormal(slopes[order])[:count]])


def _within_classes(made: Array, labels: Array | None) -> Array:
    """What is made, less the mean of its class: a direction shall change more than a class button does."""
    if labels is None:
        return made
    rest = made.copy()
    for label in np.unique(labels):
        rest[labels == label] -= made[labels == label].mean(axis=0)
    return rest


def _towards_classes(away: Array, labels: Array | None, classes: tuple[str, ...]) -> list[Direction]:
    """From the mean of all to that of a class, for the classes that lie furthest out."""
    if labels is None or len(classes) < 2:
        return []
    means = {label: away[labels == label].mean(axis=0) for label in range(len(classes)) if (labels == label).sum() > 2}
    far = sorted(means, key=lambda label: -float(np.linalg.norm(means[label])))[:_BY_CLASS]
    lengths = {label: float(np.linalg.norm(means[label])) for label in far}
    return [
        _direction(means[label] / lengths[label], away, "class", classes[label])
        for label in sorted(far)
        if lengths[label] > _REST
    ]


def _orthonormal(vectors: Array) -> Array:
    """The vectors in their order, each without what lies along earlier ones; those that vanish are left out."""
    kept: list[Array] = []
    for vector in vectors.astype(np.float64):
        rest = vector - sum((earlier * (earlier @ vector) for earlier in kept), np.zeros_like(vector))
        if (length := np.linalg.norm(rest)) > max(_REST, 1e-3 * float(np.linalg.norm(vector))):
            kept.append(rest / length)
    return np.stack(kept) if kept else np.eye(1, vectors.shape[1])


def _turned(vector: Array) -> Array:
    """A vector or its opposite: the one whose largest number is positive, so that names stay where they belong."""
    return vector if vector[np.argmax(np.abs(vector))] > 0 else -vector
