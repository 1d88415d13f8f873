"""A signal ends training at the end of a step, with everything saved; a second one ends it at once."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from toy_models import DIGITS, PLANE, Mean, build, everything, plan, plane_examples

from tvir.training.signals import Interrupted, Signals, caught_signals
from tvir.training.trainer import Trainer

SCRIPT = Path(__file__).with_name("train_and_die.py")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_continues_exactly(tmp_path, number, status):
    examples = plane_examples()
    straight = plan(tmp_path / "straight", budget="40steps")
    Trainer(build(Mean, PLANE), examples, straight).run()

    folder, model = plan(tmp_path / "run", budget="40steps"), build(Mean, PLANE)
    loss = model.loss
    model.loss = lambda batch: (batch.step == 20 and os.kill(os.getpid(), number)) or loss(batch)
    before = signal.getsignal(number)
    with pytest.raises(Interrupted, match=r"interrupted at step 21; continue with: tvir resume") as caught:
        Trainer(model, examples, folder).run()
    assert caught.value.exit_status == status
    assert signal.getsignal(number) is before
    assert folder.read().status == "interrupted"
    assert folder.read().spent.steps == 21

    record = Trainer(build(Mean, PLANE), examples, folder).run()
    assert record.status == "finished"
    assert everything(folder, 40) == everything(straight, 40)


@pytest.mark.slow
def test_a_second_signal_leaves_at_once(tmp_path):
    script = (
        "import os, signal, time\n"
        "from tvir.training.signals import caught_signals\n"
        "with caught_signals():\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    time.sleep(60)\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=50).returncode == 143


@pytest.mark.slow
def test_a_signal_from_outside_saves_and_leaves(tmp_path):
    folder = plan(tmp_path, spec=DIGITS, budget="1000000steps")
    process = subprocess.Popen([sys.executable, SCRIPT, folder.path, "duel"], cwd=SCRIPT.parent, stderr=subprocess.PIPE)
    while not folder.metrics_path.exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.terminate()
    _, errors = process.communicate(timeout=60)
    record = folder.read()
    assert b"Interrupted: interrupted at step" in errors
    assert record.status == "interrupted"
    assert (folder.checkpoints / str(record.spent.steps) / "manifest.json").exists()


def test_other_threads_catch_nothing():
    before = signal.getsignal(signal.SIGINT)
    seen = []

    def work():
        with caught_signals() as signals:
            seen.append((signals.received, signal.getsignal(signal.SIGINT)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(0, before)]


def test_the_first_signal_is_remembered():
    signals = Signals()
    signals.handle(signal.SIGTERM)
    assert signals.received == signal.SIGTERM
