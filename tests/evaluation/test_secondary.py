"""KID, sliced Wasserstein, Vendi and the classifier test against what is known of them."""

import numpy as np
import pytest
import torch
from synthetic import measured, normal, points

from tvir.evaluation.metrics.c2st_accuracy import C2stAccuracy
from tvir.evaluation.metrics.kid import Kid
from tvir.evaluation.metrics.sliced_wasserstein import SlicedWasserstein, sliced_distance
from tvir.evaluation.metrics.vendi import vendi_score


def signs(count, dimensions):
    return np.random.default_rng(0).choice([-1.0, 1.0], size=(count, dimensions))


@pytest.mark.parametrize("dimensions", [2, 16])
def test_kid_is_the_unbiased_estimate_by_hand(dimensions):
    x, y = normal(30, dimensions).float().double(), normal(40, dimensions, seed=1, shift=0.5).float().double()

    def kernel(a, b):
        return (a @ b.T / dimensions + 1) ** 3

    own = [(kernel(z, z).sum() - kernel(z, z).trace()) / (len(z) * (len(z) - 1)) for z in (x, y)]
    expected = float(own[0] + own[1] - 2 * kernel(x, y).mean())
    assert measured(Kid(), points(x), points(y))["kid"] == pytest.approx(expected, rel=1e-9)


def test_kid_is_blind_to_random_signs_and_the_classifier_test_is_not():
    gaussian, rademacher = points(normal(2000, 16)), points(signs(2000, 16))
    others = [points(normal(2000, 16, seed=seed)) for seed in (1, 2, 3)]
    nulls = [abs(measured(Kid(), gaussian, other)["kid"]) for other in others]
    assert abs(measured(Kid(), gaussian, rademacher)["kid"]) < 3 * max(nulls)
    assert measured(C2stAccuracy(), gaussian, rademacher)["c2st_accuracy"] > 0.7


def test_the_classifier_test_of_equal_distributions_is_a_coin():
    value = measured(C2stAccuracy(), points(normal(2000, 8)), points(normal(2000, 8, seed=1)))["c2st_accuracy"]
    assert abs(value - 0.5) < 4 * (1 / (4 * 2000)) ** 0.5


@pytest.mark.parametrize("dimensions", [1, 3, 32])
def test_a_shift_costs_its_square_divided_by_the_dimensions(dimensions):
    x = normal(400, dimensions)
    shift = normal(1, dimensions, seed=1)
    expected = float(shift.square().sum()) / dimensions
    # 256 directions leave a relative error of sqrt(2 / 256) at most.
    assert sliced_distance(x, x + shift) == pytest.approx(expected, rel=0.25)
    assert sliced_distance(x, x) == 0


def test_sets_of_different_sizes_are_compared_by_quantiles():
    x = normal(3000, 4)
    assert sliced_distance(x, x[:1500] + 2) == pytest.approx(4 / 1, rel=0.3)


def test_sliced_wasserstein_does_not_depend_on_the_order():
    x, y = normal(200, 4), normal(200, 4, seed=1)
    values = [measured(SlicedWasserstein(), points(x), points(z))["sliced_wasserstein"] for z in (y, y.flip(0))]
    assert values[0] == values[1]


@pytest.mark.parametrize(("count", "dimensions"), [(5, 9), (9, 9), (4, 4)])
def test_vendi_of_orthogonal_rows_is_their_number_and_of_identical_rows_one(count, dimensions):
    assert vendi_score(torch.eye(dimensions)[:count]) == pytest.approx(count)
    assert vendi_score(torch.ones(count, dimensions)) == pytest.approx(1)
    assert vendi_score(3 * torch.eye(dimensions)[:count].repeat(4, 1)) == pytest.approx(count)
