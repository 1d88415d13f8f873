"""Blocked neighbours are those of the full float64 matrix, whatever float32 makes of it."""

import pytest
import torch
from synthetic import normal

from tvir.evaluation import distances
from tvir.evaluation.distances import Pairs, nearest


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    monkeypatch.setattr(distances, "_BLOCK", 2000)


def full(x, y):
    return (x[:, None].double() - y[None].double()).square().sum(-1)


@pytest.mark.parametrize("dimensions", [1, 2, 16, 17, 100])
def test_neighbours_are_those_of_the_full_matrix(dimensions):
    x, y = normal(90, dimensions), normal(130, dimensions, seed=1)
    expected = full(x, y).topk(4, largest=False)
    found = nearest(x, y, 4)
    assert torch.equal(found.indices, expected.indices)
    assert torch.allclose(found.squared, expected.values, rtol=1e-12)


@pytest.mark.parametrize("dimensions", [2, 100])
def test_a_point_is_not_its_own_neighbour_but_its_twin_is(dimensions):
    x = normal(60, dimensions)
    twins = torch.cat([x, x])
    found = nearest(twins, twins, 1, same=True)
    assert torch.equal(found.indices[:, 0], (torch.arange(120) + 60) % 120)
    assert not found.squared.any()


def test_a_copy_far_from_the_origin_has_distance_zero():
    """In float32 |a|^2 + |b|^2 - 2ab of 2,048 dimensions leaves up to 0.04 between a point and its copy."""
    x = (normal(50, 2048) + 3).float()
    found = nearest(x[:20], x, 1)
    assert not found.squared.any()
    assert torch.equal(found.indices[:, 0], torch.arange(20))


def test_neighbours_nearer_than_float32_can_tell_are_still_ordered():
    """Forty points within a millionth of each other: no shortlist of twelve can be trusted."""
    far = normal(40, 64, shift=10)
    cluster = normal(1, 64, seed=3).expand(40, -1) + 1e-6 * normal(40, 64, seed=4)
    y = torch.cat([far, cluster])
    expected = full(cluster, y).topk(4, largest=False)
    assert torch.equal(nearest(cluster, y, 4).indices, expected.indices)


def test_being_below_a_limit_is_decided_in_float64():
    x = normal(30, 200) + 5
    pairs = Pairs(x, x)
    exact = full(x, x)
    limits = nearest(x, x, 3, same=True).squared[:, -1]
    for rows, columns, squared in pairs.blocks():
        below = pairs.below(rows, columns, squared, limits[rows, None])
        assert torch.equal(below, exact[rows, columns] < limits[rows, None] * (1 - 1e-12))


def test_order_of_the_points_does_not_matter():
    x, y = normal(40, 30), normal(50, 30, seed=1)
    order = torch.randperm(50, generator=torch.Generator().manual_seed(0))
    assert torch.equal(nearest(x, y, 3).squared, nearest(x, y[order], 3).squared)


def test_more_neighbours_than_points_is_an_error():
    x = normal(5, 3)
    with pytest.raises(ValueError, match="4 points to choose from"):
        nearest(x, x, 5, same=True)


def test_different_dimensions_are_an_error():
    with pytest.raises(ValueError, match="cannot be compared"):
        Pairs(normal(5, 3), normal(5, 4))
