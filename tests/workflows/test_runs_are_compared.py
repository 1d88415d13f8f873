import json
import os
import signal

import pytest

import tvir
from tvir.contracts.errors import TvirError, UsageError
from tvir.contracts.run import RunFolder
from tvir.data.opening import open_dataset
from tvir.training.signals import Interrupted
from tvir.workflows.contest import read_contestants
from tvir.workflows.planning import plan_run
from tvir.workflows.trials import Cores, TrialsObserver, run_trials

SMALL = "width=2,latent=2,batch_size=4"
ASKED = {"data": "ring8", "budget": "3steps", "seeds": 3, "precision": "float32", "limit": 100}


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


def test_an_impossible_comparison_is_refused_before_anything_is_written(tmp_path):
    for models, wrong in ((["vae"], {"budget": "soon"}), ([], {}), (["vae", "vae"], {}), (["vae"], {"seeds": 0})):
        with pytest.raises(TvirError):
            tvir.compare(models, out=tmp_path / "out", **{**ASKED, **wrong})
    assert not (tmp_path / "out").exists()
