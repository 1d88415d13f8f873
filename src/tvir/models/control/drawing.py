"""Training examples drawn for controls, which look at no more than they can hold."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from tvir.contracts.data import Array, DataSpec, Examples, ImageSpec

_MOST_NUMBERS = 2**25
"""Numbers that are fitted to at once: 256 MiB in double precision."""

_GRAY_LEVEL = 2 / 255
"""Width of one in model form."""


def drawn_rows(examples: Examples, count: int) -> Array:
    """At most ``count`` rows in an order that torch's generator draws: a run's seed, in ``Stage.prepare``."""
    return examples.take(torch.randperm(len(examples))[:count].numpy())


def drawn_numbers(examples: Examples, count: int) -> Tensor:
    """As many drawn examples as flat vectors in model form, (N, numbers); fewer where they are large."""
    size = int(np.prod(examples.spec.shape))
    rows = drawn_rows(examples, max(1, min(count, _MOST_NUMBERS // size)))
    return examples.spec.to_model(rows).flatten(1)


def smallest_variance(spec: DataSpec, numbers: Tensor) -> float:
    """Variance that the fitted density of a number has at least.

    8-bit images are judged as densities with uniform noise one gray level wide added to them; its variance is that of
    such noise. Vectors are taken as they are: a millionth of their own variance keeps a density finite.
    """
    if isinstance(spec, ImageSpec):
        return _GRAY_LEVEL**2 / 12
    return max(1e-6 * float(numbers.var(0, correction=0).mean()), 1e-12)
