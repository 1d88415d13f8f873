"""How alike pairs of generated images are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from tvir.contracts.data import ImageSpec
from tvir.contracts.metric import Axis, Context, Direction, Metric, Points, Quantity
from tvir.contracts.noise import mix_seed
from tvir.evaluation.matrices import require
from tvir.evaluation.remembering import remembered

_PAIRS = 500
_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Of the scales from fine to coarse (Wang et al. 2003, section 4)."""

_WINDOW, _SIGMA = 11, 1.5
_SMALLEST_SIDE = 8
"""Of the coarsest scale that is still compared."""

_STABILISERS = (0.01**2, 0.03**2)
_CHUNK = 64


class MsSsimDiversity(Metric):
    """Mean multi-scale structural similarity between the images of 500 random pairs; compare it with its floor.

    The floor is the similarity of as many pairs of real images: more alike than that is less varied than reality. As
    many of the five scales as keep 8 pixels a side are used, with their weights scaled to sum to 1; the window of 11
    pixels shrinks with the coarsest of them.

    Reference:
        Multi-scale Structural Similarity for Image Quality Assessment, Asilomar 2003; Conditional Image Synthesis with
        Auxiliary Classifier GANs, arXiv 1610.09585 (as a measure of diversity).

    Sample size:
        500 pairs: standard error about 0.005 for digits.

    Known failure:
        Noise makes images unlike, so nonsense is the most diverse of all. Images of which most is the same background
        are alike whatever they show. Says nothing on sets with classes as different as planes and frogs.
    """

    quantities = (Quantity("ms_ssim_diversity", Axis.DIVERSITY, Direction.LOWER),)

    def applies(self, real: Points, context: Context) -> bool:
        return isinstance(context.spec, ImageSpec)

    def measure(self, real: Points, generated: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        require(generated, 2, "generated")
        yield "ms_ssim_diversity", "-", _mean_similarity(generated, context.seed)


@remembered
def _mean_similarity(points: Points, seed: int) -> float:
    drawing = np.random.default_rng(mix_seed(seed, "pairs of images"))
    left = drawing.integers(len(points), size=_PAIRS)
    right = (left + drawing.integers(1, len(points), size=_PAIRS)) % len(points)
    parts = [
        ms_ssim(_images(points, left[start : start + _CHUNK]), _images(points, right[start : start + _CHUNK]))
        for start in range(0, _PAIRS, _CHUNK)
    ]
    return float(torch.cat(parts).mean())


def _images(points: Points, indices: np.ndarray) -> Tensor:
    return torch.from_numpy(np.asarray(points.rows[indices], dtype=np.float32)).permute(0, 3, 1, 2) / 255


def ms_ssim(first: Tensor, second: Tensor) -> Tensor:
    """Similarity of images (N, C, H, W) between 0 and 1, pair by pair, (N,); identical images have 1.

    Negative contrast terms count as 0, as is usual.
    """
    scales = _scales(min(first.shape[-2:]))
    weights = np.array(_WEIGHTS[:scales]) / sum(_WEIGHTS[:scales])
    result = torch.ones(len(first))
    for scale, weight in enumerate(weights):
        if scale:
            first, second = F.avg_pool2d(first, 2), F.avg_pool2d(second, 2)
        luminance, contrast = _ssim_terms(first, second)
        term = luminance * contrast if scale == scales - 1 else contrast
        # Over the image and the channels, as in the usual implementations.
        result = result * term.mean((1, 2, 3)).clamp_min(0) ** weight
    return result


def _scales(side: int) -> int:
    return next((scale for scale in range(len(_WEIGHTS), 1, -1) if side >> (scale - 1) >= _SMALLEST_SIDE), 1)


def _ssim_terms(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Luminance, and contrast times structure, at every place of the window."""
    window = min(_WINDOW, *first.shape[-2:])
    ticks = torch.arange(window, dtype=first.dtype) - (window - 1) / 2
    kernel = torch.exp(-ticks.square() / (2 * _SIGMA**2))
    kernel = kernel / kernel.sum()

    def blurred(images: Tensor) -> Tensor:
        flat = images.flatten(0, 1)[:, None]
        smooth = F.conv2d(F.conv2d(flat, kernel.view(1, 1, -1, 1)), kernel.view(1, 1, 1, -1))
        return smooth.view(*images.shape[:2], *smooth.shape[-2:])

    m1, m2 = blurred(first), blurred(second)
    v1, v2 = blurred(first.square()) - m1.square(), blurred(second.square()) - m2.square()
    covariance = blurred(first * second) - m1 * m2
    c1, c2 = _STABILISERS
    luminance = (2 * m1 * m2 + c1) / (m1.square() + m2.square() + c1)
    return luminance, (2 * covariance + c2) / (v1 + v2 + c2)
