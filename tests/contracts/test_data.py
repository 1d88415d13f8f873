"""The two forms of an example, and rows that do not stay in memory."""

import numpy as np
import pytest
import torch

from tvir.contracts.data import Examples, ImageSpec, TextSpec, VectorSpec
from tvir.contracts.errors import UsageError
from tvir.contracts.run import SpecRecord

SPECS = [
    ImageSpec(channels=3, height=5, width=7, classes=("a", "b")),
    ImageSpec(channels=1, height=8, width=8),
    ImageSpec(channels=3, height=4, width=4, classes=tuple(f"{n:03b}" for n in range(8)), channel_classes=("0", "1")),
    VectorSpec(features=4),
    TextSpec(vocabulary=50, length=9),
    TextSpec(vocabulary=4, length=9, pieces=(b"", "ї".encode(), b"\xd1", b"\\x")),
]


def random_rows(spec, count=6):
    generator = np.random.default_rng(0)
    if spec.row_dtype == np.uint8:
        return generator.integers(0, 256, (count, *spec.row_shape), dtype=np.uint8)
    if spec.row_dtype == np.uint16:
        return generator.integers(0, spec.vocabulary, (count, *spec.row_shape), dtype=np.uint16)
    return generator.normal(size=(count, *spec.row_shape)).astype(np.float32)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: type(spec).__name__)
def test_rows_survive_the_trip_through_the_model_form(spec):
    rows = random_rows(spec)
    inside = spec.to_model(rows)
    assert inside.shape == (len(rows), *spec.shape)
    assert np.array_equal(spec.to_rows(inside), rows)
    assert spec.to_rows(inside).dtype == spec.row_dtype


def test_every_byte_value_is_a_fixed_point_of_image_rounding():
    spec = ImageSpec(channels=1, height=16, width=16)
    rows = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    inside = spec.to_model(rows)
    assert inside.min() == -1.0
    assert inside.max() == 1.0
    assert np.array_equal(spec.to_rows(inside), rows)


def test_values_outside_the_range_are_clipped_not_wrapped():
    spec = ImageSpec(channels=1, height=1, width=2)
    assert spec.to_rows(torch.tensor([[[[-3.0, 3.0]]]])).ravel().tolist() == [0, 255]


def test_a_batch_of_images_is_channels_last_without_a_copy():
    spec = SPECS[0]
    assert spec.to_model(random_rows(spec)).is_contiguous(memory_format=torch.channels_last)


def test_a_mapped_file_gives_its_pages_back(tmp_path, monkeypatch):
    monkeypatch.setattr("tvir.contracts.data._RESIDENT_LIMIT", 1000)
    spec = ImageSpec(channels=1, height=16, width=16)
    stored = random_rows(spec, 64)
    np.save(tmp_path / "rows.npy", stored)
    examples = Examples(spec, np.load(tmp_path / "rows.npy", mmap_mode="r"))
    indices = np.random.default_rng(1).permutation(64)
    # Every take passes the limit, so pages are dropped again and again; the data must not change.
    for _ in range(5):
        assert np.array_equal(examples.take(indices), stored[indices])


def test_labels_are_int64_or_absent():
    spec = SPECS[1]
    rows = random_rows(spec)
    assert Examples(spec, rows).labels_at(np.array([0])) is None
    labels = Examples(spec, rows, np.arange(6, dtype=np.uint8)).labels_at(np.array([5, 0]))
    assert labels.dtype == torch.int64
    assert labels.tolist() == [5, 0]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: type(spec).__name__)
def test_a_spec_survives_run_json(spec):
    assert SpecRecord.of(spec).spec() == spec


@pytest.mark.parametrize("size", [(), (1, 8), (1, 8, 0), (1, 8, 2**40), (-1, 8, 8)])
def test_a_strangers_size_that_cannot_be_meant_is_refused(size):
    with pytest.raises(UsageError, match="size"):
        SpecRecord(kind="image", size=size).spec()


def test_a_class_is_of_one_piece_unless_the_channels_have_classes_of_their_own():
    assert [spec.class_shape for spec in SPECS[:3]] == [(2,), (0,), (2, 2, 2)]
    assert SPECS[2].channel == ImageSpec(channels=1, height=4, width=4, classes=("0", "1"))


def test_a_strangers_classes_that_are_not_made_of_those_of_the_channels_are_refused():
    with pytest.raises(UsageError, match="classes of the channels"):
        SpecRecord(kind="image", size=(3, 4, 4), classes=("a",), channel_classes=("0", "1")).spec()
