import subprocess
import sys

import pytest

from tvir.cli.launching import together
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


@pytest.mark.slow
def test_what_is_wrong_is_said_once_and_leaves_no_folder(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    path = tmp_path / "run"
    status = together(2, ["train", "vae", "--data", "ring8", "--batch-size", "3", "--out", str(path)])
    assert status == 2
    assert capfd.readouterr().err.count("cannot be divided") == 1
    assert not path.exists()


def test_more_processes_than_cores_are_refused(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    with pytest.raises(UsageError, match="at most 2"):
        together(3, ["train"])


def test_processes_other_than_the_main_one_are_silent(monkeypatch):
    monkeypatch.setenv("RANK", "1")
    assert not isinstance(screen(quiet=False), Silent)
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert isinstance(screen(quiet=False), Silent)
