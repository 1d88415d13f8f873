"""Metrics beside the default ones against what is known of them."""

import numpy as np
import pytest
import torch
from synthetic import blobs, measured, normal, points

from tvir.contracts.metric import Points
from tvir.evaluation.metrics.authenticity_gap import AuthenticityGap
from tvir.evaluation.metrics.birthday import Birthday
from tvir.evaluation.metrics.copying_test import CopyingTest, copying_statistic
from tvir.evaluation.metrics.fld_gap import FldGap
from tvir.evaluation.metrics.frechet_distance_infinity import FrechetDistanceInfinity, extrapolated_distance
from tvir.evaluation.metrics.inception_score import InceptionScore
from tvir.evaluation.metrics.intrinsic_dimension_ratio import IntrinsicDimensionRatio, intrinsic_dimension
from tvir.evaluation.metrics.ms_ssim_diversity import MsSsimDiversity, ms_ssim
from tvir.evaluation.metrics.vendi_ratio import VendiRatio, order_two_vendi


@pytest.mark.parametrize(("dimensions", "count"), [(8, 1000), (32, 2000), (64, 4000)])
def test_the_extrapolated_distance_of_equal_distributions_loses_most_of_the_bias(dimensions, count):
    """One draw is noisier than the bias is large; the mean of eight is not."""
    bias = 2 * dimensions / count + dimensions * (dimensions + 1) / (2 * count)
    draws = [(normal(count, dimensions, seed=2 * i), normal(count, dimensions, seed=2 * i + 1)) for i in range(8)]
    assert abs(np.mean([extrapolated_distance(*draw) for draw in draws])) < 0.2 * bias


def test_the_extrapolated_distance_of_a_shift_is_its_square():
    shifted = normal(4000, 8, seed=1, shift=0.5)
    assert extrapolated_distance(normal(4000, 8), shifted) == pytest.approx(8 * 0.25, rel=0.05)


def test_extrapolation_needs_many_points_for_every_dimension():
    few = points(normal(100, 16))
    assert measured(FrechetDistanceInfinity(), few, few) == {}
    assert "per dimension" in next(iter(FrechetDistanceInfinity().doubts(few, few, None)))


@pytest.mark.parametrize(("count", "dimensions"), [(5, 9), (9, 9), (4, 4)])
def test_order_two_vendi_of_orthogonal_rows_is_their_number_and_of_identical_rows_one(count, dimensions):
    assert order_two_vendi(torch.eye(dimensions)[:count]) == pytest.approx(count)
    assert order_two_vendi(torch.ones(count, dimensions)) == pytest.approx(1)
    assert order_two_vendi(torch.eye(dimensions)[:count].repeat(4, 1)) == pytest.approx(count)


def test_half_the_modes_have_half_the_order_two_vendi_score():
    real = points(np.eye(8).repeat(10, 0))
    half = points(np.eye(8)[:4].repeat(20, 0))
    assert measured(VendiRatio(), real, half)["vendi_ratio"] == pytest.approx(0.5)


def test_honest_points_rarely_repeat_each_other_and_few_different_ones_always_do():
    real, honest = points(normal(1000, 4)), points(normal(1000, 4, seed=1))
    assert measured(Birthday(), real, honest)["birthday"] == pytest.approx(0.01, abs=0.012)
    assert measured(Birthday(), real, points(normal(100, 4, seed=2).repeat(10, 1)))["birthday"] == 1.0


@pytest.mark.parametrize("dimensions", [1, 2, 5])
def test_a_normal_cloud_has_as_many_dimensions_as_it_was_drawn_in(dimensions):
    embedded = normal(3000, dimensions) @ normal(dimensions, 20, seed=1)
    assert intrinsic_dimension(embedded) == pytest.approx(dimensions, rel=0.08)


def test_a_line_in_place_of_a_plane_has_half_the_dimensions():
    plane = normal(2000, 2) @ normal(2, 10, seed=1)
    line = normal(2000, 1, seed=2) @ normal(1, 10, seed=1)
    found = measured(IntrinsicDimensionRatio(), points(plane), points(line))
    assert found["intrinsic_dimension_ratio"] == pytest.approx(0.5, rel=0.12)


@pytest.mark.parametrize(("dimensions", "expected"), [(2, 0.38), (64, 0.84)])
def test_authenticity_of_honest_points_depends_on_the_dimension_and_its_gap_does_not(dimensions, expected):
    train, real, honest = (points(normal(count, dimensions, seed=count)) for count in (4000, 1001, 1002))
    found = measured(AuthenticityGap(), real, honest, train=train)
    assert found["authenticity"] == pytest.approx(expected, abs=0.06)
    assert abs(found["authenticity_gap"]) < 3 * (2 * 0.25 / 1000) ** 0.5


