"""Blocked neighbours are those of the full float64 matrix, whatever float32 makes of it."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import normal

from tvir.evaluation import distances
from tvir.evaluation.distances import Pairs, nearest
from tvir.evaluation.metrics.precision_recall_density_coverage import ball_scores, squared_radii


@pytest.fixture(autouse=True, scope="module")
def _small_blocks():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distances, "_BLOCK", 2000)
        yield


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


def on_a_grid(count, dimensions, values, seed):
    """Few whole numbers: many equal distances and many exact duplicates."""
    drawing = torch.Generator().manual_seed(seed)
    return torch.randint(values, (count, dimensions), generator=drawing).to(torch.float32)


grids = {
    "count": st.integers(8, 130),
    "dimensions": st.sampled_from([1, 3, 16, 17, 40]),
    "values": st.integers(1, 4),
    "seed": st.integers(0, 2**16),
}


@settings(max_examples=40, deadline=None)
@given(**grids, neighbours=st.integers(1, 7))
def test_neighbours_among_ties_and_duplicates_are_as_far_as_brute_force_says(
    count, dimensions, values, seed, neighbours
):
    x = on_a_grid(count, dimensions, values, seed)
    exact = full(x, x).fill_diagonal_(torch.inf)
    found = nearest(x, x, neighbours, same=True)
    assert torch.allclose(found.squared, exact.topk(neighbours, largest=False).values, rtol=1e-12, atol=0)
    assert torch.allclose(exact.gather(1, found.indices), found.squared, rtol=1e-12, atol=0)
    assert all(len(set(row)) == neighbours for row in found.indices.tolist())


@settings(max_examples=40, deadline=None)
@given(**grids)
def test_blocks_above_the_diagonal_add_up_to_all_pairs(count, dimensions, values, seed):
    x = on_a_grid(count, dimensions, values, seed)
    pairs = Pairs(x, x)
    total = sum(
        float(squared.double().sum()) * (1 if rows == columns else 2)
        for rows, columns, squared in pairs.blocks(upper=True)
    )
    assert total == pytest.approx(float(full(x, x).sum()), abs=pairs.tolerance * count**2)


def test_every_pair_is_in_exactly_one_block():
    x = normal(120, 20)
    for upper in (False, True):
        seen = torch.zeros(120, 120, dtype=torch.int64)
        for rows, columns, _ in Pairs(x, x).blocks(upper=upper):
            seen[rows, columns] += 1
            if upper and rows != columns:
                seen[columns, rows] += 1
        assert (seen == 1).all()


@settings(max_examples=20, deadline=None)
@given(**grids)
def test_a_distance_equal_to_its_limit_is_not_below_it(count, dimensions, values, seed):
    """Whole numbers have exact distances, of which most equal some limit; the shift makes float32 round them."""
    x = on_a_grid(count, dimensions, values, seed) + 1000
    pairs, exact = Pairs(x, x), full(x, x)
    for column in (0, count // 2):
        limits = exact[:, column]
        for rows, columns, squared in pairs.blocks():
            limit = limits[rows, None]
            assert torch.equal(pairs.below(rows, columns, squared, limit), exact[rows, columns] < limit)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("dimensions", [8, 300])
def test_a_gpu_agrees_with_the_processor(dimensions):
    x, y = normal(700, dimensions).float(), normal(700, dimensions, seed=1, scale=0.9).float()
    here, there = squared_radii(x), squared_radii(x.cuda()).cpu()
    assert torch.allclose(here, there, rtol=1e-4)
    scores = ball_scores(x, y, here, squared_radii(y))
    theirs = ball_scores(x.cuda(), y.cuda(), there.cuda(), squared_radii(y.cuda()))
    for name, value in vars(scores).items():
        assert getattr(theirs, name) == pytest.approx(value, rel=1e-4), name
