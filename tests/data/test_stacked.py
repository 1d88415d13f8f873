"""Stacks: three images of one split as the channels of one, and the number made of their labels."""

import numpy as np
import pytest

from tvir.contracts.errors import UsageError
from tvir.data import stacked
from tvir.data.opening import find_source, open_dataset
from tvir.workflows.requesting import record_data


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(stacked, "_COUNTS", (("train", 600), ("validation", 200), ("test", 200)))


def test_the_channels_of_every_split_are_images_of_that_split_alone(few):
    digits, stacks = open_dataset("digits"), open_dataset("stacked:digits")
    for name in ("train", "validation", "test"):
        known = {row.tobytes() for row in getattr(digits, name).rows}
        drawn = getattr(stacks, name).rows
        assert all(np.ascontiguousarray(row[..., channel]).tobytes() in known for row in drawn for channel in range(3))


def test_the_class_is_the_number_made_of_the_labels(few):
    digits, stacks = open_dataset("digits"), open_dataset("stacked:digits")
    label = {row.tobytes(): int(found) for row, found in zip(digits.test.rows, digits.test.labels, strict=True)}
    assert stacks.spec.shape == (3, 8, 8)
    assert stacks.spec.class_shape == (10, 10, 10)
    assert stacks.spec.channel_classes == digits.spec.classes
    for row, number in zip(stacks.test.rows, stacks.test.labels, strict=True):
        parts = [label[np.ascontiguousarray(row[..., channel]).tobytes()] for channel in range(3)]
        assert stacks.spec.classes[number] == "".join(map(str, parts)) == f"{number:03}"


def test_every_reading_draws_the_same_stacks(few, tmp_path, monkeypatch):
    first = open_dataset("stacked:digits")
    monkeypatch.setenv("TVIR_CACHE", str(tmp_path))
    again = open_dataset("stacked:digits", **first.options)
    assert again.fingerprint == first.fingerprint
    assert np.array_equal(again.train.rows, first.train.rows)
    assert np.array_equal(again.train.labels, first.train.labels)
    assert not np.array_equal(first.validation.rows, first.test.rows)


def test_other_stacks_have_another_fingerprint(few, monkeypatch):
    first = open_dataset("stacked:digits").fingerprint
    monkeypatch.setattr(stacked, "_SEED", 1)
    assert open_dataset("stacked:digits").fingerprint != first


def test_names_of_several_letters_are_kept_apart():
    assert stacked._stacked_names(("a", "bc"))[:3] == ("a-a-a", "a-a-bc", "a-bc-a")


@pytest.mark.parametrize(
    ("reference", "complaint"),
    [
        ("stacked:", "names no data to stack"),
        ("stacked:no-such-data", "there is no data 'no-such-data'"),
        ("stacked:ring8", "ring8 holds no images"),
        ("stacked:stacked:digits", "images of 3 channels"),
    ],
)
def test_what_cannot_be_stacked_is_one_clear_line(few, reference, complaint):
    with pytest.raises(UsageError, match=complaint) as error:
        open_dataset(reference)
    assert "\n" not in str(error.value)


def test_images_without_labels_cannot_be_stacked(few, fill, tmp_path):
    folder = fill(tmp_path / "gray", 20, mode="L")
    with pytest.raises(UsageError, match="no labels in every split"):
        open_dataset(f"stacked:{folder}")


def test_channels_that_are_images_are_not_mixed(few):
    with pytest.raises(UsageError, match="--channels 1 would mix them"):
        open_dataset("stacked:digits", channels=1)


def test_a_run_finds_its_stacks_from_any_folder(few, fill, tmp_path, monkeypatch):
    for name in ("one", "two"):
        fill(tmp_path / "gray" / name, 20, mode="L", first=100 * len(name))
    monkeypatch.chdir(tmp_path)
    record = record_data(open_dataset("stacked:gray"))
    assert record.reference == f"stacked:{tmp_path / 'gray'}"
    assert record_data(open_dataset("stacked:digits")).reference == "stacked:digits"
    assert record.spec.spec().channel_classes == ("one", "two")
    assert find_source(record.reference).recognise(record.reference) is not None
