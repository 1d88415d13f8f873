import io

import pytest
from rich.console import Console

from tvir.cli import progress
from tvir.cli.progress import ComparisonObserver, Live, Plain, Reading, Silent, TrainingObserver, screen
from tvir.contracts.budget import Spent
from tvir.contracts.run import RunFolder
from tvir.training.observer import Progress
from tvir.workflows.trials import TrialProgress

LOSSES = {"critic/adversarial": 1.25, "critic penalty/penalty": 0.5, "generator/adversarial": 2.0, "more/terms": 9.0}


def test_a_log_is_not_flooded(capsys):
    observer = TrainingObserver(Plain())
    for step in range(10_000):
        observer.stepped(Progress(stage="learning", step=step, fraction=step / 10_000))
    lines = capsys.readouterr().out.splitlines()
    assert 9 <= len(lines) <= 11


def test_a_long_silence_in_a_log_is_broken(capsys, monkeypatch):
    now = 0.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    shown = Plain()
    while now < 3600:
        shown.moved("run", 0.05, "note")
        now += 10
    assert 10 <= len(capsys.readouterr().out.splitlines()) <= 12


def test_quiet_is_quiet(capsys):
    with screen(quiet=True) as shown:
        observer = TrainingObserver(shown)
        observer.stepped(Progress(stage="learning", step=1, fraction=1.0))
        observer.noticed("something")
        shown.over("learning", "done")
    assert isinstance(shown, Silent)
    assert capsys.readouterr() == ("", "")


def test_where_output_goes_decides_what_is_shown(monkeypatch):
    assert isinstance(screen(quiet=False), Plain)
    monkeypatch.setattr(progress.sys, "stdout", type("Terminal", (io.StringIO,), {"isatty": lambda self: True})())
    assert isinstance(screen(quiet=False), Live)


def test_a_line_tells_stage_losses_speed_and_time_left(capsys):
    step = Progress(
        stage="playing", step=5, losses=LOSSES, samples_per_second=1234.5, fraction=0.5, seconds_left=75, spent=Spent()
    )
    TrainingObserver(Plain()).stepped(step)
    line = capsys.readouterr().out
    for part in ("playing", "50%", "critic 1.25", "penalty 0.5", "generator 2", "1,234 samples/s", "1 min 15 s left"):
        assert part in line
    assert "terms" not in line


@pytest.mark.parametrize("width", [100, 160])
def test_every_run_of_a_comparison_has_one_line_on_a_terminal(tmp_path, width):
    written = io.StringIO()
    trials = [RunFolder(tmp_path / model / f"seed-{seed}") for model in ("vae", "gan") for seed in range(3)]
    with Live(Console(file=written, force_terminal=True, width=width, height=50)) as shown:
        observer = ComparisonObserver(shown)
        observer.planned(trials)
        for trial in trials:
            observer.started(trial)
            observer.stepped(trial, TrialProgress(stage="s", fraction=0.5, losses=LOSSES, seconds=10))
            observer.ended(
                trial, "failed" if trial is trials[0] else "finished", "no [reason]" if trial is trials[0] else None
            )
        observer.judging(6, 6)
    last = written.getvalue().rpartition("\x1b[2K")[2] + written.getvalue()[-4000:]
    for trial in trials:
        assert f"{trial.path.parent.name} {trial.path.name}" in last
    assert "no [reason]" in last
    assert "6 of 6 runs" in last


def test_data_that_is_read_at_once_is_not_spoken_of(capsys, monkeypatch):
    now = 0.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    reading = Reading(Plain())
    for done in range(11):
        reading("decoding", done, 10)
    assert capsys.readouterr().out == ""
    for done in range(11):
        now += 1.0
        reading("measuring", done, 10)
    out = capsys.readouterr().out
    assert "10 done" in out
    assert len(out.splitlines()) <= 11
