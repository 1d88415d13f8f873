import sys

import numpy as np
import pytest

from tvir.contracts.errors import MissingExtraError, TvirError, UsageError
from tvir.data.opening import open_dataset


@pytest.fixture
def hub(tmp_path, monkeypatch, fresh_cache):
    """A folder that ``datasets`` reads as OWNER/NAME, without the hub."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    return tmp_path / "owner" / "name"


def test_splits_labels_and_class_names_come_through(hub, fill, picture):
    for place, (split, count) in enumerate({"train": 10, "test": 4}.items()):
        fill(hub / split / "cat", count, first=40 * place)
        fill(hub / split / "dog", count, first=40 * place + 20)
    dataset = open_dataset("hf:owner/name")
    assert dataset.reference == "hf:owner/name"
    assert dataset.spec.classes == ("cat", "dog")
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (18, 2, 8)
    truth = {np.asarray(picture(40 + index)).tobytes(): 0 for index in range(4)}
    truth |= {np.asarray(picture(60 + index)).tobytes(): 1 for index in range(4)}
    assert [truth[row.tobytes()] for row in dataset.test.rows] == dataset.test.labels.tolist()
    assert open_dataset("hf:owner/name").fingerprint == dataset.fingerprint


def test_one_split_can_be_asked_for(hub, fill):
    fill(hub / "train", 10)
    fill(hub / "test", 8, first=20)
    dataset = open_dataset("hf:owner/name:test")
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (4, 2, 2)


def test_what_the_hub_does_not_have_is_one_clear_line(hub):
    with pytest.raises(TvirError, match="hf:owner/name cannot be loaded") as caught:
        open_dataset("hf:owner/name")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("reference", ["hf:", "hf:../../etc", "hf:a/b/c", "hf:a b"])
def test_names_that_cannot_be_on_the_hub_are_refused(reference):
    with pytest.raises(UsageError, match=r"expected hf:OWNER/NAME\[:SPLIT\]"):
        open_dataset(reference)


def test_without_datasets_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtraError, match=r"tvir\[hub\]"):
        open_dataset("hf:owner/name")
