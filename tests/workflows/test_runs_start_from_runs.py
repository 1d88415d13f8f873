"""A run that begins from the weights of another one: it keeps what was learned, and is a run of its own."""

import os
import shutil
import signal

import numpy as np
import pytest
import torch
from PIL import Image

import tvir
from tvir.contracts.errors import UsageError
from tvir.contracts.run import RunFolder
from tvir.training.observer import Observer
from tvir.training.signals import Interrupted
from tvir.workflows.building import build_model
from tvir.workflows.starting import begin_from_start

SMALL = {"width": 2, "latent": 2, "batch_size": 4}


def weights(model):
    return torch.cat([tensor.double().flatten() for tensor in model.state_dict().values()])


class Stops(Observer):
    """Somebody presses Ctrl-C as soon as training has begun."""

    def started(self, record):
        os.kill(os.getpid(), signal.SIGINT)


def test_it_begins_with_the_averaged_weights_and_the_settings_of_the_other(small_vae, tmp_path):
    run = tvir.train("vae", "digits", budget="1steps", start_from=small_vae.path, out=tmp_path / "run")
    record = run.record
    assert record.config == small_vae.record.config
    assert record.start.run == str(small_vae.path.absolute())
    assert record.start.step == small_vae.record.spent.steps
    begun = build_model(record)
    begin_from_start(run.folder, record, begun)
    assert torch.equal(weights(begun), weights(small_vae.model))
    # One step moves little; a run of its own beginning would be far away.
    other = tvir.train("vae", "digits", budget="1steps", config=SMALL, seed=9, out=tmp_path / "other")
    near = (weights(run.model) - weights(small_vae.model)).norm()
    assert near < 0.1 * (weights(other.model) - weights(small_vae.model)).norm()


def test_a_setting_that_is_named_replaces_that_of_the_other(small_vae, tmp_path):
    asked = {"budget": "1steps", "start_from": small_vae.path}
    run = tvir.train("vae", "digits", config={"batch_size": 8}, out=tmp_path / "run", **asked)
    assert run.record.config["batch_size"] == 8
    assert run.record.config["width"] == 2
    with pytest.raises(UsageError, match="the settings make another network than that of"):
        tvir.train("vae", "digits", config={"width": 3}, out=tmp_path / "wide", **asked)
    assert not (tmp_path / "wide").exists()


def test_resuming_it_is_exact_and_needs_the_other_run_no_more(small_vae, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(small_vae.path, other)
    asked = {"budget": "6steps", "start_from": other, "precision": "float32"}
    whole = tvir.train("vae", "digits", out=tmp_path / "whole", **asked)
    with pytest.raises(Interrupted):
        tvir.train("vae", "digits", out=tmp_path / "broken", observer=Stops(), **asked)
    shutil.rmtree(other)
    resumed = tvir.resume(tmp_path / "broken")
    assert torch.equal(weights(resumed.model), weights(whole.model))
    # Broken off before the first checkpoint: it still begins where it was to begin.
    shutil.rmtree(tmp_path / "broken" / "checkpoints")
    RunFolder(tmp_path / "broken").update(status="planned")
    assert torch.equal(weights(tvir.resume(tmp_path / "broken").model), weights(whole.model))


def test_other_models_other_shapes_and_lost_weights_are_refused_in_one_line(small_vae, small_gan, tmp_path):
    out = tmp_path / "run"
    with pytest.raises(UsageError, match="is a gan, whose weights a vae cannot start from"):
        tvir.train("vae", "ring8", start_from=small_gan.path, out=out)
    with pytest.raises(UsageError, match=r"has learned image .* 1x8x8, and this is image .* 1x16x16"):
        tvir.train("vae", "digits", size=16, start_from=small_vae.path, out=out)
    with pytest.raises(UsageError, match="is no run"):
        tvir.train("vae", "digits", start_from=tmp_path / "nothing", out=out)
    assert not out.exists()
    run = tvir.train("vae", "digits", budget="1steps", start_from=small_vae.path, out=out)
    run.folder.start_path.write_bytes(b"other")
    with pytest.raises(UsageError, match="is not what the run was to start from"):
        tvir.resume(_unfinished(out))


def test_images_are_brought_to_the_size_that_was_learned(small_vae, tmp_path):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(12):
        pixels = np.random.default_rng(number).integers(0, 256, (20, 30, 3), np.uint8)
        Image.fromarray(pixels).save(pictures / f"{number}.png")
    run = tvir.train("vae", str(pictures), budget="1steps", start_from=small_vae.path, out=tmp_path / "run")
    assert run.record.data.spec.size == (1, 8, 8)


def _unfinished(path):
    RunFolder(path).update(status="interrupted", budget="2steps")
    return path
