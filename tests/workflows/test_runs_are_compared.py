import json
import os
import signal

import pytest

import tvir
from tvir.comparison.protocol import Trial
from tvir.contracts.data import TextSpec, VectorSpec
from tvir.contracts.errors import TvirError, UsageError
from tvir.contracts.run import RunFolder
from tvir.data.opening import open_dataset
from tvir.training.memory import TOO_LITTLE
from tvir.training.signals import Interrupted
from tvir.workflows.contest import controls_for, plan_all, read_contestants
from tvir.workflows.planning import plan_run
from tvir.workflows.running import train_all
from tvir.workflows.sizing import match_sizes, measure_sizes
from tvir.workflows.trials import Cores, TrialsObserver, run_trials

SMALL = "width=2,latent=2,batch_size=4"
ASKED = {"data": "ring8", "budget": "3steps", "seeds": 3, "precision": "float32", "limit": 100, "controls": False}


class Listener(TrialsObserver):
    def __init__(self):
        self.begun, self.ends = [], {}

    def started(self, trial):
        self.begun.append(trial.path)

    def ended(self, trial, status, reason):
        self.ends[trial.path] = (status, reason)


class ControlC(Listener):
    """Somebody presses Ctrl-C when the first run has finished."""

    def ended(self, trial, status, reason):
        super().ended(trial, status, reason)
        if len(self.ends) == 1:
            os.kill(os.getpid(), signal.SIGINT)


def _finished(place):
    folders = [RunFolder(path.parent) for path in place.rglob("run.json")]
    return {folder.path: folder.metrics_path.read_bytes() for folder in folders if folder.read().status == "finished"}


@pytest.mark.slow
def test_a_comparison_that_was_interrupted_is_finished_by_the_same_command(tmp_path):
    models, place = [f"vae:{SMALL}", f"gan:{SMALL}"], tmp_path / "out"
    with pytest.raises(Interrupted) as caught:
        tvir.compare(models, out=place, observer=ControlC(), **ASKED)
    assert caught.value.exit_status == 130
    before = _finished(place)
    assert 1 <= len(before) < 6

    listener = Listener()
    comparison = tvir.compare(models, out=place, observer=listener, **ASKED)
    assert len(listener.begun) == 6 - len(before)
    assert not set(listener.begun) & set(before)
    after = _finished(place)
    assert len(after) == 6
    assert all(after[path] == content for path, content in before.items())

    assert [card.subject for card in comparison.cards] == models
    assert all(score.interval is not None for card in comparison.cards for score in card.scores)
    assert comparison.failed == ()
    ledger = json.loads((place / "comparison.json").read_text("utf-8"))
    assert len(ledger["trials"]) == 6
    assert {trial["status"] for trial in ledger["trials"]} == {"finished"}
    assert len({json.dumps(RunFolder(path).read().precision.autocast) for path in after}) == 1
    assert "ring8" in comparison.report_path.read_text("utf-8")

    with pytest.raises(UsageError, match="another budget"):
        tvir.compare(models, out=place, **{**ASKED, "budget": "4steps"})


FAKE = """#!/bin/sh
case "$4" in
    *bad) echo "noise" >&2; echo "tvir: the disk is full" >&2; exit 1 ;;
    *dead) kill -9 $$ ;;
    *) sed -i 's/"planned"/"finished"/' "$4/run.json"; printf "$OMP_NUM_THREADS" > "$4/threads" ;;
esac
"""


def test_a_trial_that_fails_is_named_with_its_reason_and_the_others_go_on(tmp_path, monkeypatch):
    (tmp_path / "python").write_text(FAKE)
    (tmp_path / "python").chmod(0o755)
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    dataset, config = open_dataset("ring8"), {"width": 2, "latent": 2}
    trials = [plan_run("vae", dataset, out=tmp_path / name, config=config) for name in ("bad", "dead", "good", "fine")]
    listener = Listener()
    assert run_trials(trials, Cores(jobs=2, threads=3), listener) is None
    assert {path.name: end for path, end in listener.ends.items()} == {
        "bad": ("failed", "the disk is full"),
        "dead": ("failed", "its process ended with -9"),
        "good": ("finished", None),
        "fine": ("finished", None),
    }
    assert (tmp_path / "fine" / "threads").read_text() == "3"


def test_a_contestant_is_a_model_with_perhaps_some_settings():
    assert read_contestants(["gan", "vae:width=4,batch-size=8"]) == {
        "gan": {},
        "vae:width=4,batch-size=8": {"width": "4", "batch_size": "8"},
    }
    for wrong in (["gan", "gan"], ["vea"], ["vae:widht=3"], ["vae:width=x"]):
        with pytest.raises(UsageError):
            read_contestants(wrong)


