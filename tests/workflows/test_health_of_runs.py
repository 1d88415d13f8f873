"""Runs are watched while they train, and examined afterwards."""

import json

import pytest
import torch
from safetensors.torch import load_file

import tvir
from tvir.cli.main import main
from tvir.contracts.errors import UsageError
from tvir.contracts.health import Condition
from tvir.contracts.run import RunFolder
from tvir.health.check import find_checks
from tvir.reports.health import check_title
from tvir.reports.language import load_words
from tvir.training.observer import Observer
from tvir.training.trainer import Trainer
from tvir.workflows.building import build_model

HOPELESS = {"width": 2, "latent": 2, "batch_size": 16, "beta": 1000.0}
"""A divergence so heavy that nothing gets through the latents."""


class Listener(Observer):
    def __init__(self):
        self.heard = []

    def noticed(self, text):
        self.heard.append(text)


@pytest.fixture(scope="module")
def collapsed(tmp_path_factory):
    """A VAE whose posterior collapses, and what was said on the way."""
    listener = Listener()
    path = tmp_path_factory.mktemp("health") / "vae"
    run = tvir.train("vae", "ring8", budget="400steps", config=HOPELESS, out=path, observer=listener)
    return run, listener.heard


def test_an_illness_is_told_once_while_training_and_kept_in_the_record(collapsed):
    run, heard = collapsed
    told = [text for text in heard if text.startswith("posterior collapse:")]
    assert len(told) == 1
    assert "--beta-warmup 0.3" in told[0]
    assert told[0] in run.record.findings


def test_a_run_is_trained_bit_for_bit_as_without_being_watched(collapsed, tmp_path):
    run, _ = collapsed
    folder = RunFolder(tmp_path / "unwatched")
    folder.write(run.record)
    folder.update(status="planned", findings=())
    model = build_model(folder.read())
    Trainer(model, run.dataset().train, folder).run()
    for part in ("weights", "averaged"):
        watched, alone = (
            load_file(path / "checkpoints" / "400" / f"{part}.safetensors") for path in (run.path, folder.path)
        )
        assert watched.keys() == alone.keys()
        assert all(torch.equal(watched[name], alone[name]) for name in watched)


def test_the_doctor_finds_it_again_and_names_the_flag(collapsed):
    health = tvir.doctor(collapsed[0], size=200)
    found = {finding.check: finding for finding in health.findings}
    assert not health.is_well
    assert found["posterior_collapse"].condition is Condition.ILL
    assert found["posterior_collapse"].flags[0] == "--beta-warmup 0.3"


@pytest.fixture(scope="module")
def young(tmp_path_factory):
    """A GAN that is still warming up at the end of its budget, and what was said on the way."""
    listener = Listener()
    small = {"width": 2, "latent": 2, "batch_size": 8}
    path = tmp_path_factory.mktemp("health") / "gan"
    return tvir.train("gan", "ring8", budget="40steps", config=small, out=path, observer=listener), listener.heard


def test_a_healthy_run_too_short_to_be_judged_is_not_called_ill(young):
    run, heard = young
    assert not [text for text in heard if text.startswith(tuple(check_title(check.name) for check in find_checks()))]
    health = tvir.doctor(run, size=200)
    conditions = {finding.check: finding.condition for finding in health.findings}
    assert conditions["missing_modes"] is Condition.EARLY
    assert health.is_well


@pytest.mark.parametrize("language", ["en", "uk"])
def test_the_command_says_what_is_too_early_to_say(young, capsys, language, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    with pytest.raises(SystemExit):
        main(["doctor", str(young[0].path), "--language", language, "--size", "200"])
    printed = capsys.readouterr().out
    assert load_words(language)("health.condition.early") in printed
    assert load_words(language)("health.early") in printed


@pytest.mark.parametrize("language", ["en", "uk"])
def test_the_command_prints_a_table_and_ends_well_whatever_it_finds(collapsed, capsys, language, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    with pytest.raises(SystemExit) as leaving:
        main(["doctor", str(collapsed[0].path), "--language", language, "--size", "100"])
    assert leaving.value.code == 0
    printed = capsys.readouterr().out
    assert check_title("posterior_collapse", language) in printed
    assert "--beta-warmup 0.3" in printed


def test_the_command_prints_json(collapsed, capsys):
    with pytest.raises(SystemExit):
        main(["doctor", str(collapsed[0].path), "--json", "--size", "100"])
    found = json.loads(capsys.readouterr().out)
    assert found["fraction"] == 1
    assert {"check", "condition", "seen", "flags", "reason"} == found["findings"][0].keys()


def test_what_cannot_be_examined_is_refused(collapsed, tmp_path):
    with pytest.raises(UsageError, match="look at 2 or more"):
        tvir.doctor(collapsed[0], size=1)
    with pytest.raises(UsageError, match="no run"):
        tvir.doctor(tmp_path)
    planned = RunFolder(tmp_path / "planned")
    planned.write(collapsed[0].record)
    planned.update(status="planned")
    with pytest.raises(UsageError, match="has not been trained yet"):
        tvir.doctor(planned.path)


def test_a_run_that_trained_a_moment_is_examined_without_conclusions(small_gan):
    health = tvir.doctor(small_gan, size=50)
    assert "critic_won" not in {finding.check for finding in health.findings}
