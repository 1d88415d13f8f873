"""How much of an example survives being encoded and decoded."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from tvir.contracts.data import ImageSpec, TextSpec
from tvir.contracts.metric import Axis, Context, Direction, ModelMetric, Points, Quantity
from tvir.contracts.model import EncodesData, GenerativeModel, evaluating
from tvir.evaluation.subsampling import drawn_indices

_CHUNK = 256
_EXAMPLES = 2000


class Reconstruction(ModelMetric):
    """Mean squared error per number between real rows and their decoded posterior means.

    Images are rounded to uint8 first, like everything that is judged, and count from 0 to 1. At
    most 2,000 drawn examples.

    Reference:
        Auto-Encoding Variational Bayes, arXiv 1312.6114.

    Sample size:
        A hundred examples: it is a mean.

    Known failure:
        Speaks of what the latents keep, not of samples: a model may reconstruct well and sample badly. Rewards blur.
    """

    quantities = (Quantity("reconstruction_mse", Axis.STRUCTURE, Direction.LOWER),)

    def applies(self, model: GenerativeModel, context: Context) -> bool:
        return isinstance(model, EncodesData) and not isinstance(model.spec, TextSpec)

    def measure(self, model: GenerativeModel, real: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        assert isinstance(model, EncodesData)
        scale = 255.0 if isinstance(model.spec, ImageSpec) else 1.0
        total, count = 0.0, 0
        chosen = drawn_indices(len(real), _EXAMPLES, context.seed)
        with evaluating(model):
            for start in range(0, len(chosen), _CHUNK):
                rows = np.array(real.rows[chosen[start : start + _CHUNK]])
                rebuilt = model.reconstruct(model.spec.to_model(rows).to(model.device))
                if not torch.isfinite(rebuilt).all():
                    raise ValueError("a reconstruction holds NaN or infinity")
                difference = (model.spec.to_rows(rebuilt).astype(np.float64) - rows.astype(np.float64)) / scale
                total, count = total + float((difference**2).sum()), count + difference.size
        if not np.isfinite(total):
            raise ValueError("the squared error overflows")
        yield "reconstruction_mse", "-", total / max(1, count)
