"""What metrics see of known perturbations of real digits, and what they are blind to."""

import numpy as np
import pytest
from expectations import EXPECTED

from tvir.contracts.metric import Direction
from tvir.data.opening import open_dataset
from tvir.evaluation.behaviour import Observing, dealt_anew, movement
from tvir.evaluation.perturbations import PERTURBATIONS, Material, copies, mode_dropped, mode_invented, modes_thinned
from tvir.evaluation.scorecard import find_metrics

COUNT = 350


@pytest.fixture(scope="module")
def observed():
    """Every perturbation measured once, by the metrics that something is expected of."""
    wanted = {metric for expected in EXPECTED.values() for metric, _ in expected}
    metrics = [metric for metric in find_metrics() if wanted & {quantity.name for quantity in metric.quantities}]
    return Observing(dealt_anew(open_dataset("digits"), count=COUNT), count=COUNT, metrics=metrics).observe()


CASES = [(name, metric, space, to) for name, keys in EXPECTED.items() for (metric, space), to in keys.items()]


@pytest.mark.slow
@pytest.mark.parametrize(("perturbation", "metric", "space", "expected"), CASES)
def test_a_perturbation_moves_what_must_move_and_nothing_else(observed, perturbation, metric, space, expected):
    key = metric, space
    moved = observed.movement(perturbation, key)
    assert (moved or "same").removeprefix("much ") == expected, (
        f"{observed.perturbed[perturbation][key]} beside honest {sorted(observed.honest[key])}"
    )


def test_every_perturbation_has_expectations():
    assert EXPECTED.keys() == PERTURBATIONS.keys()


def test_a_value_has_moved_where_it_lies_a_whole_honest_range_outside_it():
    honest = [10.0, 11.0, 12.0]
    assert movement(13.9, honest, Direction.LOWER) is None
    assert movement(14.1, honest, Direction.LOWER) == "worse"
    assert movement(22.1, honest, Direction.LOWER) == "much worse"
    assert movement(7.9, honest, Direction.LOWER) == "better"
    assert movement(9.0, [10.0, 10.0], Direction.HIGHER) == "worse"


@pytest.fixture(scope="module")
def material():
    dataset = dealt_anew(open_dataset("digits"), count=COUNT)
    rows = np.concatenate([dataset.validation.rows, dataset.test.rows])[: 2 * COUNT]
    labels = np.concatenate([dataset.validation.labels, dataset.test.labels])[: 2 * COUNT]
    return Material(rows=rows, labels=labels, train=dataset.train.rows, count=COUNT)


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_perturbed_sets_are_images_of_the_asked_number_and_always_the_same(material, name):
    made = PERTURBATIONS[name](material)
    assert made.shape == material.honest.shape
    assert made.dtype == np.uint8
    assert (made == PERTURBATIONS[name](material)).all()
    assert (made != material.honest).any()


def inside(rows, others):
    known = {row.tobytes() for row in others}
    return sum(row.tobytes() in known for row in rows)


@pytest.mark.parametrize("share", [0.01, 0.05, 0.2])
def test_copies_are_training_images_bit_for_bit(material, share):
    assert inside(copies(share)(material), material.train) == round(share * COUNT)


@pytest.mark.parametrize("perturb", [mode_dropped, modes_thinned])
def test_what_loses_variety_holds_real_images_only(material, perturb):
    assert inside(perturb(material), material.rows) == COUNT


def test_nine_in_ten_stay_honest_beside_an_invented_mode(material):
    assert inside(mode_invented(material), material.rows) >= 0.9 * COUNT
