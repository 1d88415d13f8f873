"""Counts of classes and of a toy's modes are exact."""

import numpy as np
import pytest
from synthetic import measured, points, ring

from tvir.evaluation.histograms import histogram_divergence
from tvir.evaluation.metrics.class_histogram import ClassHistogram
from tvir.evaluation.metrics.high_quality_share import HighQualityShare
from tvir.evaluation.metrics.modes_found import ModesFound
from tvir.evaluation.metrics.reverse_kl import ReverseKl


def labelled(labels):
    return points(np.zeros((len(labels), 2)), predicted=np.asarray(labels, dtype=np.int64))


def toy(metric, rows, modes):
    (value,) = measured(metric, points(rows), points(rows), modes=modes).values()
    return value


def test_a_dropped_class_costs_the_logarithm_of_what_is_left():
    found = measured(ClassHistogram(), labelled([0, 1, 2, 3] * 5), labelled([0, 1] * 10), classes=tuple("abcd"))
    assert found == {"mode_count": 2.0, "class_kl": pytest.approx(np.log(2))}


def test_one_mistaken_point_does_not_make_a_class():
    real, made = [0] * 50 + [1] * 50, [0] * 99 + [1]
    assert measured(ClassHistogram(), labelled(real), labelled(made), classes=tuple("ab"))["mode_count"] == 1
    made = [0] * 90 + [1] * 10
    assert measured(ClassHistogram(), labelled(real), labelled(made), classes=tuple("ab"))["mode_count"] == 2


def test_equal_histograms_have_no_divergence():
    found = measured(ClassHistogram(), labelled([0, 1, 1]), labelled([1, 1, 0] * 4), classes=tuple("ab"))
    assert found == {"mode_count": 2.0, "class_kl": pytest.approx(0.0)}


def test_a_class_the_real_set_lacks_keeps_the_divergence_finite_and_positive():
    found = measured(ClassHistogram(), labelled([0] * 50), labelled([1] * 50), classes=tuple("ab"))
    assert found["class_kl"] == pytest.approx(np.log(51 / 0.5))


def test_a_perfect_model_of_a_thousand_modes_has_the_known_divergence():
    """Stacked MNIST: about (K - 1) / (2n)."""
    drawing = np.random.default_rng(0)
    counts = np.bincount(drawing.integers(1000, size=26_000), minlength=1000).astype(float)
    assert histogram_divergence(counts, np.ones(1000)) == pytest.approx(999 / 52_000, rel=0.1)
    assert (counts > 0).sum() == 1000


def test_the_metric_needs_a_classifier():
    unlabelled = points(np.zeros((3, 2)))
    assert not ClassHistogram().applies(unlabelled, None)


def test_a_perfect_ring_has_all_modes_and_the_mass_within_three_sigma():
    rows, _, modes = ring(20_000)
    assert toy(ModesFound(), rows, modes) == 8
    assert toy(HighQualityShare(), rows, modes) == pytest.approx(1 - np.exp(-4.5), abs=0.003)
    assert toy(ReverseKl(), rows, modes) == pytest.approx(7 / 40_000, abs=5e-4)


def test_half_a_ring_has_half_the_modes_and_costs_log_two():
    rows, _, modes = ring(4000, kept=4)
    assert toy(ModesFound(), rows, modes) == 4
    assert toy(ReverseKl(), rows, modes) == pytest.approx(np.log(2), abs=2e-3)


def test_points_four_sigma_away_find_nothing():
    _, _, modes = ring(1)
    rows = modes.centres + np.array([0.0, 4 * modes.sigma])
    assert toy(ModesFound(), rows, modes) == 0
    assert toy(HighQualityShare(), rows, modes) == 0
    assert toy(ReverseKl(), rows, modes) == pytest.approx(0.0)
