import subprocess
import sys

import pytest

from tvir.cli.launching import together
from tvir.cli.main import main
from tvir.cli.progress import Silent, screen
from tvir.contracts.errors import UsageError
from tvir.contracts.run import RunFolder

SMALL = ["--width", "2", "--latent", "2", "--batch-size", "4"]


@pytest.mark.slow
def test_two_processes_train_one_run_and_only_one_speaks(tmp_path, monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    path = tmp_path / "run"
    asked = ["train", "vae", "--data", "ring8", "--budget", "3steps", "--out", str(path), *SMALL]
    launched = f"import sys; from tvir.cli.launching import together; sys.exit(together(2, {asked!r}))"
    done = subprocess.run([sys.executable, "-c", launched], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("is finished") == 1
    record = RunFolder(path).read()
    assert (record.status, record.spent.steps, record.spent.samples) == ("finished", 3, 12)


def test_a_batch_that_cannot_be_divided_is_said_once_before_anything_is_written(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    for rank in ("0", "1"):
        monkeypatch.setenv("RANK", rank)
        with pytest.raises(SystemExit) as leaving:
            main(["train", "vae", "--data", "ring8", "--batch-size", "3", "--out", str(tmp_path / "run")])
        assert leaving.value.code == 2
    assert capsys.readouterr().err.count("cannot be divided") == 1
    assert not (tmp_path / "run").exists()


def test_the_status_is_that_of_the_process_that_failed(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    assert together(2, ["trian"]) == 2
    assert together(2, ["--version"]) == 0


def test_more_processes_than_cores_are_refused(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    with pytest.raises(UsageError, match="at most 2"):
        together(3, ["train"])


def test_processes_other_than_the_main_one_are_silent(monkeypatch):
    monkeypatch.setenv("RANK", "1")
    assert not isinstance(screen(quiet=False), Silent)
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert isinstance(screen(quiet=False), Silent)
