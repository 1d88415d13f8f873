"""Finding the latent of a picture that the model did not make, by optimisation, and filling in what is masked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageFilter
from torch import Tensor

from tvir.contracts.data import Array, ImageSpec
from tvir.studio.making import Maker, Point
from tvir.studio.refusal import RefusalError

_STARTS = 96
"""Draws from the prior among which the best is begun from."""

_SEED = 7
_LEARNING_RATE = 0.1
_PRIOR = 2e-4
"""Pull of a latent towards where the prior is, for each squared number: what is found shall be editable."""

_SHOWN_EVERY = 5
"""Steps between two looks at how far it has come."""


@dataclass(frozen=True, kw_only=True)
class Approach:
    """How near a picture has been come.

    Args:
        point: The best so far.
        share: Of the steps that are done, 0 to 1.
        distance: Mean squared difference of pixels in [-1, 1], over those that count.
    """

    point: Point
    share: float
    distance: float


def approach(
    maker: Maker, target: Array, *, condition: int | None = None, free: Array | None = None, steps: int = 250
) -> Iterator[Approach]:
    """Come nearer to a picture step by step (Zhu et al. 2016, arXiv 1609.03552, equation 4, with pixel distance).

    The distance is also taken between smaller copies of both pictures, so that a shape a few pixels aside still pulls.

    Args:
        maker: Of a model with latents.
        target: Boundary row (height, width, channels) of uint8.
        condition: Class that is kept to; None lets the best beginning decide.
        free: Where the picture does not matter, (height, width) of bool.
        steps: Of Adam.
    """
    if not maker.numbers or not isinstance(maker.model.spec, ImageSpec):
        raise RefusalError("no-latents", "this model has no latents of pictures", 422)
    spec = maker.model.spec
    wanted = spec.to_model(target[None]).to(maker.model.device)
    counts = torch.ones(1, 1, *target.shape[:2]) if free is None else torch.from_numpy(~free)[None, None].float()
    if not counts.any():
        raise RefusalError("no-picture", "the mask covers the whole picture", 422)
    counts = counts.to(wanted.device)
    begin = _beginning(maker, wanted, counts, target, condition, free)
    asked = maker.conditions([begin.condition])
    latent = torch.from_numpy(np.array(begin.latent))[None].to(wanted.device).requires_grad_()
    optimiser = torch.optim.Adam([latent], lr=_LEARNING_RATE, betas=(0.9, 0.99))
    best, nearest = begin, float("inf")
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = _LEARNING_RATE * min(1.0, 2.0 * (1.0 - step / steps))
        with torch.enable_grad():
            made = maker.decoded(latent, asked)
            loss = _distance(made, wanted, counts).sum() + _PRIOR * latent.square().mean()
            (latent.grad,) = torch.autograd.grad(loss, [latent])
        reached = float(_pixels_apart(made.detach(), wanted, counts))
        if np.isfinite(reached) and reached < nearest:
            found = latent.detach()[0].cpu().numpy().copy()
            best, nearest = Point(latent=found, condition=begin.condition), reached
        optimiser.step()
        if step % _SHOWN_EVERY == _SHOWN_EVERY - 1 or step == steps - 1:
            yield Approach(point=best, share=(step + 1) / steps, distance=nearest)


def filled_in(picture: Array, made: Array, free: Array, feather: int) -> Array:
    """A picture whose free part is what a model made, with a soft edge.

    Args:
        picture: Boundary row (height, width, channels).
        made: Another of the same shape.
        free: Where ``made`` is taken, (height, width) of bool.
        feather: Pixels over which one goes over into the other, outside of the free part only: nothing of what was
            masked shows.
    """
    mask = Image.fromarray(free.astype(np.uint8) * 255)
    if feather:
        grown = mask.filter(ImageFilter.MaxFilter(2 * feather + 1))
        soft = np.asarray(grown.filter(ImageFilter.GaussianBlur(feather / 2)))
        mask = Image.fromarray(np.maximum(soft, np.asarray(mask)))
    share = np.asarray(mask, dtype=np.float32)[..., None] / 255
    return np.round(picture * (1 - share) + made * share).astype(np.uint8)


def _beginning(
    maker: Maker, wanted: Tensor, counts: Tensor, target: Array, condition: int | None, free: Array | None
) -> Point:
    """The nearest of the encoded picture and some draws."""
    classes = [condition] if condition is not None or not maker.classes else list(range(len(maker.classes)))
    points = [
        Point(latent=latent, condition=asked)
        for asked in classes
        for latent in maker.drawn(max(8, _STARTS // len(classes)), _SEED, asked)
    ]
    if maker.encodes:
        filled = target if free is None else _mean_filled(target, free)
        points.append(Point(latent=maker.encoded(filled[None], classes[0])[0], condition=classes[0]))
    made = maker.model.spec.to_model(maker.rows(points)).to(wanted.device)
    return points[int(_distance(made, wanted, counts).argmin())]


def _mean_filled(target: Array, free: Array) -> Array:
    filled = target.copy()
    filled[free] = target[~free].mean(axis=0).round().astype(np.uint8)
    return filled


def _distance(made: Tensor, wanted: Tensor, counts: Tensor) -> Tensor:
    """Distances (N,) of pictures (N, C, H, W) from one, at their size and at smaller ones."""
    total = _pixels_apart(made, wanted, counts)
    while min(made.shape[-2:]) >= 8:
        smaller = F.avg_pool2d(counts, 2)
        made = F.avg_pool2d(made * counts, 2) / smaller.clamp_min(1e-3)
        wanted = F.avg_pool2d(wanted * counts, 2) / smaller.clamp_min(1e-3)
        counts = (smaller > 0).float()
        total = total + _pixels_apart(made, wanted, counts)
    return total


def _pixels_apart(made: Tensor, wanted: Tensor, counts: Tensor) -> Tensor:
    return ((made - wanted).square() * counts).sum((1, 2, 3)) / (counts.sum() * made.shape[1])
