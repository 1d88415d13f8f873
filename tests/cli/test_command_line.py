import json
import subprocess
import sys

import pytest

import tvir
from tvir.cli.main import command_names, main, summary
from tvir.contracts.run import RunFolder
from tvir.models.resampling import LatentSampler

SMALL = ["--width", "2", "--latent", "2", "--batch-size", "4"]


@pytest.fixture
def run(capsys):
    """Run a command in this process: exit status, output, complaints."""

    def call(*words):
        with pytest.raises(SystemExit) as leaving:
            main(words)
        seen = capsys.readouterr()
        return leaving.value.code, seen.out, seen.err

    return call


def test_help_imports_nothing_heavy_and_names_every_command():
    look = (
        "import sys\n"
        "from tvir.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit as leaving: assert leaving.code == 0\n"
        "heavy = {'torch', 'numpy', 'tyro', 'rich', 'pydantic', 'PIL', 'inspect'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name in command_names():
        assert f"\n  {name} " in done.stdout
        assert summary(name)
        assert summary(name) in done.stdout


def test_the_module_and_the_status_of_a_process():
    done = subprocess.run([sys.executable, "-m", "tvir", "trian"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "tvir: there is no command 'trian'; did you mean train?\n"
    assert done.stdout == ""


def test_a_reader_who_leaves_early_is_no_error():
    line = f"{sys.executable} -m tvir --help | head -c 1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", line], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_without_a_command_help_is_shown(run):
    assert run() == run("--help") == run("-h")
    assert run("--version") == (0, f"tvir {tvir.__version__}\n", "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nonsense"], "the commands are"),
        (["train"], "name a model first"),
        (["train", "--data", "digits"], "name a model first"),
        (["train", "vea", "--data", "digits"], "did you mean vae"),
        (["train", "vae"], "missing: --data"),
        (["train", "vae", "--data", "digits", "--buget", "3s"], "Perhaps you meant: --budget"),
        (["train", "vae", "--data", "digits", "--budget", "soon"], "write for example 90s"),
        (["train", "vae", "--data", "digits", "--width", "x"], "--width"),
        (["train", "vae", "--data", "digits", "--width", "-1"], "width"),
        (["train", "vae", "--data", "digits", "--likelihood", "cauchy"], "choose one of"),
        (["train", "vae", "--data", "digits", "--fit", "squeeze"], "'crop', 'pad'"),
        (["train", "vae", "--data", "digits", "--size", "big"], "big"),
        (["train", "vae", "--data", "no-such-data"], "no-such-data"),
        (["resume"], "missing: RUN"),
        (["resume", "no-such-run"], "is no run"),
        (["sample", "no-such-run"], "is no run"),
        (["interpolate", "no-such-run"], "is no run"),
        (["reconstruct", "no-such-run"], "is no run"),
        (["evaluate", "no-such-run"], "is no run"),
        (["compare", "vae", "vea", "--data", "digits"], "did you mean vae"),
        (["show", "vea"], "did you mean vae"),
        (["models", "--forest"], "--forest"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_usage_error_is_one_line_and_status_2(run, words, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, complaint = run(*words)
    assert (status, out) == (2, "")
    assert complaint.startswith("tvir: ")
    assert complaint.count("\n") == 1
    assert said in complaint
    assert not list(tmp_path.iterdir())


def test_the_unexpected_is_one_line_and_status_1_and_debug_shows_where(run, monkeypatch):
    monkeypatch.setattr("tvir.models.catalogue.catalogue", lambda: 1 / 0)
    status, _, complaint = run("models")
    assert (status, complaint.count("\n")) == (1, 1)
    assert "ZeroDivisionError" in complaint
    assert "--debug" in complaint
    for words in (["--debug", "models"], ["models", "--debug"]):
        status, _, complaint = run(*words)
        assert status == 1
        assert "Traceback" in complaint


def test_control_c_is_status_130(run, monkeypatch):
    def press():
        raise KeyboardInterrupt

    monkeypatch.setattr("tvir.models.catalogue.catalogue", press)
    assert run("models") == (130, "", "tvir: interrupted\n")


@pytest.mark.parametrize("command", command_names())
def test_every_command_has_help(run, command):
    status, out, complaint = run(command, "--help")
    assert (status, complaint) == (0, "")
    assert f"usage: tvir {command}" in out


def test_the_help_of_a_model_shows_its_own_settings_with_their_defaults(run):
    _, out, _ = run("train", "gan", "--help")
    words = " ".join(out.replace("│", " ").split())
    for part in (
        "--critic-steps INT",
        "(default: relativistic-paired)",
        "--regulariser {none,r1,",
        "r1:weight=1.0,every=1",
        "--data",
    ):
        assert part in words
    _, out, _ = run("train", "--help")
    assert "unbalanced-gan" in out
    assert "--critic-steps" not in out


@pytest.mark.parametrize("command", ["sample", "evaluate"])
def test_help_names_every_sampler_of_latents(run, command):
    _, out, _ = run(command, "--help")
    assert "--latent {" + ",".join(LatentSampler.alternatives()) + "}" in out


def test_settings_from_the_command_line_reach_the_record(run, tmp_path):
    path = tmp_path / "run"
    asked = [
        "--data",
        "ring8",
        "--budget",
        "2steps",
        "--seed",
        "7",
        "--out",
        str(path),
        "--regulariser",
        "r1:weight=5.0",
    ]
    status, out, complaint = run("train", "gan", *asked, *SMALL, "--precision", "float32", "--critic-steps", "2")
    assert (status, complaint) == (0, "")
    assert str(path) in out.splitlines()[-1]
    record = RunFolder(path).read()
    assert (record.seed, record.status) == (7, "finished")
    assert record.config["regulariser"] == "r1:weight=5.0"
    assert record.config["critic_steps"] == 2


@pytest.mark.parametrize(("words", "batch"), [([], 256), (["--batch-size", "32"], 32), (["--batch_size=32"], 32)])
def test_a_default_that_is_written_down_is_kept_where_other_data_would_get_another(run, words, batch, tmp_path):
    path = tmp_path / "run"
    status, _, complaint = run("train", "gan", "--data", "ring8", "--budget", "1step", "--out", str(path), *words)
    assert (status, complaint) == (0, "")
    assert json.loads((path / "run.json").read_text())["config"]["batch_size"] == batch


def test_the_walk_train_resume_sample_evaluate(run, tmp_path):
    path = tmp_path / "run"
    assert run("train", "vae", "--data", "ring8", "--budget", "3steps", "--out", str(path), *SMALL, "--quiet")[:2] == (
        0,
        "",
    )
    status, out, _ = run("resume", str(path))
    assert status == 0
    assert "nothing left to train" in out
    first, again, other = (tmp_path / name for name in ("first.npy", "again.npy", "other.npy"))
    for place, seed in ((first, "1"), (again, "1"), (other, "2")):
        assert run("sample", str(path), "-n", "10", "--seed", seed, "--to", str(place)) == (0, f"{place}\n", "")
    assert first.read_bytes() == again.read_bytes() != other.read_bytes()
    assert run("interpolate", str(path), "--seeds", "3", "4", "--to", str(tmp_path / "walk.npy"))[0] == 0
    assert run("reconstruct", str(path), "-n", "5")[1] == f"{path / 'reconstructions.png'}\n"
    status, out, _ = run("evaluate", str(path), "--limit", "100", "--json")
    assert status == 0
    assert json.loads(out)["scores"]
    assert "RBF" in run("evaluate", str(path), "--limit", "100")[1]
    assert run("show", str(path), "--to", str(tmp_path / "a.svg"))[0] == 0
    assert (tmp_path / "a.svg").read_text("utf-8").startswith("<")


def test_models_are_listed_as_a_table_and_as_a_tree(run):
    table, tree = run("models")[1], run("models", "--tree")[1]
    for name in ("vae", "gan", "unbalanced-gan"):
        assert name in table
        assert name in tree
    assert "implicit" in tree
