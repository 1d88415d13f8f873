"""A scorecard shows every score beside its floor and says what it left out."""

import json

import numpy as np
import pytest
import torch
from synthetic import blobs, image_dataset, ring, ring_dataset
from torch.distributions import Normal

from tvir.contracts.data import Dataset, Examples
from tvir.contracts.errors import UsageError
from tvir.contracts.metric import Axis, Direction, Metric, Points, Quantity
from tvir.contracts.model import EncodesData
from tvir.evaluation.remembering import remembered
from tvir.evaluation.scorecard import Judge, find_metrics, find_model_metrics, from_json, to_json


@pytest.fixture(scope="module")
def bands():
    return image_dataset()


@pytest.fixture(scope="module")
def judge(bands):
    return Judge(bands)


def value(card, metric, space=""):
    (found,) = [s for s in card.scores if s.metric == metric and s.space.startswith(space)]
    return found


def test_every_metric_is_found_and_says_what_it_is():
    found = [*find_metrics(), *find_model_metrics()]
    names = [quantity.name for metric in found for quantity in metric.quantities]
    assert len(names) == len(set(names))
    assert {"frechet_distance", "mmd_rbf", "density", "coverage", "class_kl", "copy_rate", "modes_found"} <= set(names)
    for metric in found:
        for part in ("Reference:", "Sample size:", "Known failure:"):
            assert part in (type(metric).__doc__ or ""), f"{type(metric).__name__} lacks {part}"


def test_an_honest_generator_scores_its_floor(judge, bands):
    card = judge.judge(blobs(200, seed=9)[0], subject="honest")
    assert value(card, "mode_count").value == 3
    for metric, space, slack in [
        ("coverage", "pixels", 0.1),
        ("coverage", "classifier", 0.1),
        ("density", "pixels", 0.3),
    ]:
        score = value(card, metric, space)
        assert score.value == pytest.approx(score.floor, abs=slack)
    assert value(card, "copy_rate").value < 0.06
    assert value(card, "frechet_distance", "pixels").value < 2 * value(card, "frechet_distance", "pixels").floor


def test_the_held_out_split_scores_exactly_the_floor(judge, bands):
    card = judge.judge(bands.validation.rows, subject="floor", labels=bands.validation.labels)
    for score in card.scores:
        # Those left out draw from what they are given by its order, which is another one here.
        drawing = ("c2st_accuracy", "pairwise_distance_w1", "tstr_gap", "ms_ssim_diversity")
        if score.floor is not None and score.metric not in drawing:
            assert score.value == pytest.approx(score.floor, rel=1e-4, abs=1e-6), score.metric


def test_noise_is_far_from_the_floor(judge):
    noise = np.random.default_rng(0).integers(0, 256, size=(200, 10, 10, 1)).astype(np.uint8)
    card = judge.judge(noise, subject="noise")
    for space in ("pixels", "classifier"):
        frechet, mmd = value(card, "frechet_distance", space), value(card, "mmd_rbf", space)
        assert frechet.value > 3 * frechet.floor
        assert mmd.value > 10 * abs(mmd.floor)
        assert value(card, "coverage", space).value < 0.2


def test_the_training_set_itself_is_caught(judge, bands):
    card = judge.judge(bands.train.rows[:200], subject="copies")
    assert value(card, "copy_rate").value == 1.0
    assert value(card, "copy_rate").floor < 0.06


def test_one_class_alone_is_seen(judge, bands):
    rows, labels = blobs(900, seed=5)
    card = judge.judge(rows[labels == 1][:200], subject="collapsed")
    assert value(card, "mode_count").value <= 2
    assert value(card, "class_kl").value > 0.8
    assert value(card, "coverage", "classifier").value < 0.6


def test_a_space_is_named_by_extractor_and_hash(judge):
    card = judge.judge(blobs(200, seed=9)[0], subject="honest")
    spaces = {score.space for score in card.scores}
    assert {space.split("@")[0] for space in spaces} == {"-", "pixels-pca64", "classifier", "random5"}
    assert all(space == "-" or len(space.split("@")[1]) == 8 for space in spaces)


