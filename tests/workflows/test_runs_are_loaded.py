import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

import tvir
from tvir.contracts.errors import TvirError, UsageError


def test_samples_depend_on_their_seed_and_index_alone(small_vae):
    many = small_vae.sample(300, seed=1)
    assert many.shape == (300, 8, 8, 1)
    assert many.dtype == np.uint8
    assert np.array_equal(tvir.load(small_vae.path).sample(20, seed=1), many[:20])
    assert not np.array_equal(small_vae.sample(20, seed=2), many[:20])
    assert small_vae.sample(0).shape == (0, 8, 8, 1)


def test_samples_come_from_the_averaged_weights(small_vae):
    from safetensors.torch import load_file

    averaged = load_file(small_vae.folder.checkpoints / "6" / "averaged.safetensors")
    for name, tensor in small_vae.model.state_dict().items():
        assert torch.equal(tensor, averaged[name])


def test_reconstructions_are_rows_like_the_data(small_vae):
    rows = small_vae.dataset().test.take(np.arange(5))
    made = small_vae.reconstruct(rows)
    assert (made.shape, made.dtype) == (rows.shape, rows.dtype)
    with pytest.raises(UsageError, match="expected"):
        small_vae.reconstruct(rows.astype(np.float32))


def test_walks_end_at_the_samples_of_their_seeds(small_vae):
    walks = small_vae.interpolate(5, seeds=(7, 8), count=3)
    assert walks.shape == (3, 5, 8, 8, 1)
    assert np.array_equal(walks[:, 0], small_vae.sample(3, seed=7))
    assert np.array_equal(walks[:, -1], small_vae.sample(3, seed=8))


def test_what_a_model_cannot_do_is_said(small_vae, small_gan):
    with pytest.raises(UsageError, match="does not encode"):
        small_gan.reconstruct(small_gan.sample(2))
    with pytest.raises(UsageError, match="cannot be asked for a class"):
        small_vae.sample(2, condition="3")
    with pytest.raises(UsageError, match="at least"):
        small_vae.interpolate(1)


def test_a_run_without_weights_says_what_to_do(own_vae):
    shutil.rmtree(own_vae.folder.checkpoints)
    with pytest.raises(UsageError, match="tvir resume"):
        own_vae.sample(1)


def _tampered(run, **changes):
    record = json.loads(run.folder.record_path.read_text("utf-8"))
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = record
        for parent in parents:
            place = place[parent]
        place[last] = value
    run.folder.record_path.write_text(json.dumps(record), "utf-8")
    return tvir.load(run.path).model


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "os.system"},
        {"model": "../../vae"},
        {"model": "gan"},
        {"surprise": 1},
        {"config__width": "wide"},
        {"config__width": 10**9},
        {"config__latent": 10**9},
        {"config__batch_size": -1},
        {"config__surprise": 1},
        {"config__likelihood": "__import__('os')"},
        {"config__width": 4},
        {"seed": "x"},
        {"schema": 2},
        {"data__spec__size": [1, 2**19, 2**19]},
        {"data__spec__size": [1, 16, 16]},
        {"data__spec__size": [-1, 8, 8]},
        {"data__spec__kind": "pickle"},
        {"data__spec__kind": "text", "data__spec__size": [8, 8]},
        {"data__options__surprise": 1},
        {"data__options__size": {"a": 1}},
        {"status": "splendid"},
    ],
    ids=str,
)
def test_a_strangers_trickery_is_refused_in_one_line(own_vae, changes):
    with pytest.raises(TvirError) as caught:
        _tampered(own_vae, **changes)
    assert "\n" not in str(caught.value)


NO_RECORDS = {"empty": b"", "list": b"[]", "cut": b"{", "binary": b"\xff\xfe", "deep": b"[" * 100_000}


@pytest.mark.parametrize("content", NO_RECORDS.values(), ids=NO_RECORDS)
def test_what_is_no_record_is_refused_in_one_line(own_vae, content):
    own_vae.folder.record_path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        tvir.load(own_vae.path)
    assert "\n" not in str(caught.value)


def _folder_of_images(path, count, first=0):
    path.mkdir(exist_ok=True)
    pixels = np.random.default_rng(first).integers(0, 256, (count, 8, 8), dtype=np.uint8)
    for number, image in enumerate(pixels, start=first):
        Image.fromarray(image).save(path / f"{number}.png")


@pytest.fixture
def own_folder_run(tmp_path):
    _folder_of_images(tmp_path / "images", 80)
    config = {"width": 2, "latent": 2, "batch_size": 4}
    return tvir.train("vae", str(tmp_path / "images"), budget="2steps", config=config, out=tmp_path / "run")


def test_data_that_has_changed_since_is_noticed(own_folder_run, tmp_path):
    before = own_folder_run.dataset().fingerprint
    _folder_of_images(tmp_path / "images", 3, first=80)
    own_folder_run.folder.update(status="interrupted")
    for look in (own_folder_run.dataset, lambda: tvir.resume(own_folder_run.path)):
        with pytest.raises(UsageError, match="has changed since") as caught:
            look()
        assert before[:12] in str(caught.value)
        assert "--allow-changed-data" in str(caught.value)


def test_changed_data_can_be_allowed_and_is_written_down(own_folder_run, tmp_path):
    _folder_of_images(tmp_path / "images", 3, first=80)
    own_folder_run.folder.update(status="interrupted", budget="4steps")
    record = tvir.resume(own_folder_run.path, allow_changed_data=True).record
    assert record.status == "finished"
    assert record.data.fingerprint == own_folder_run.dataset().fingerprint
    assert any("changed" in finding for finding in record.findings)


def test_data_that_is_gone_is_said(own_folder_run, tmp_path):
    shutil.rmtree(tmp_path / "images")
    with pytest.raises(TvirError, match="images"):
        own_folder_run.dataset()
