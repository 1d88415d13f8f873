"""Precision, recall, density and coverage: which is which, and what they are worth for equal distributions."""

import numpy as np
import pytest
import torch
from synthetic import measured, normal, points

from tvir.evaluation.metrics.precision_recall_density_coverage import (
    PrecisionRecallDensityCoverage,
    ball_scores,
    squared_radii,
)


def scores(real, generated):
    return measured(PrecisionRecallDensityCoverage(), points(real), points(generated))


def by_hand(real, generated, k=5):
    def radii(x):
        squared = torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist").fill_diagonal_(torch.inf)
        return squared.sort(1).values[:, k - 1]

    between = torch.cdist(real, generated, compute_mode="donot_use_mm_for_euclid_dist")
    in_real, in_generated = between < radii(real)[:, None], between < radii(generated)[None]
    return (
        float(in_real.any(0).double().mean()),
        float(in_generated.any(1).double().mean()),
        float(in_real.double().sum(0).mean()) / k,
        float(in_real.any(1).double().mean()),
    )


@pytest.mark.parametrize("dimensions", [2, 16, 64])
def test_a_set_with_itself_scores_one_on_everything(dimensions):
    x = normal(200, dimensions)
    assert scores(x, x) == {"precision": 1.0, "recall": 1.0, "density": 1.0, "coverage": 1.0}


@pytest.mark.parametrize("dimensions", [2, 40])
def test_blocks_give_what_full_matrices_give(dimensions, monkeypatch):
    from tvir.evaluation import distances

    monkeypatch.setattr(distances, "_BLOCK", 1000)
    x, y = normal(150, dimensions), normal(120, dimensions, seed=1, scale=0.8)
    found = ball_scores(x, y, squared_radii(x), squared_radii(y))
    assert (found.precision, found.recall, found.density, found.coverage) == pytest.approx(by_hand(x, y))


@pytest.mark.parametrize("count", [200, 2000])
def test_equal_distributions_have_the_expected_coverage_and_density(count):
    found = scores(normal(count, 8), normal(count, 8, seed=1))
    expected = 1 - np.prod([(count - j) / (2 * count - j) for j in range(1, 6)])
    assert found["coverage"] == pytest.approx(expected, abs=4 * (0.03 / count) ** 0.5)
    assert found["density"] == pytest.approx(1.0, abs=0.15)


def test_a_tight_generator_inside_a_wide_reality_is_precise_and_forgetful():
    found = scores(normal(1000, 8), normal(1000, 8, seed=1, scale=0.4))
    assert found["precision"] > 0.8
    assert found["recall"] < 0.3


def test_a_wide_generator_around_a_tight_reality_is_the_other_way_round():
    found = scores(normal(1000, 8, scale=0.4), normal(1000, 8, seed=1))
    assert found["precision"] < 0.3
    assert found["recall"] > 0.8


def test_order_does_not_matter():
    x, y = normal(100, 20), normal(100, 20, seed=1)
    assert scores(x.flip(0), y.flip(0)) == pytest.approx(scores(x, y))


def test_fewer_points_than_neighbours_are_refused():
    with pytest.raises(ValueError, match="at least 6 generated points"):
        scores(normal(50, 2), normal(5, 2))


def test_infinite_features_are_refused():
    broken = normal(50, 2)
    broken[7, 1] = torch.inf
    with pytest.raises(ValueError, match="1 of 50 rows"):
        scores(normal(50, 2), broken)
