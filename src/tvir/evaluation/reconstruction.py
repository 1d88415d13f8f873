"""How much of an example survives being encoded and decoded."""

from __future__ import annotations

import numpy as np
import torch

from tvir.contracts.data import ImageSpec
from tvir.contracts.metric import Axis, Direction, Points, Score
from tvir.contracts.model import EncodesData, evaluating

_CHUNK = 256


def reconstruction_score(model: EncodesData, real: Points) -> Score:
    """Mean squared error per number between real rows and their decoded posterior means.

    Images are rounded to uint8 first, like everything that is judged, and count from 0 to 1. It speaks of structure:
    of what the latents keep, not of samples; a model may reconstruct well and sample badly. It has no floor, because
    nothing real is a reconstruction.

    Raises:
        ValueError: A reconstruction holds NaN or infinity.
    """
    scale = 255.0 if isinstance(model.spec, ImageSpec) else 1.0
    total, count = 0.0, 0
    with evaluating(model):
        for start in range(0, len(real), _CHUNK):
            rows = np.array(real.rows[start : start + _CHUNK])
            rebuilt = model.reconstruct(model.spec.to_model(rows).to(model.device))
            if not torch.isfinite(rebuilt).all():
                raise ValueError("a reconstruction holds NaN or infinity")
            difference = (model.spec.to_rows(rebuilt).astype(np.float64) - rows.astype(np.float64)) / scale
            total, count = total + float((difference**2).sum()), count + difference.size
    if not np.isfinite(total):
        raise ValueError("the squared error overflows")
    return Score(
        axis=Axis.STRUCTURE,
        metric="reconstruction_mse",
        space="-",
        value=total / max(1, count),
        better=Direction.LOWER,
        n_real=len(real),
        n_generated=len(real),
    )
