"""Copies of the training set are counted, honest examples are not."""

import numpy as np
import pytest
import torch
from synthetic import blobs, measured, points

from tvir.contracts.metric import Points
from tvir.evaluation.metrics.copy_rate import CopyRate, row_distances

COUNT = 1000


def images(count, seed):
    rows, _ = blobs(count, seed=seed)
    return Points(rows=rows, features={"pixels@test": rows.reshape(count, -1).astype(np.float32) / 255})


def rate(generated, train, real=None):
    return measured(CopyRate(), real or images(COUNT, 2), generated, train=train)["copy_rate"]


def mixed(train, share, noise=0):
    rows = images(COUNT, 3).rows.copy()
    copies = int(share * COUNT)
    drawing = np.random.default_rng(0)
    copied = train.rows[drawing.permutation(len(train))[:copies]].astype(int)
    rows[:copies] = np.clip(copied + drawing.integers(-noise, noise + 1, copied.shape), 0, 255).astype(np.uint8)
    return Points(rows=rows, features={"pixels@test": rows.reshape(COUNT, -1).astype(np.float32) / 255})


@pytest.fixture(scope="module")
def train():
    return images(2000, 0)


def test_honest_examples_score_about_one_in_a_hundred(train):
    assert rate(images(COUNT, 3), train) == pytest.approx(0.01, abs=0.012)


@pytest.mark.parametrize("share", [0.05, 0.2, 1.0])
@pytest.mark.parametrize("noise", [0, 3])
def test_copies_are_counted_even_when_lightly_disturbed(train, share, noise):
    found = rate(mixed(train, share, noise), train)
    assert found == pytest.approx(share + 0.01 * (1 - share), abs=0.012)


def test_exact_copies_count_where_real_examples_repeat_the_training_set():
    """Duplicates across splits bring the threshold to 0; an exact copy is one all the same."""
    train = points(np.arange(20.0).reshape(10, 2))
    assert measured(CopyRate(), train, train, train=train)["copy_rate"] == 1.0


def test_distance_is_decided_on_the_rows_in_float64():
    rows = np.array([[200, 100], [3, 4]], dtype=np.uint8)
    train = np.array([[200, 100], [0, 0], [255, 255]], dtype=np.uint8)
    found = row_distances(rows, train, torch.tensor([[0, 1], [2, 1]]))
    assert found.tolist() == [0.0, pytest.approx(12.5**0.5)]


def test_few_reference_points_are_named():
    few = images(50, 2)
    (doubt,) = CopyRate().doubts(few, few, None)
    assert "only 50" in doubt
