from dataclasses import replace

import numpy as np
import pytest

import tvir
from tvir.contracts.errors import UsageError
from tvir.evaluation.scorecard import from_json
from tvir.workflows.evaluate import judge_run

SMALL = {"width": 2, "latent": 2, "batch_size": 4}


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """A run on a toy: judging points needs no classifier."""
    run = tvir.train("vae", "ring8", budget="5steps", config=SMALL, out=tmp_path_factory.mktemp("judged") / "run")
    return run, run.evaluate(limit=200)


def test_the_card_and_the_report_lie_in_the_run(judged):
    run, card = judged
    assert from_json(run.folder.scorecard_path.read_bytes()) == card
    assert {"modes_found", "mmd_rbf"} <= {score.metric for score in card.scores}
    report = run.folder.report_path.read_text("utf-8")
    assert "ring8" in report
    assert "http://" not in report.replace("http://www.w3.org", "")


def without_speed(card):
    """The clock is the one judge that never says the same twice."""
    return replace(card, scores=tuple(score for score in card.scores if score.metric != "samples_per_second"))


def test_judging_again_gives_the_same_card(judged):
    run, card = judged
    assert without_speed(tvir.evaluate(run.path, limit=200)) == without_speed(card)


def test_what_is_judged_does_not_depend_on_how_often_samples_were_drawn_before(judged):
    run, _ = judged

    class Recording:
        sample_count = 7

        def __init__(self):
            self.rows = []

        def judged(self, rows, **_):
            self.rows.append(rows)

    judge = Recording()
    judge_run(judge, run, run.dataset())
    run.sample(5, seed=9)
    judge_run(judge, tvir.load(run.path), run.dataset())
    assert np.array_equal(*judge.rows)


def test_other_data_gets_files_of_its_own_and_must_have_the_same_shape(judged):
    run, card = judged
    other = tvir.evaluate(run, data="grid25", limit=200)
    assert other != card
    assert (run.path / "scorecard-grid25.json").exists()
    assert without_speed(from_json(run.folder.scorecard_path.read_bytes())) == without_speed(card)
    with pytest.raises(UsageError, match="same shape"):
        tvir.evaluate(run, data="digits")


def test_other_latents_are_judged_in_files_of_their_own(judged):
    run, card = judged
    other = tvir.evaluate(run, limit=200, latent="kernel:neighbours=3")
    assert other.subject == f"{card.subject}, latents: kernel:neighbours=3"
    assert from_json((run.path / "scorecard-kernel.json").read_bytes()) == other
    assert [score.value for score in other.scores] != [score.value for score in card.scores]
    assert without_speed(from_json(run.folder.scorecard_path.read_bytes())) == without_speed(card)


def test_a_planned_run_cannot_be_judged(judged, own_vae):
    own_vae.folder.update(status="planned")
    with pytest.raises(UsageError, match="tvir resume"):
        tvir.evaluate(own_vae)
