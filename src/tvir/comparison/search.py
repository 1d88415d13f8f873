"""What trying several settings is worth: how good the best of n is expected to be."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tvir.contracts.metric import Direction


def expected_best(values: Sequence[float], better: Direction) -> list[float]:
    """The expected best of n settings drawn from those tried, for n = 1 up to all.

    Without this, whoever tried more settings looks better (Dodge et al. 2019, Show Your Work, arXiv 1909.03004). The
    draws are without replacement, which makes the estimate unbiased.

    Args:
        values: One finite score for every setting that was tried.
        better: Which way the score is better.

    Returns:
        As many numbers as there are values, never getting worse.

    Example:
        >>> expected_best([3.0, 1.0, 2.0], Direction.LOWER)
        [2.0, 1.3333333333333333, 1.0]
    """
    ordered = sorted(values, reverse=better is Direction.HIGHER)
    total = len(ordered)
    # Of C(total, n) draws without replacement, C(total - 1 - i, n - 1) have the i-th best value as their best.
    return [
        sum(value * math.comb(total - 1 - place, n - 1) for place, value in enumerate(ordered)) / math.comb(total, n)
        for n in range(1, total + 1)
    ]
