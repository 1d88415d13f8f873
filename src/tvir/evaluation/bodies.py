"""Small networks that several extractors look through."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tvir.contracts.data import Array, DataSpec, ImageSpec
from tvir.contracts.model import evaluating
from tvir.evaluation.matrices import computing_device

FEATURES = 64
LARGEST_SIDE = 32
"""Larger images are averaged down to this: an extractor is a ruler, not a contestant."""

_CHUNK = 512


class AverageLargeImages(nn.Module):
    """Area averaging down to at most 32 pixels a side."""

    def forward(self, images: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        ratio = LARGEST_SIDE / max(height, width)
        if ratio >= 1:
            return images
        size = (max(1, round(height * ratio)), max(1, round(width * ratio)))
        return F.interpolate(images, size=size, mode="area")


def image_body(spec: ImageSpec) -> nn.Sequential:
    """Images (N, C, H, W) of any size to (N, 64)."""
    # Small images keep their resolution for longer.
    first = 1 if max(spec.height, spec.width) <= 16 else 2
    return nn.Sequential(
        AverageLargeImages(),
        *_block(spec.channels, 24, 5, first),
        *_block(24, 48, 3, 2),
        *_block(48, 64, 3, 1),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(4 * 64, FEATURES),
        nn.ReLU(inplace=True),
    )


def vector_body(features: int) -> nn.Sequential:
    """Vectors (N, D) to (N, 64)."""
    return nn.Sequential(
        nn.BatchNorm1d(features, affine=False),
        nn.Linear(features, 128),
        nn.ReLU(inplace=True),
        nn.Linear(128, FEATURES),
        nn.ReLU(inplace=True),
    )


def _block(inputs: int, outputs: int, kernel: int, stride: int) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    ]


def look_through(network: nn.Module, spec: DataSpec, rows: Array, *, width: int, chunk: int = _CHUNK) -> Array:
    """What a network makes of boundary rows (N, *row_shape): float32 (N, width), on a GPU where there is one."""
    device = computing_device()
    network.to(device)
    parts: list[Tensor] = []
    with evaluating(network):
        for start in range(0, len(rows), chunk):
            now = spec.to_model(np.array(rows[start : start + chunk])).to(device)
            parts.append(network(now).float().cpu())
    return torch.cat(parts).numpy() if parts else np.zeros((0, width), dtype=np.float32)
