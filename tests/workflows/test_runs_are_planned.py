import numpy as np
import pytest

from tvir.contracts.data import ImageSpec, VectorSpec
from tvir.contracts.errors import UsageError
from tvir.contracts.run import Precision
from tvir.data.opening import open_dataset
from tvir.workflows.building import find_method
from tvir.workflows.planning import fixed_precision, plan_run
from tvir.workflows.requesting import DataRequest, short_name

SMALL = {"width": 2, "latent": 2, "batch_size": 4}


@pytest.fixture(scope="module")
def digits():
    return open_dataset("digits")


def test_a_planned_run_says_everything_that_training_needs(digits, tmp_path):
    record = plan_run("vae", digits, budget="7steps", seed=4, out=tmp_path / "run", config=SMALL).read()
    assert (record.status, record.model, record.budget, record.seed) == ("planned", "vae", "7steps", 4)
    assert record.data.fingerprint == digits.fingerprint
    assert record.data.spec.spec() == digits.spec
    assert record.config["width"] == 2
    assert set(record.versions) == {"tvir", "torch", "python"}
    assert record.precision is None


def test_settings_suit_the_data_unless_a_recipe_or_a_person_says_otherwise():
    toy, image = VectorSpec(features=2), ImageSpec(channels=1, height=28, width=28)
    assert find_method("gan", spec=toy).config.batch_size == 256
    assert find_method("gan", {"batch_size": 8}, toy).config.batch_size == 8
    assert find_method("gan", spec=image).config == find_method("gan").config
    recipe = find_method("unbalanced-wgan-gp", spec=toy).config.as_json()
    assert (recipe["prior"], recipe["pretraining"]) == ("normal", "ae")


def test_default_folders_are_numbered_and_never_shared(digits, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = [str(plan_run("vae", digits, config=SMALL, seed=2).path) for _ in range(3)]
    assert names == ["runs/vae-digits-seed2", "runs/vae-digits-seed2-2", "runs/vae-digits-seed2-3"]


def test_a_folder_with_a_run_or_other_things_is_not_written_to(digits, tmp_path):
    plan_run("vae", digits, out=tmp_path / "run", config=SMALL)
    with pytest.raises(UsageError, match="tvir resume"):
        plan_run("vae", digits, out=tmp_path / "run", config=SMALL)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(b"")
    with pytest.raises(UsageError, match="other things"):
        plan_run("vae", digits, out=tmp_path / "photos", config=SMALL)
    with pytest.raises(UsageError, match="is a file"):
        plan_run("vae", digits, out=tmp_path / "photos" / "a.jpg", config=SMALL)


@pytest.mark.parametrize(
    "wrong",
    [
        {"budget": "soon"},
        {"seed": -1},
        {"seed": 2**70},
        {"config": {"widht": 3}},
        {"model": "vea"},
        {"precision": "int4"},
    ],
)
def test_what_cannot_be_used_leaves_no_folder_behind(digits, tmp_path, wrong):
    asked = {"model": "vae", "config": SMALL, "out": tmp_path / "run", **wrong}
    with pytest.raises(UsageError):
        plan_run(asked.pop("model"), digits, **asked)
    assert not (tmp_path / "run").exists()


def test_a_relative_path_is_written_down_so_that_it_is_found_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("points.npy", np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32))
    record = plan_run("vae", open_dataset("points.npy"), config=SMALL, out="run").read()
    monkeypatch.chdir("/")
    assert DataRequest.of_record(record.data).open().fingerprint == record.data.fingerprint


def test_a_folder_named_like_a_built_in_name_does_not_take_its_place(digits, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").mkdir()
    assert plan_run("vae", digits, config=SMALL, out="run").read().data.reference == "digits"


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("digits", "digits"),
        ("/data/My Faces/", "my-faces"),
        ("hf:owner/name:train", "name-train"),
        ("a/b.npz", "b"),
        ("stacked:a/b", "stacked-b"),
    ],
)
def test_runs_are_named_after_the_last_part_of_their_data(reference, name):
    assert short_name(reference) == name


def test_precision_is_left_to_a_measurement_unless_it_is_asked_for():
    assert fixed_precision("auto") is None
    assert fixed_precision("float32") == Precision(decided_by="request")
    bfloat16 = fixed_precision("bfloat16")
    assert bfloat16 is not None
    assert bfloat16.autocast == "bfloat16"
