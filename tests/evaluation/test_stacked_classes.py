"""A thousand classes told by a classifier of ten, and what a perfect model of them scores."""

import numpy as np
import pytest
from synthetic import points

from tvir.contracts.data import Dataset, Examples, ImageSpec
from tvir.contracts.metric import Context
from tvir.data import stacked
from tvir.data.opening import open_dataset
from tvir.evaluation.features import classifier
from tvir.evaluation.features.classifier import Classifier
from tvir.evaluation.features.pixels import Pixels
from tvir.evaluation.histograms import independent_counts
from tvir.evaluation.metrics.class_histogram import ClassHistogram
from tvir.evaluation.scorecard import Judge

STACKS = ImageSpec(
    channels=3, height=8, width=8, channel_classes=tuple("0123456789"), classes=tuple(f"{n:03}" for n in range(1000))
)


def silent(description, done, total):
    pass


@pytest.fixture(scope="module")
def stacks():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stacked, "_COUNTS", (("train", 1000), ("validation", 400), ("test", 400)))
        return open_dataset("stacked:digits")


@pytest.fixture(scope="module")
def extractor(stacks):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classifier, "_SEEN", 25_000)
        return Classifier.prepare(stacks, seed=0, report=silent)


def labelled(labels):
    labels = np.asarray(labels, dtype=np.int64)
    return points(np.zeros((len(labels), 1)), predicted=labels)


def scores(real, made):
    known = Context(spec=STACKS, train=labelled([]), held_out=labelled([]))
    return {name: value for name, _, value in ClassHistogram().measure(labelled(real), labelled(made), known)}


def drawn(count, seed, shares=None):
    """Classes of stacks whose channels have these shares of the ten digits."""
    parts = np.random.default_rng(seed).choice(10, p=shares, size=(3, count))
    return np.ravel_multi_index(tuple(parts), (10, 10, 10))


@pytest.mark.parametrize("shares", [None, np.arange(5, 15) / 95])
def test_a_perfect_model_finds_all_modes_and_diverges_by_half_the_classes_over_the_samples(shares):
    count = 100_000
    found = scores(drawn(count, 0, shares), drawn(count, 1, shares))
    assert found["mode_count"] == 1000
    assert found["class_kl"] == pytest.approx(999 / (2 * count), rel=0.15)


def test_channels_that_depend_on_each_other_are_seen_though_each_has_all_its_classes():
    real, digit = drawn(20_000, 0), np.random.default_rng(1).integers(10, size=20_000)
    found = scores(real, digit * 111)
    assert found["mode_count"] == 10
    assert found["class_kl"] == pytest.approx(np.log(100), rel=0.02)


def test_a_digit_that_one_channel_never_has_costs_a_tenth_of_the_modes():
    made = drawn(50_000, 1)
    found = scores(drawn(50_000, 0), made[made >= 100])
    assert found["mode_count"] == 900
    assert found["class_kl"] == pytest.approx(np.log(10 / 9) + 999 / 1e5, rel=0.1)


def test_counts_of_independent_parts_keep_the_shares_of_each_part():
    counts = np.random.default_rng(0).integers(1, 9, size=24).astype(float)
    found = independent_counts(counts, (2, 3, 4)).reshape(2, 3, 4)
    for axes in ((1, 2), (0, 2), (0, 1)):
        assert np.allclose(found.sum(axes), counts.reshape(2, 3, 4).sum(axes))


def test_the_classifier_learns_ten_classes_and_names_a_thousand(stacks, extractor):
    assert extractor._head.out_features == 10
    features = extractor.features(stacks.test.rows)
    assert features.shape == (400, 3 * classifier.FEATURES)
    named = np.stack(np.unravel_index(extractor.classify(features), (10, 10, 10)))
    truth = np.stack(np.unravel_index(np.asarray(stacks.test.labels), (10, 10, 10)))
    assert (named == truth).mean() > 0.85


def test_a_channel_is_looked_at_by_itself(stacks, extractor):
    rows = np.asarray(stacks.test.rows[:8])
    apart = np.split(extractor.features(rows), 3, axis=1)
    turned = np.split(extractor.features(rows[..., ::-1]), 3, axis=1)
    assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(apart, turned[::-1], strict=True))


def test_another_way_of_looking_has_another_name(stacks, extractor):
    plain = Classifier(stacks.spec.channel, extractor._network, extractor._head)
    assert plain.name != extractor.name


@pytest.mark.slow
def test_a_scorecard_shows_the_modes_beside_the_floor_and_trains_nothing_on_a_thousand_classes(stacks, extractor):
    few = Examples(stacks.spec, np.asarray(stacks.train.rows[:200]), np.asarray(stacks.train.labels[:200]))
    small = Dataset(reference="s", fingerprint="s", train=few, validation=stacks.validation, test=stacks.test)
    pixels = Pixels.prepare(small, seed=0, report=silent)
    judge = Judge(small, limit=200, extractors=[pixels, extractor])
    card = judge.judge(np.asarray(stacks.train.rows[200:400]), subject="real digits")
    found = {score.metric: score for score in card.scores}
    assert 100 < found["mode_count"].value < 200
    assert found["mode_count"].floor == pytest.approx(found["mode_count"].value, rel=0.15)
    assert found["class_kl"].value == pytest.approx(found["class_kl"].floor, rel=0.2)
    assert not {"tstr_gap", "inception_score"} & found.keys()
    assert sum("not made of parts" in finding for finding in card.findings) == 2
