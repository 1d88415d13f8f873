"""Spectra, distances within a set, and what is learnt from generated examples."""

import numpy as np
import pytest
import torch
from synthetic import blobs, measured, normal, points

from tvir.contracts.data import ImageSpec
from tvir.contracts.metric import Context, Points
from tvir.evaluation.metrics.covariance_spectrum_ratio import CovarianceSpectrumRatio
from tvir.evaluation.metrics.pairwise_distance_w1 import PairwiseDistanceW1
from tvir.evaluation.metrics.spectrum_w1 import SpectrumW1, radial_spectrum
from tvir.evaluation.metrics.tstr_gap import TstrGap


def images(rows):
    return Points(rows=rows, features={})


def waves(frequency, side=32):
    wave = 127 + 100 * np.cos(2 * np.pi * frequency * np.arange(side) / side)
    return images(np.broadcast_to(wave[None, :, None, None], (3, side, side, 1)).astype(np.uint8))


@pytest.mark.parametrize("frequency", [2, 5, 12])
def test_a_wave_has_its_power_in_the_ring_of_its_frequency(frequency):
    shares = radial_spectrum(waves(frequency))
    assert int(shares.argmax()) == frequency
    assert float(shares[frequency]) > 0.98


def test_spectra_of_two_waves_are_as_far_apart_as_their_frequencies():
    (_, _, value), *_ = SpectrumW1().measure(waves(4), waves(12), None)
    assert value == pytest.approx(8 / 17, rel=0.03)


@pytest.mark.parametrize("shape", [(9, 16), (16, 9), (8, 8)])
def test_the_half_spectrum_counts_every_frequency_once(shape):
    rows = np.random.default_rng(0).integers(0, 256, (20, *shape, 3)).astype(np.uint8)
    assert torch.allclose(
        radial_spectrum(images(rows)), radial_spectrum(images(rows.transpose(0, 2, 1, 3).copy())), rtol=1e-4
    )


def test_blur_is_seen_and_honest_images_are_not():
    real, honest = blobs(200, seed=0)[0], blobs(200, seed=1)[0]
    blurred = ((honest.astype(float) + np.roll(honest, 1, 1) + np.roll(honest, 1, 2)) / 3).astype(np.uint8)
    values = [next(SpectrumW1().measure(images(real), images(rows), None))[2] for rows in (honest, blurred)]
    assert values[1] > 5 * values[0]


def test_constant_images_have_no_spectrum():
    with pytest.raises(ValueError, match="constant"):
        radial_spectrum(images(np.full((4, 8, 8, 1), 9, np.uint8)))


def test_only_images_have_spectra():
    assert SpectrumW1().applies(None, Context(spec=ImageSpec(channels=1, height=8, width=8), train=None, held_out=None))


def test_a_set_twice_as_wide_has_distances_twice_as_large():
    x = normal(500, 6)
    assert measured(PairwiseDistanceW1(), points(x), points(2 * x))["pairwise_distance_w1"] == pytest.approx(
        1, rel=1e-5
    )
    assert measured(PairwiseDistanceW1(), points(x), points(x + 9))["pairwise_distance_w1"] < 1e-5


def test_equal_distributions_have_nearly_equal_distances():
    found = measured(PairwiseDistanceW1(), points(normal(2000, 6)), points(normal(2000, 6, seed=1)))
    assert found["pairwise_distance_w1"] < 0.02


def test_scaling_divides_the_covariance_spectrum_by_its_square():
    x = normal(400, 5)
    ratio = {scale: measured(CovarianceSpectrumRatio(), points(x), points(scale * x)) for scale in (0.5, 1, 2)}
    assert [found["covariance_spectrum_ratio"] for found in ratio.values()] == pytest.approx([0.25, 1, 0.25], rel=1e-5)


def test_a_lost_direction_takes_the_ratio_to_nothing():
    x, flat = normal(400, 5), normal(400, 5, seed=1)
    flat[:, 0] = 0
    assert measured(CovarianceSpectrumRatio(), points(x), points(flat))["covariance_spectrum_ratio"] < 1e-6


def labelled(count, seed, *, shuffled=False):
    labels = np.random.default_rng(seed).integers(3, size=count)
    rows = normal(count, 4, seed=seed).numpy() + 3 * np.eye(4)[labels]
    given = np.random.default_rng(9).permutation(labels) if shuffled else labels
    return points(rows, labels=given, predicted=given)


def test_honest_examples_teach_as_much_as_real_ones_and_mislabelled_ones_nothing():
    classes = ("a", "b", "c")
    real = labelled(600, 0)
    honest = measured(TstrGap(), real, labelled(600, 1), classes=classes)["tstr_gap"]
    misled = measured(TstrGap(), real, labelled(600, 1, shuffled=True), classes=classes)["tstr_gap"]
    assert abs(honest) < 0.05
    assert misled > 0.35


def test_too_few_labels_are_refused():
    with pytest.raises(ValueError, match="labelled points"):
        measured(TstrGap(), labelled(30, 0), labelled(30, 1), classes=("a", "b", "c"))