def test_json_has_the_documented_shape_and_comes_back_equal(judge):
    card = judge.judge(blobs(200, seed=9)[0], subject="honest")
    read = json.loads(to_json(card))
    assert list(read) == ["schema", "subject", "reference", "scores", "findings"]
    assert read["schema"] == 1
    assert list(read["scores"][0]) == [
        "axis",
        "metric",
        "space",
        "value",
        "interval",
        "floor",
        "better",
        "n_real",
        "n_generated",
    ]
    assert from_json(to_json(card)) == card


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b'{"schema": 2, "subject": "", "reference": ""}', b'{"subject": "", "reference": "", "more": 1}'],
)
def test_other_json_is_no_scorecard(content):
    with pytest.raises(UsageError, match="cannot be read as a scorecard"):
        from_json(content)


def test_a_number_that_is_not_finite_is_no_score(judge):
    card = to_json(judge.judge(blobs(200, seed=9)[0], subject="honest"))
    first = json.loads(card)
    first["scores"][0]["value"] = float("nan")
    with pytest.raises(UsageError):
        from_json(json.dumps(first).encode())


def test_fewer_examples_are_compared_with_as_few_and_it_is_said(judge):
    card = judge.judge(blobs(30, seed=9)[0], subject="few")
    assert {(score.n_real, score.n_generated) for score in card.scores} == {(30, 30)}
    assert any("only 30 generated examples" in finding for finding in card.findings)
    assert any("30 points in 64 dimensions" in finding for finding in card.findings)


def test_fewer_examples_than_neighbours_leave_only_that_metric_out(judge):
    card = judge.judge(blobs(4, seed=9)[0], subject="four")
    assert not [score for score in card.scores if score.metric == "coverage"]
    assert any("coverage" in finding and "at least 6" in finding for finding in card.findings)
    assert value(card, "mode_count").n_generated == 4


def test_one_or_no_examples_give_findings_and_no_error(judge):
    assert any("at least 2" in finding for finding in judge.judge(blobs(1, seed=0)[0], subject="one").findings)
    empty = judge.judge(blobs(0, seed=0)[0], subject="none")
    assert not empty.scores
    assert "there are no generated examples" in empty.findings[-1]


def test_a_constant_generator_is_judged_without_an_error(judge):
    card = judge.judge(np.full((200, 10, 10, 1), 90, dtype=np.uint8), subject="constant")
    assert value(card, "frechet_distance", "pixels").value > 10 * value(card, "frechet_distance", "pixels").floor
    assert value(card, "coverage", "pixels").value < 0.2


@pytest.mark.parametrize("rows", [np.zeros((5, 10, 9, 1), np.uint8), np.zeros((5, 10, 10, 1), np.float32)])
def test_rows_of_another_shape_or_type_are_refused(judge, rows):
    with pytest.raises(UsageError, match="holds uint8 of shape"):
        judge.judge(rows, subject="wrong")


def test_the_spread_of_a_floor_is_its_standard_error():
    count = 4_000
    spreads = Judge(ring_dataset(count)).floor_spreads()
    (found,) = [spread for (metric, _), spread in spreads.items() if metric == "high_quality_share"]
    inside = 1 - np.exp(-4.5)  # of a normal distribution in the plane, within three sigma
    assert 0.4 < found / np.sqrt(inside * (1 - inside) / count) < 2.0


def test_toys_are_judged_by_their_truth():
    judge = Judge(ring_dataset())
    card = judge.judge(ring(300, seed=7, kept=6)[0], subject="six of eight")
    assert value(card, "modes_found").value == 6
    assert value(card, "modes_found").floor == 8
    assert value(card, "high_quality_share").value > 0.95
    assert value(card, "reverse_kl").value == pytest.approx(np.log(8 / 6), abs=0.05)
    assert value(card, "coverage", "vectors@").value < value(card, "coverage", "vectors@").floor
    assert any("mode_count, class_kl: left out" in finding for finding in card.findings)


