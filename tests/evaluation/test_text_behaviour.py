"""What metrics see of known perturbations of text, and what they are blind to."""

import pytest
from expectations import EXPECTED_OF_TEXT
from text_made_up import SPEC, sentence_dataset, tokens_of

from tvir.evaluation.behaviour import Observing
from tvir.evaluation.perturbations import Material
from tvir.evaluation.scorecard import find_metrics
from tvir.evaluation.text_perturbations import TEXT_PERTURBATIONS, encoded

COUNT = 250


@pytest.fixture(scope="module")
def observed():
    """Every perturbation measured once, by the metrics that something is expected of."""
    wanted = {metric for expected in EXPECTED_OF_TEXT.values() for metric, _ in expected}
    metrics = [metric for metric in find_metrics() if wanted & {quantity.name for quantity in metric.quantities}]
    return Observing(sentence_dataset(train=300, other=2 * COUNT), count=COUNT, metrics=metrics).observe()


CASES = [(name, metric, space, to) for name, keys in EXPECTED_OF_TEXT.items() for (metric, space), to in keys.items()]


@pytest.mark.slow
@pytest.mark.parametrize(("perturbation", "metric", "space", "expected"), CASES)
def test_a_perturbation_moves_what_must_move_and_nothing_else(observed, perturbation, metric, space, expected):
    key = metric, space
    moved = observed.movement(perturbation, key)
    assert (moved or "same").removeprefix("much ") == expected, (
        f"{observed.perturbed[perturbation][key]} beside honest {sorted(observed.honest[key])}"
    )


def test_every_perturbation_of_text_has_expectations():
    assert EXPECTED_OF_TEXT.keys() == TEXT_PERTURBATIONS.keys()


@pytest.mark.parametrize("name", TEXT_PERTURBATIONS)
def test_perturbed_sets_are_texts_of_the_asked_number_and_always_the_same(name):
    data = sentence_dataset(train=40, other=80)
    material = Material(rows=data.test.rows, labels=None, train=data.train.rows, count=40, spec=SPEC)
    made = TEXT_PERTURBATIONS[name](material)
    assert made.shape == material.honest.shape
    assert (made == TEXT_PERTURBATIONS[name](material)).all()
    assert (made != material.honest).any()


def test_what_is_not_in_the_vocabulary_cannot_be_written():
    assert (encoded(SPEC, ["ab."]) == tokens_of(["ab."])).all()
    with pytest.raises(ValueError, match="'é' has no token of its own"):
        encoded(SPEC, ["é"])
