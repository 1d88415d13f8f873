from pathlib import Path

import pytest

from tvir.comparison.protocol import plan_trials
from tvir.contracts.errors import UsageError


def test_every_model_gets_every_seed_in_a_folder_of_its_own():
    trials = plan_trials(["vae", "gan"], [0, 1, 2], Path("out"))
    assert {(trial.model, trial.seed) for trial in trials} == {(m, s) for m in ("vae", "gan") for s in (0, 1, 2)}
    assert len({trial.path for trial in trials}) == 6


def test_a_plan_cut_short_has_all_models_on_its_first_seed():
    trials = plan_trials(["vae", "gan", "unbalanced-gan"], [5, 6], Path("out"))
    assert [trial.model for trial in trials[:3]] == ["vae", "gan", "unbalanced-gan"]
    assert {trial.seed for trial in trials[:3]} == {5}


def test_contestants_that_differ_in_settings_have_folders_that_any_system_allows():
    trials = plan_trials(["gan", "gan:loss=hinge,width=8", "gan:loss=r1"], [0], Path("out"))
    assert [trial.path.parent.name for trial in trials] == ["gan", "gan-loss=hinge,width=8", "gan-loss=r1"]


def test_settings_reach_only_the_model_they_are_given_for():
    trials = plan_trials(["vae", "gan"], [0], Path("out"), configs={"vae": {"width": 8}})
    assert [dict(trial.config) for trial in trials] == [{"width": 8}, {}]


def test_planning_touches_no_disk(tmp_path):
    plan_trials(["vae"], [0], tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("models", "seeds", "configs", "what"),
    [
        ([], [0], {}, "needs a model"),
        (["vae"], [], {}, "needs a seed"),
        (["vae", "vae"], [0], {}, "vae is named twice"),
        (["vae"], [1, 1], {}, "seed 1 is named twice"),
        (["vae"], [0], {"gan": {}}, "'gan'"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_line(models, seeds, configs, what):
    with pytest.raises(UsageError, match=what) as caught:
        plan_trials(models, seeds, Path("out"), configs=configs)
    assert "\n" not in str(caught.value)
