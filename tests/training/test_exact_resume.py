"""200 steps straight, and 100 steps, kill -9 and resume, end in the same bits."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from toy_models import DIGITS, everything, plan
from train_and_die import model_and_examples

from tvir.training.trainer import Trainer

SCRIPT = Path(__file__).with_name("train_and_die.py")


def straight(path, kind):
    model, examples = model_and_examples(kind)
    folder = plan(path, spec=examples.spec, budget="200steps")
    Trainer(model, examples, folder).run()
    return folder


def killed(folder, kind, *arguments):
    process = subprocess.run(
        [sys.executable, SCRIPT, folder.path, kind, *arguments], cwd=SCRIPT.parent, capture_output=True, check=False
    )
    assert process.returncode == -signal.SIGKILL, process.stderr.decode()


def resumed(folder, kind):
    subprocess.run([sys.executable, SCRIPT, folder.path, kind], cwd=SCRIPT.parent, check=True)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["duel", "gan", "vqgan"])
def test_kill_in_a_step_and_resume_is_exact(tmp_path, kind):
    _, examples = model_and_examples(kind)
    folder = plan(tmp_path / "killed", spec=examples.spec, budget="200steps")
    killed(folder, kind, "100")
    assert folder.read().status == "running"
    steps = [int(path.name) for path in folder.checkpoints.iterdir()]
    assert 0 < max(steps) <= 100
    resumed(folder, kind)
    assert folder.read().status == "finished"
    assert everything(folder, 200) == everything(straight(tmp_path / "straight", kind), 200)
    logged = [line["step"] for line in folder.metrics()]
    assert logged == sorted(set(logged))


@pytest.mark.slow
def test_kill_while_a_checkpoint_is_written_and_resume_is_exact(tmp_path):
    folder = plan(tmp_path / "killed", spec=DIGITS, budget="200steps")
    killed(folder, "duel", "60", "write")
    assert list(folder.checkpoints.glob(".*.tmp"))
    resumed(folder, "duel")
    assert not list(folder.checkpoints.glob(".*.tmp"))
    assert everything(folder, 200) == everything(straight(tmp_path / "straight", "duel"), 200)


def test_resume_from_an_older_checkpoint_is_exact_where_the_newest_is_damaged(tmp_path):
    folder = plan(tmp_path / "damaged", spec=DIGITS, budget="7steps")
    model, examples = model_and_examples("duel")
    Trainer(model, examples, folder, checkpoint_seconds=0.0).run()
    before = everything(folder, 7)
    assert sorted(int(path.name) for path in folder.checkpoints.iterdir()) == [6, 7]
    path = folder.checkpoints / "7" / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-4] + b"\0\0\0\1")
    model, examples = model_and_examples("duel")
    Trainer(model, examples, folder).run()
    assert everything(folder, 7) == before


def test_state_holds_every_counter(tmp_path):
    folder = straight(tmp_path, "duel")
    state = json.loads((folder.checkpoints / "200" / "state.json").read_text())
    assert (state["steps"], state["samples"], state["stage_step"], state["previews"]) == (200, 3200, 200, 9)
