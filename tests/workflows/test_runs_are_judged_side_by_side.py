"""Several judges of one comparison come to what one would have come to."""

from __future__ import annotations

import pytest

import tvir
from tvir.contracts.errors import TvirError
from tvir.contracts.run import RunFolder
from tvir.evaluation.scorecard import from_json
from tvir.workflows.juror import Juror
from tvir.workflows.jury import Jury
from tvir.workflows.trials import Cores

LIMIT = 150


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    place = tmp_path_factory.mktemp("judged")
    return [tvir.train("gaussian", "ring8", budget="1steps", seed=seed, out=place / f"seed{seed}") for seed in range(5)]


def jury(runs, jobs, told, pictured=()):
    dataset = runs[0].dataset()
    return Jury(dataset, LIMIT, Cores(jobs=jobs, threads=1), told.append, None, pictured)


def test_two_judges_find_what_one_does_and_count_every_run_once(runs):
    told, alone = [], []
    both, one = jury(runs, 2, told, {runs[0].path}), jury(runs, 1, alone)
    for run in runs:
        both.receive(run.path)
        one.receive(run.path)
    found, expected = both.cards(), one.cards()
    assert told == alone == [1, 2, 3, 4, 5]
    assert found.keys() == expected.keys()
    for path, card in found.items():
        values = {(score.metric, score.space): score.value for score in card.scores}
        for score in expected[path].scores:
            if "seconds" not in score.metric and "per_second" not in score.metric:  # what a clock says differs
                assert values[score.metric, score.space] == pytest.approx(score.value, rel=1e-5, abs=1e-7), score
    assert set(both.evidence) == {runs[0].path}
    assert both.floor_spreads() == pytest.approx(one.floor_spreads())


def test_a_juror_writes_the_card_beside_its_run(runs):
    juror = Juror(LIMIT, [], 1)
    try:
        card = juror.judge(runs[1].path)
    finally:
        juror.dismiss()
    assert card == from_json(RunFolder(runs[1].path).scorecard_path.read_bytes())


def test_a_juror_that_cannot_go_on_says_why(tmp_path):
    juror = Juror(LIMIT, [], 1)
    with pytest.raises(TvirError, match=r"could not be judged: .*nowhere"):
        juror.judge(tmp_path / "nowhere")
    juror.dismiss()