def test_controls_are_those_that_can_learn_the_data_and_are_not_asked_for_already():
    everything = set(controls_for(VectorSpec(features=2), []))
    assert {"gaussian", "gaussian-mixture", "kernel-density", "training-copies", "noise"} == everything
    assert set(controls_for(VectorSpec(features=2), ["vae", "noise"])) == everything - {"noise"}
    assert set(controls_for(TextSpec(vocabulary=5, length=3), [])) == {"training-copies", "noise"}


def test_an_impossible_comparison_is_refused_before_anything_is_written(tmp_path):
    for models, wrong in ((["vae"], {"budget": "soon"}), ([], {}), (["vae", "vae"], {}), (["vae"], {"seeds": 0})):
        with pytest.raises(TvirError):
            tvir.compare(models, out=tmp_path / "out", **{**ASKED, **wrong})
    assert not (tmp_path / "out").exists()


SHORT_OF_MEMORY = """#!/bin/sh
if grep -q '"batch_halved": true' "$4/run.json"; then
    sed -i 's/"planned"/"finished"/' "$4/run.json"
else
    sed -i 's/"failure": null/"failure": "{failure}"/' "$4/run.json"; exit 1
fi
"""


@pytest.mark.parametrize(("batch", "status"), [(8, "finished"), (1, "planned")])
def test_a_trial_that_runs_out_of_memory_is_tried_once_more_with_half_of_its_batch(
    tmp_path, monkeypatch, batch, status
):
    (tmp_path / "python").write_text(SHORT_OF_MEMORY.replace("{failure}", TOO_LITTLE))
    (tmp_path / "python").chmod(0o755)
    dataset, trial = open_dataset("ring8"), Trial(model="vae", seed=0, path=tmp_path / "run")
    config = {"width": 2, "latent": 2, "batch_size": batch}
    plan_run("vae", dataset, out=trial.path, config=config, precision="float32")
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    reasons = train_all([trial], Cores(jobs=1, threads=1), TrialsObserver())
    record = RunFolder(trial.path).read()
    assert record.status == status
    assert (reasons == {}) == (batch > 1)
    assert record.batch_halved == (batch > 1)
    assert record.config["batch_size"] == max(1, batch // 2)
    if batch > 1:
        assert record.findings[-1] == "out of memory with a batch of 8: trained with 4 instead"
        same = Trial(model="vae", config=config, seed=0, path=trial.path)
        plan_all([same], dataset, record.budget, "float32", threads=1)  # still the run that was planned


@pytest.mark.slow
def test_a_search_tries_as_many_settings_for_each_and_touches_the_test_split_once(tmp_path):
    models, place = [f"vae:{SMALL}", f"gan:{SMALL},generator_learning_rate=0.001"], tmp_path / "out"
    asked = {**ASKED, "seeds": 1, "trials": 2}
    tvir.compare(models, out=place, **asked)
    ledger = json.loads((place / "comparison.json").read_text("utf-8"))
    attempts = ledger["attempts"]
    assert [attempt["subject"] for attempt in attempts] == [*models, *models]
    assert all(attempt["value"] is not None for attempt in attempts)
    # What a person has set is not searched; the first setting is the model's own.
    assert attempts[0]["settings"].keys() == {"width", "latent", "batch_size"}
    assert attempts[3]["settings"]["generator_learning_rate"] == "0.001"
    assert "critic_learning_rate" in attempts[3]["settings"]
    for number, model in enumerate(models):
        best = min(attempts[number::2], key=lambda attempt: attempt["value"])
        folder = next(trial["path"] for trial in ledger["trials"] if trial["subject"] == model)
        chosen = RunFolder(place / folder).read().config
        assert all(str(chosen[name]) == str(value) for name, value in best["settings"].items())
        assert not (place / attempts[number]["path"] / "scorecard.json").exists()
    lines = (place / "comparison.csv").read_text("utf-8").splitlines()
    assert len(lines) == 1 + sum(len(card["scores"]) for card in ledger["cards"])

    listener = Listener()
    tvir.compare(models, out=place, observer=listener, **{**asked, "seeds": 2})
    assert {path.name for path in listener.begun} == {"seed-1"}
    with pytest.raises(UsageError, match="tries nothing"):
        tvir.compare(models, out=place, **{**asked, "trials": 0})


@pytest.mark.parametrize("match", ["parameters", "flops"])
def test_matched_models_are_as_large_as_the_first_and_what_was_set_is_kept(match):
    dataset = open_dataset("ring8")
    contestants = read_contestants(["vae:width=8", "gan", "gan:width=3"])
    settings = match_sizes(contestants, dataset, match)
    assert settings["vae:width=8"] == contestants["vae:width=8"]
    assert settings["gan:width=3"] == contestants["gan:width=3"]
    sizes = [getattr(size, match) for size in measure_sizes(settings, dataset, match)]
    assert max(sizes[0] / sizes[1], sizes[1] / sizes[0]) < 1.3
    assert settings["gan"]["width"] < 32


def test_models_that_are_not_matched_keep_their_settings():
    contestants = read_contestants(["vae:width=4", "gan"])
    assert match_sizes(contestants, open_dataset("digits"), "none") == contestants
