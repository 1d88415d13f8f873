"""Two processes train the same model as one at the same global batch, for every loss and every penalty."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from toy_models import PLANE, Mean, build, plane_examples
from train_together import cases, gradients, plan_all, train_all, trainings

from tvir.contracts.errors import UsageError
from tvir.contracts.run import RunFolder
from tvir.training.processes import Processes
from tvir.training.signals import Interrupted
from tvir.training.trainer import Trainer

SCRIPT = Path(__file__).with_name("train_together.py")


def half_trained(folder):
    """Trained to step 9 by one process, then interrupted."""
    model = build(Mean, PLANE)
    loss = model.loss
    model.loss = lambda batch: (batch.step == 8 and os.kill(os.getpid(), 15)) or loss(batch)
    with pytest.raises(Interrupted):
        Trainer(model, plane_examples(), folder).run()


def run_together(path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    processes = [
        subprocess.Popen(
            [sys.executable, SCRIPT, path], cwd=SCRIPT.parent, env=environment | {"RANK": rank, "LOCAL_RANK": rank}
        )
        for rank in ("0", "1")
    ]
    try:
        assert [process.wait(timeout=280) for process in processes] == [0, 0]
    finally:
        for process in processes:
            process.kill()


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """Everything that two processes found, and everything that one finds."""
    root = tmp_path_factory.mktemp("together")
    for name in ("one", "two"):
        plan_all(root / name)
    half_trained(RunFolder(root / "two" / "resumed"))
    run_together(root / "two")
    train_all(root / "one")
    return root


@pytest.mark.slow
@pytest.mark.parametrize(("case", "model", "settings"), [pytest.param(*case, id=case[0]) for case in cases()])
def test_gradients_of_two_processes_are_those_of_one(together, case, model, settings):
    found = load_file(together / "two" / "found.safetensors")
    for name, expected in gradients(model, settings, Processes()).items():
        actual = found[f"{case}/{name}"]
        assert float((actual - expected).norm()) <= 1e-5 * float(expected.norm()) + 1e-8, name


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, *_ in trainings() if name not in ("diverged", "measured")])
def test_whole_trainings_of_two_processes_are_those_of_one(together, name):
    one, two = RunFolder(together / "one" / name), RunFolder(together / "two" / name)
    assert one.read().status == two.read().status == "finished"
    step = one.read().spent.steps
    assert two.read().spent.steps == step
    for part in ("weights.safetensors", "averaged.safetensors"):
        expected = load_file(one.checkpoints / str(step) / part)
        actual = load_file(two.checkpoints / str(step) / part)
        assert actual.keys() == expected.keys()
        for key in expected:
            torch.testing.assert_close(actual[key], expected[key], rtol=1e-4, atol=2e-4, msg=f"{part} {key}")


@pytest.mark.slow
def test_all_processes_notice_a_divergence_together(together):
    records = [RunFolder(together / name / "diverged").read() for name in ("one", "two")]
    assert [record.status for record in records] == ["failed", "failed"]
    assert records[0].failure.partition("; try")[0] == records[1].failure.partition("; try")[0]


@pytest.mark.slow
def test_processes_measure_and_decide_together(together):
    record = RunFolder(together / "two" / "measured").read()
    assert record.status == "finished"
    assert record.precision.decided_by.startswith("measurement")


@pytest.mark.slow
def test_only_the_main_process_writes(together):
    lines = [line["step"] for line in RunFolder(together / "two" / "mean").metrics()]
    assert len(lines) == len(set(lines))
    assert lines[-1] == 20
    losses = [
        next(line["losses"] for line in RunFolder(together / name / "duel").metrics() if line["step"] == 1)
        for name in ("one", "two")
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


@pytest.mark.slow
def test_averages_keep_shapes_and_types(together):
    found = load_file(together / "two" / "found.safetensors")
    torch.manual_seed(0)
    first = [torch.rand(3), torch.rand(2, 2).double(), torch.rand(1)]
    torch.manual_seed(1)
    second = [torch.rand(3), torch.rand(2, 2).double(), torch.rand(1)]
    for name, a, b in zip("abc", first, second, strict=True):
        torch.testing.assert_close(found[f"average/{name}"], (a + b) / 2)
    assert found["agreed/largest"].tolist() == [1.0, 0.0]


def test_a_batch_that_cannot_be_divided_is_refused():
    with pytest.raises(UsageError, match="a batch of 32 cannot be divided among 3 processes"):
        Processes(rank=0, world=3).share(32)


def test_one_process_talks_to_nobody():
    alone = Processes()
    tensors = [torch.ones(2)]
    assert alone.average(tensors)[0] is tensors[0]
    assert alone.largest(1.0, 2.0) == [1.0, 2.0]
    alone.broadcast(tensors)
    alone.tell("nothing")
    alone.barrier()
    assert alone.main
