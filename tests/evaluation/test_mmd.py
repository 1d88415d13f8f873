"""RBF MMD has a closed form between Gaussians and sees what two moments do not."""

import math

import numpy as np
import pytest
import torch
from synthetic import measured, normal, points

from tvir.evaluation.metrics.frechet_distance import FrechetDistance
from tvir.evaluation.metrics.mmd_rbf import MmdRbf, mean_kernel, mean_kernel_within


def kernel_by_hand(x, y, widths):
    squared = torch.cdist(x, y).square()
    return torch.stack([torch.exp(-squared / (2 * width**2)) for width in widths]).mean(0)


def signs(count, dimensions, seed=0):
    return np.random.default_rng(seed).choice([-1.0, 1.0], size=(count, dimensions))


@pytest.mark.parametrize("dimensions", [2, 16, 40])
def test_a_shift_between_gaussians_has_its_closed_form(dimensions):
    count, width, shift = 4000, 1.5 * dimensions**0.5, 2 / dimensions**0.5
    x, y = normal(count, dimensions), normal(count, dimensions, seed=1, shift=shift)
    value = mean_kernel_within(x, (width,)) + mean_kernel_within(y, (width,)) - 2 * mean_kernel(x, y, (width,))
    distance = shift**2 * dimensions
    ratio = (width**2 / (width**2 + 2)) ** (dimensions / 2)
    expected = 2 * ratio * (1 - math.exp(-distance / (2 * (width**2 + 2))))
    assert value == pytest.approx(expected, rel=0.08)


@pytest.mark.parametrize("dimensions", [2, 30])
def test_blocks_give_the_kernel_of_the_whole_matrix_without_its_diagonal(dimensions, monkeypatch):
    from tvir.evaluation import distances

    x, y, widths = normal(50, dimensions), normal(70, dimensions, seed=1), (0.5, 2.0)
    own = kernel_by_hand(x, x, widths)
    monkeypatch.setattr(distances, "_BLOCK", 300)
    assert mean_kernel(x, y, widths) == pytest.approx(float(kernel_by_hand(x, y, widths).mean()), rel=1e-5)
    assert mean_kernel_within(x, widths) == pytest.approx(float((own.sum() - own.trace()) / (50 * 49)), rel=1e-5)


def test_random_signs_are_seen_where_the_frechet_distance_is_blind():
    """At 2,000 points the kernel's answer lies about 7.5 standard deviations of the null from 0; 4 are asked for."""
    pairs = [(points(normal(2000, 16, seed=2 * i)), points(normal(2000, 16, seed=2 * i + 1))) for i in range(8)]
    gaussian, rademacher = pairs[0][0], points(signs(2000, 16))
    nulls = [measured(FrechetDistance(), *pair)["frechet_distance"] for pair in pairs]
    assert measured(FrechetDistance(), gaussian, rademacher)["frechet_distance"] < max(nulls) + 2 * np.std(nulls)
    nulls = [measured(MmdRbf(), *pair)["mmd_rbf"] for pair in pairs]
    assert measured(MmdRbf(), gaussian, rademacher)["mmd_rbf"] > 4 * np.std(nulls)


def test_it_is_centred_on_zero_for_one_distribution():
    values = [
        measured(MmdRbf(), points(normal(200, 4, seed=2 * i)), points(normal(200, 4, seed=2 * i + 1)))["mmd_rbf"]
        for i in range(40)
    ]
    assert abs(np.mean(values)) < 3 * np.std(values) / 40**0.5
    assert min(values) < 0 < max(values)


def test_the_bandwidths_come_from_the_real_side_alone():
    from tvir.evaluation.metrics.mmd_rbf import _bandwidths

    real, far = points(normal(100, 3)), points(normal(100, 3, shift=50))
    before = _bandwidths(real, "vectors@test")
    measured(MmdRbf(), real, far)
    assert _bandwidths(real, "vectors@test") == before
    assert measured(MmdRbf(), real, far)["mmd_rbf"] == pytest.approx(
        measured(MmdRbf(), real, points(normal(100, 3, shift=5000)))["mmd_rbf"], abs=1e-6
    )


def test_a_constant_real_set_is_refused():
    with pytest.raises(ValueError, match="no bandwidth"):
        measured(MmdRbf(), points(np.ones((20, 3))), points(normal(20, 3)))
