"""The Frechet distance has closed forms between Gaussians, and a known bias."""

import numpy as np
import pytest
import torch
from synthetic import measured, normal, points

from tvir.evaluation.metrics.frechet_distance import FrechetDistance
from tvir.evaluation.moments import Moments, centred_covariance, frechet, moments


def gaussian(mean, covariance):
    return Moments(mean, torch.linalg.cholesky(covariance), float(covariance.trace()))


@pytest.mark.parametrize("dimensions", [1, 8, 64])
def test_a_shift_costs_its_squared_length(dimensions):
    identity = torch.eye(dimensions, dtype=torch.float64)
    shift = normal(1, dimensions)[0]
    value = frechet(gaussian(torch.zeros_like(shift), identity), gaussian(shift, identity))
    assert value == pytest.approx(float(shift.square().sum()), rel=1e-9)


@pytest.mark.parametrize("dimensions", [1, 8, 64])
def test_scales_cost_their_squared_difference_in_every_dimension(dimensions):
    identity, zero = torch.eye(dimensions, dtype=torch.float64), torch.zeros(dimensions, dtype=torch.float64)
    assert frechet(gaussian(zero, 4 * identity), gaussian(zero, 9 * identity)) == pytest.approx(dimensions, rel=1e-9)


def test_diagonal_covariances_cost_the_squared_differences_of_their_roots():
    first, second = normal(1, 12).square()[0] + 0.1, normal(1, 12, seed=1).square()[0] + 0.1
    zero = torch.zeros(12, dtype=torch.float64)
    expected = float((first.sqrt() - second.sqrt()).square().sum())
    value = frechet(gaussian(zero, torch.diag(first)), gaussian(zero, torch.diag(second)))
    assert value == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("first", "second"), [(12, 12), (12, 200), (200, 12), (200, 200)])
def test_any_mix_of_gram_and_cholesky_factors_gives_the_matrix_square_root(first, second):
    from scipy.linalg import sqrtm

    x, y = normal(first, 40), normal(second, 40, seed=1, shift=0.3) @ normal(40, 40, seed=2) / 6
    (m1, s1), (m2, s2) = centred_covariance(x), centred_covariance(y)
    root = np.real(sqrtm((s1 @ s2).numpy())).trace()
    expected = float((m1 - m2).square().sum() + s1.trace() + s2.trace()) - 2 * root
    assert frechet(moments(x), moments(y)) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("dimensions", "count"), [(8, 1000), (32, 2000), (64, 10_000)])
def test_two_draws_of_one_distribution_differ_by_the_known_bias(dimensions, count):
    value = frechet(moments(normal(count, dimensions)), moments(normal(count, dimensions, seed=1)))
    expected = 2 * dimensions / count + dimensions * (dimensions + 1) / (2 * count)
    assert value == pytest.approx(expected, rel=0.25)


def test_a_set_against_itself_is_zero_even_where_the_covariance_is_singular():
    flat = normal(100, 6)
    flat[:, 3:] = flat[:, :3]
    assert frechet(moments(flat), moments(flat.clone())) == pytest.approx(0.0, abs=1e-6)


def test_a_far_mean_does_not_spoil_the_covariance():
    near = normal(2000, 16)
    far = (near + 1000).float()
    assert torch.allclose(centred_covariance(far)[1], centred_covariance(near)[1], atol=2e-3)


def test_too_few_points_for_the_dimensions_are_named():
    few = points(normal(10, 16))
    (doubt,) = FrechetDistance().doubts(few, few, None)
    assert "10 points in 16 dimensions" in doubt


def test_order_does_not_matter_and_the_other_way_round_is_the_same():
    x, y = normal(300, 5), normal(300, 5, seed=1, shift=1)
    value = measured(FrechetDistance(), points(x), points(y))["frechet_distance"]
    assert measured(FrechetDistance(), points(x.flip(0)), points(y))["frechet_distance"] == pytest.approx(value)
    assert measured(FrechetDistance(), points(y), points(x))["frechet_distance"] == pytest.approx(value)