@pytest.mark.parametrize("dimensions", [2, 16])
def test_copies_are_not_authentic_and_pull_the_rank_test_down(dimensions):
    drawn = normal(2000, dimensions)
    train, real, honest = (
        points(drawn),
        points(normal(800, dimensions, seed=1)),
        points(normal(800, dimensions, seed=2)),
    )
    copies = points(drawn[:800] + 1e-4 * normal(800, dimensions, seed=3))
    assert measured(AuthenticityGap(), real, copies, train=train)["authenticity"] < 0.01
    assert measured(CopyingTest(), real, copies, train=train)["copying_test"] < -5
    assert abs(measured(CopyingTest(), real, honest, train=train)["copying_test"]) < 3


def test_the_rank_statistic_of_exchanged_sets_changes_its_sign():
    x, y = np.linspace(0, 1, 30), np.linspace(0.3, 1.2, 30)
    cells = np.zeros(30, dtype=int)
    assert copying_statistic(x, cells, y, cells) == pytest.approx(-copying_statistic(y, cells, x, cells))
    with pytest.raises(ValueError, match="no region"):
        copying_statistic(x, cells, y, cells + 1)


@pytest.mark.parametrize("dimensions", [2, 16])
def test_a_density_around_copies_fits_the_training_split_better_than_unseen_points(dimensions):
    drawn = normal(1000, dimensions)
    train, real = points(drawn), points(normal(1000, dimensions, seed=1))
    honest = measured(FldGap(), real, points(normal(1000, dimensions, seed=2)), train=train)["fld_gap"]
    copied = measured(FldGap(), real, points(drawn + 1e-3 * normal(1000, dimensions, seed=3)), train=train)["fld_gap"]
    assert abs(honest) < 20
    assert copied > 50


def test_identical_images_are_wholly_alike_and_noise_is_not():
    images = torch.rand(4, 3, 24, 20, generator=torch.Generator().manual_seed(0))
    assert ms_ssim(images, images).tolist() == pytest.approx([1.0] * 4, abs=1e-5)
    assert float(ms_ssim(images, images.flip(0)).max()) < 0.3
    assert torch.equal(ms_ssim(images, images.flip(0)), ms_ssim(images.flip(0), images))


@pytest.mark.parametrize("side", [4, 8, 40])
def test_the_scales_are_cut_to_the_size_of_the_image(side):
    image = torch.full((1, 1, side, side), 0.25)
    # Constant images differ in luminance alone: (2ab + c) / (a^2 + b^2 + c), to the weight of the coarsest scale.
    value = float(ms_ssim(image, 2 * image))
    luminance = (2 * 0.25 * 0.5 + 1e-4) / (0.25**2 + 0.5**2 + 1e-4)
    exponent = {4: 1.0, 8: 1.0, 40: 0.3001 / (0.0448 + 0.2856 + 0.3001)}[side]
    assert value == pytest.approx(luminance**exponent, rel=1e-4)


def test_images_of_one_class_are_more_alike_than_images_of_all():
    from tvir.contracts.data import ImageSpec
    from tvir.contracts.metric import Context

    rows, labels = blobs(600, seed=0)
    nothing = points(np.zeros((0, 2)))
    known = Context(spec=ImageSpec(channels=1, height=10, width=10), train=nothing, held_out=nothing)
    sides = [Points(rows=part, features={}) for part in (rows, rows[labels == 0])]
    found = [next(MsSsimDiversity().measure(sides[0], side, known))[2] for side in sides]
    assert found[1] > found[0] + 0.1


def test_one_class_alone_has_an_inception_score_of_about_one_and_all_of_about_their_number():
    rows = 20 * np.eye(3)[np.arange(1500) % 3] + 0.1 * normal(1500, 3).numpy()
    held_out = points(rows, labels=np.arange(1500) % 3)
    known = {"held_out": held_out, "classes": ("a", "b", "c")}
    assert measured(InceptionScore(), held_out, points(rows), **known)["inception_score"] == pytest.approx(3, abs=0.15)
    alone = measured(InceptionScore(), held_out, points(rows[::3]), **known)["inception_score"]
    assert alone == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("count", [80, 160])
def test_the_topology_of_a_ring_is_seen_where_half_of_it_is_missing(count):
    pytest.importorskip("gudhi")
    from tvir.evaluation.metrics.mtop_div import topology_divergence

    def ring(seed, share=1.0):
        angles = 2 * np.pi * share * np.random.default_rng(seed).random(count)
        return torch.tensor(np.stack([np.cos(angles), np.sin(angles)], 1))

    honest = topology_divergence(ring(0), ring(1))
    assert topology_divergence(ring(0), ring(0)) == pytest.approx(0.0, abs=1e-9)
    assert topology_divergence(ring(0), ring(1, share=0.5)) > 2 * honest
    assert topology_divergence(ring(0), ring(1)) == pytest.approx(topology_divergence(3 * ring(0), 3 * ring(1)))