def test_examples_that_are_not_numbers_are_not_measured():
    rows = ring(300, seed=7)[0]
    rows[3] = np.nan
    card = Judge(ring_dataset()).judge(rows, subject="diverged")
    assert not card.scores
    assert "1 of 300 generated examples hold NaN or infinity" in card.findings[-1]


def test_labels_missing_is_said():
    card = Judge(image_dataset(train=100, other=40, labelled=False)).judge(blobs(40, seed=5)[0], subject="unlabelled")
    assert any("needs a classifier" in finding for finding in card.findings)
    assert not [score for score in card.scores if score.metric == "class_kl"]


def test_an_empty_validation_split_is_said():
    whole = ring_dataset(20)
    nothing = Examples(whole.spec, np.zeros((0, 2), dtype=np.float32))
    dataset = Dataset(
        reference="ring", fingerprint="r", train=whole.train, validation=nothing, test=whole.test, modes=whole.modes
    )
    judge = Judge(dataset)
    assert judge.sample_count == 0
    assert "split is empty" in judge.judge(whole.test.rows, subject="any").findings[-1]


def test_the_limit_bounds_both_sides(bands):
    judge = Judge(bands, limit=50)
    assert judge.sample_count == 50
    card = judge.judge(blobs(200, seed=9)[0], subject="many")
    assert {(score.n_real, score.n_generated) for score in card.scores} == {(50, 50)}


def test_a_metric_that_fails_becomes_a_finding(judge, monkeypatch):
    class Broken(Metric):
        quantities = (Quantity("broken", Axis.FIDELITY, Direction.LOWER),)

        def applies(self, real, context):
            return True

        def measure(self, real, generated, context):
            raise ValueError("cannot be computed\nhere")
            yield

    monkeypatch.setattr(judge, "_metrics", [Broken()])
    card = judge.judge(blobs(200, seed=9)[0], subject="honest")
    assert not card.scores
    assert card.findings[-1] == "broken: left out: cannot be computed"


class Halving(EncodesData):
    """Encodes a vector as itself and decodes half of it."""

    Config = None

    def __init__(self, spec, factor=0.5):
        torch.nn.Module.__init__(self)
        self.spec, self.factor = spec, factor

    latent_shape = (2,)

    def encode(self, examples, condition=None):
        return Normal(examples, torch.ones_like(examples))

    def decode(self, latents, condition=None):
        return latents * self.factor

    def sample_prior(self, noise, condition=None):
        return noise.normal(2)

    def stages(self):
        return ()

    def diagram(self):
        raise NotImplementedError


def test_reconstruction_error_is_the_mean_square_per_number():
    dataset = ring_dataset(100)
    card = Judge(dataset).judge(ring(100, seed=7)[0], subject="halving", model=Halving(dataset.spec))
    score = value(card, "reconstruction_mse")
    assert score.value == pytest.approx(np.mean((dataset.test.rows.astype(float) / 2) ** 2), rel=1e-5)
    assert score.floor is None


def test_a_reconstruction_that_is_not_finite_becomes_a_finding():
    dataset = ring_dataset(100)
    model = Halving(dataset.spec, factor=float("nan"))
    card = Judge(dataset).judge(ring(100, seed=7)[0], subject="diverged", model=model)
    assert not [score for score in card.scores if score.metric == "reconstruction_mse"]
    assert any("reconstruction_mse: left out" in finding for finding in card.findings)


def test_what_depends_on_one_set_is_computed_once_and_forgotten_with_it():
    import gc
    import weakref

    calls = []

    @remembered
    def size(points, power):
        calls.append(power)
        return len(points) ** power

    points = Points(rows=np.zeros((3, 1)), features={})
    assert [size(points, 2), size(points, 2), size(points, 3)] == [9, 9, 27]
    assert calls == [2, 3]
    gone = weakref.ref(points)
    del points
    gc.collect()
    assert gone() is None
