import multiprocessing
import os
import signal

import pytest
import torch

import tvir
from tvir.contracts.errors import TvirError, UsageError
from tvir.training.observer import Observer
from tvir.training.signals import Interrupted
from tvir.workflows.locking import alone

SMALL = {"width": 2, "latent": 2, "batch_size": 4}


class Listener(Observer):
    def __init__(self):
        self.heard = []

    def started(self, record):
        self.heard.append("started")

    def noticed(self, text):
        self.heard.append(text)


def _weights(run):
    return torch.cat([tensor.flatten() for tensor in run.model.state_dict().values()])


def test_the_walk_in_ten_lines(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = tvir.train("vae", data="digits", budget="3steps", config=SMALL)
    assert run.record.status == "finished"
    assert run.sample(16, seed=1).shape == (16, 8, 8, 1)
    again = tvir.load(run.path)
    assert again.reconstruct(run.sample(2)).shape == (2, 8, 8, 1)
    assert again.interpolate(4).shape == (1, 4, 8, 8, 1)


def test_the_same_seed_trains_the_same_model(tmp_path):
    asked = {"budget": "3steps", "config": SMALL, "precision": "float32"}
    first, again, other = (
        tvir.train("vae", "digits", out=tmp_path / name, seed=seed, **asked)
        for name, seed in (("first", 1), ("again", 1), ("other", 2))
    )
    assert torch.equal(_weights(first), _weights(again))
    assert not torch.equal(_weights(first), _weights(other))


class ControlC(Observer):
    """Somebody presses Ctrl-C as soon as training has begun."""

    def started(self, record):
        os.kill(os.getpid(), signal.SIGINT)


def test_a_run_that_was_interrupted_goes_on_and_ends_where_one_without_a_break_ends(tmp_path):
    asked = {"budget": "6steps", "config": SMALL, "precision": "float32"}
    straight = tvir.train("vae", "digits", out=tmp_path / "straight", **asked)
    with pytest.raises(Interrupted) as caught:
        tvir.train("vae", "digits", out=tmp_path / "broken", observer=ControlC(), **asked)
    assert caught.value.exit_status == 130
    broken = tvir.load(tmp_path / "broken")
    assert broken.record.status == "interrupted"
    assert broken.record.spent.steps < 6
    resumed = tvir.resume(broken.path)
    assert (resumed.record.status, resumed.record.spent.steps) == ("finished", 6)
    assert torch.equal(_weights(straight), _weights(resumed))


def test_a_finished_run_says_so_and_is_left_alone(own_vae):
    listener, before = Listener(), own_vae.folder.record_path.read_bytes()
    tvir.resume(own_vae.path, observer=listener)
    assert listener.heard == ["there is nothing left to train: the budget of 6steps is spent"]
    assert own_vae.folder.record_path.read_bytes() == before


def test_wrong_requests_write_nothing(tmp_path):
    for wrong in ({"budget": "x"}, {"config": {"x": 1}}, {"data": "nothing-like-this"}, {"size": "huge"}):
        asked = {"data": "digits", "out": tmp_path / "run", **wrong}
        with pytest.raises(UsageError):
            tvir.train("vae", **asked)
    assert not (tmp_path / "run").exists()


def _hold(folder, held, done):
    with alone(folder):
        held.set()
        done.wait(30)


def test_a_run_is_trained_by_one_process_at_a_time(own_vae):
    own_vae.folder.update(status="interrupted")
    context = multiprocessing.get_context("fork")
    held, done = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(own_vae.folder, held, done))
    other.start()
    try:
        assert held.wait(30)
        with pytest.raises(TvirError, match="another process"):
            tvir.resume(own_vae.path)
    finally:
        done.set()
        other.join(30)


def test_a_control_is_finished_at_once_whatever_the_budget(tmp_path):
    run = tvir.train("gaussian", "ring8", budget="1h", out=tmp_path / "run")
    assert run.record.status == "finished"
    assert run.record.spent.steps == 0
    assert tvir.resume(run.path).sample(3).shape == (3, 2)
