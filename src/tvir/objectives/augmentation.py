"""Changes that a critic sees real and fake examples through, so that it cannot learn few of them by heart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
import torch.nn.functional as F
from annotated_types import Gt, Interval
from torch import Tensor

from tvir.contracts.choice import Choice
from tvir.contracts.data import DataSpec, ImageSpec
from tvir.contracts.noise import Noise

_FEW = 5_000
"""Training examples below which a critic soon knows them by heart (Karras et al. 2020, arXiv 2006.06676, figure 1)."""

_SMALLEST = 16
"""Pixels of a side below which there is nothing to cut out or to move."""

_LARGEST_SHIFT = 1 / 8
_CUT = 1 / 2
"""Shares of a side: Zhao et al. 2020, DiffAugment, arXiv 2006.10738."""


class Augmentation(Choice):
    """Colour, translation and cutout of images (DiffAugment, arXiv 2006.10738); vectors are left as they are."""

    probability: float = 0.0
    """Of each change of each example, at first."""
    target: float | None = None
    """What the sign statistic is steered to by changing the probability; None leaves the probability alone."""
    pace: float = 1.0
    """Examples in which the probability can grow from 0 to 1."""

    def suited_to(self, spec: DataSpec, count: int) -> Augmentation:
        """What acts on so many training examples: itself, unless that was left to the data."""
        return self if isinstance(spec, ImageSpec) else Unaugmented()


@dataclass(frozen=True, kw_only=True)
class Unaugmented(Augmentation):
    """Nothing."""

    name = "none"


@dataclass(frozen=True, kw_only=True)
class DiffAugment(Augmentation):
    """Every change acts with the same probability all the time: Zhao et al. 2020, arXiv 2006.10738.

    Args:
        probability: Of each change of each example.
    """

    probability: Annotated[float, Interval(ge=0, le=1)] = 1.0


@dataclass(frozen=True, kw_only=True)
class Adaptive(Augmentation):
    """The probability follows the critic's overfitting: Karras et al. 2020, ADA, arXiv 2006.06676, equation 1.

    It rises while E[sign D(real)] is above the target. Where only differences of logits mean anything (relativistic
    losses) the sign of D(real) less the mean of D(fake) is taken instead.

    Args:
        target: The sign statistic aimed at, 0 to 1.
        pace: Examples in which the probability can grow from 0 to 1; the paper's 500,000 suit long trainings.
    """

    target: Annotated[float | None, Interval(ge=0, le=1)] = 0.6
    pace: Annotated[float, Gt(0)] = 50_000.0


@dataclass(frozen=True, kw_only=True)
class AutomaticAugmentation(Augmentation):
    """Adaptive for fewer than 5,000 images of at least 16 pixels a side, else nothing."""

    name = "auto"

    def suited_to(self, spec: DataSpec, count: int) -> Augmentation:
        large = isinstance(spec, ImageSpec) and min(spec.height, spec.width) >= _SMALLEST
        return Adaptive() if large and count < _FEW else Unaugmented()


def augmented(images: Tensor, noise: Noise, probability: float) -> Tensor:
    """Images (N, C, H, W) in which every change happened with a probability, differentiable.

    Pixels that are moved in from outside repeat the edge; what is cut out is mid-gray.
    """
    _, channels, height, width = images.shape
    drawn = noise.uniform(8).to(images.device)
    chosen = (drawn[:, 5:] < probability).T[..., None, None, None]
    coloured = _coloured(images.float(), drawn, joint=channels >= 3)
    changed = torch.where(chosen[0], coloured, images.float())
    changed = torch.where(chosen[1], _moved(changed, _pixels(drawn[:, 1:3], height, width)), changed)
    kept = _outside_of_a_box(drawn[:, 3:5], height, width)
    return torch.where(chosen[2] & ~kept[:, None], torch.zeros((), device=images.device), changed).to(images.dtype)


def shifted(images: Tensor, noise: Noise) -> Tensor:
    """Images (N, C, H, W) moved by whole pixels, at most an eighth of a side; the edge is repeated. Differentiable."""
    drawn = noise.uniform(2).to(images.device)
    return _moved(images.float(), _pixels(drawn, *images.shape[2:])).to(images.dtype)


def _coloured(images: Tensor, drawn: Tensor, *, joint: bool) -> Tensor:
    """Brightness by up to 0.5, saturation of colours up to twice, contrast by a half."""
    brightness, saturation, contrast = (drawn[:, column, None, None, None] for column in (0, 1, 2))
    images = images + (brightness - 0.5)
    if joint:
        gray = images.mean(1, keepdim=True)
        images = (images - gray) * (2 * saturation) + gray
    mean = images.mean((1, 2, 3), keepdim=True)
    return (images - mean) * (contrast + 0.5) + mean


def _pixels(drawn: Tensor, height: int, width: int) -> Tensor:
    """How far each image is moved across and down, from uniform numbers (N, 2)."""
    sides = torch.tensor([width, height], device=drawn.device)
    return (_LARGEST_SHIFT * (2 * drawn - 1) * sides).round()


def _moved(images: Tensor, pixels: Tensor) -> Tensor:
    """Each image moved by whole pixels (N, 2), across and down."""
    count, _, height, width = images.shape
    theta = torch.eye(2, 3, device=images.device).repeat(count, 1, 1)
    theta[:, :, 2] = 2 * pixels / torch.tensor([width, height], device=images.device)
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, mode="nearest", padding_mode="border", align_corners=False)


def _outside_of_a_box(centres: Tensor, height: int, width: int) -> Tensor:
    """Whether a pixel lies outside of a box of half the sides around a centre (N, 2), as (N, H, W)."""
    rows, columns = (
        (torch.arange(side, device=centres.device) + 0.5 - side * centre[:, None]).abs() >= side * _CUT / 2
        for side, centre in ((height, centres[:, 0]), (width, centres[:, 1]))
    )
    return rows[:, :, None] | columns[:, None, :]
