import io
import zipfile

import numpy as np
import pytest

from tvir.contracts.data import ImageSpec, VectorSpec
from tvir.contracts.errors import TvirError, UsageError
from tvir.data.opening import open_dataset

pytestmark = pytest.mark.usefixtures("fresh_cache")


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (30, 10, 12, 3), dtype=np.uint8)


def rows_in_order(dataset):
    """All rows, sorted by content: splits deal them in an order of their own."""
    rows = np.concatenate([split.rows for split in (dataset.train, dataset.validation, dataset.test)])
    return sorted(row.tobytes() for row in rows)


@pytest.mark.parametrize("key", ["x", "images", "arr_0", "X"])
def test_rows_are_found_under_their_usual_names(tmp_path, pixels, key):
    np.savez_compressed(tmp_path / "a.npz", **{key: pixels, "y": np.arange(30) % 3})
    dataset = open_dataset(str(tmp_path / "a.npz"))
    assert dataset.spec == ImageSpec(channels=3, height=10, width=12, classes=("0", "1", "2"))
    assert rows_in_order(dataset) == sorted(row.tobytes() for row in pixels)


@pytest.mark.parametrize(
    "names",
    [("x_train", "y_train", "x_test", "y_test"), ("train_images", "train_labels", "test_images", "test_labels")],
)
def test_named_splits_are_kept(tmp_path, pixels, names):
    labels = (np.arange(30) % 3).reshape(-1, 1)
    arrays = (pixels[:20], labels[:20], pixels[20:], labels[20:])
    np.savez(tmp_path / "a.npz", **dict(zip(names, arrays, strict=True)))
    dataset = open_dataset(str(tmp_path / "a.npz"))
    np.testing.assert_array_equal(dataset.test.rows, pixels[20:])
    np.testing.assert_array_equal(dataset.test.labels, labels[20:, 0])


@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_files_in_either_order_of_memory_are_read(tmp_path, pixels, order):
    np.save(tmp_path / "a.npy", np.asarray(pixels, order=order))
    dataset = open_dataset(str(tmp_path / "a.npy"))
    assert rows_in_order(dataset) == sorted(row.tobytes() for row in pixels)


@pytest.mark.parametrize(
    "as_stored",
    [
        lambda pixels: pixels / 255,
        lambda pixels: (pixels / 255).astype(np.float32),
        lambda pixels: pixels.astype(np.int64),
        lambda pixels: pixels.astype(np.float64),
        lambda pixels: pixels.astype(np.uint16) * 257,
        lambda pixels: pixels.astype(">u2") * np.uint16(257),
        lambda pixels: pixels.transpose(0, 3, 1, 2),
    ],
    ids=["float64", "float32", "int64", "whole floats", "uint16", "big-endian", "channels first"],
)
def test_pixels_come_through_however_they_are_stored(tmp_path, pixels, as_stored):
    np.save(tmp_path / "a.npy", as_stored(pixels))
    assert rows_in_order(open_dataset(str(tmp_path / "a.npy"))) == sorted(row.tobytes() for row in pixels)


def test_gray_and_boolean_images_need_no_channel_axis(tmp_path, pixels):
    mask = pixels[..., 0] > 127
    np.save(tmp_path / "a.npy", mask)
    dataset = open_dataset(str(tmp_path / "a.npy"))
    assert dataset.spec.shape == (1, 10, 12)
    assert rows_in_order(dataset) == sorted((255 * row.astype(np.uint8)).tobytes() for row in mask)


def test_matrices_are_vectors(tmp_path):
    vectors = np.random.default_rng(0).normal(size=(50, 4))
    np.savez(tmp_path / "a.npz", x=vectors, y=["odd", "even"] * 25)
    dataset = open_dataset(str(tmp_path / "a.npz"))
    assert dataset.spec == VectorSpec(features=4, classes=("even", "odd"))
    assert rows_in_order(dataset) == sorted(row.tobytes() for row in vectors.astype(np.float32))


def test_vectors_have_no_size(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((5, 2)))
    with pytest.raises(UsageError, match="holds vectors, not images"):
        open_dataset(str(tmp_path / "a.npy"), size=32)


def test_class_names_can_be_given(tmp_path, pixels):
    np.savez(tmp_path / "a.npz", x=pixels, y=np.arange(30) % 2, classes=["cat", "dog"])
    assert open_dataset(str(tmp_path / "a.npz")).spec.classes == ("cat", "dog")


class _Trap:
    """What a stranger's pickle could do."""

    def __reduce__(self):
        return (pytest.fail, ("a pickle was read",))


def test_pickled_objects_are_refused_and_never_read(tmp_path, pixels):
    np.savez(tmp_path / "a.npz", x=pixels, y=np.array([_Trap()] * 30, object))
    with pytest.raises(TvirError, match="pickled Python objects, which tvir never reads"):
        open_dataset(str(tmp_path / "a.npz"))
    np.save(tmp_path / "b.npy", np.array([_Trap()] * 30, object))
    with pytest.raises(TvirError, match="pickled Python objects, which tvir never reads"):
        open_dataset(str(tmp_path / "b.npy"))


@pytest.mark.parametrize(
    ("array", "complaint"),
    [
        (np.zeros((4, 8, 8)) - 1, r"from -1 to -1; expected uint8, or floats from 0 to 1; \(x \+ 1\) / 2 mends it"),
        (np.full((4, 8, 8), 1000.0), "expected uint8, or floats from 0 to 1"),
        (np.full((4, 8, 8), np.nan), "not finite"),
        (np.array([[1.0, np.inf]]), "not finite"),
        (np.array([[1e300, 0.0]]), "do not fit into float32"),
        (np.zeros((4, 8, 8, 2)), "has the shape"),
        (np.zeros(4), "has the shape"),
        (np.zeros((0, 8, 8)), "is empty"),
        (np.array(["a", "b"]), "values of type <U1"),
        (np.zeros((4, 8, 8), complex), "values of type complex128"),
    ],
)
def test_arrays_that_are_no_examples_are_one_clear_line(tmp_path, array, complaint):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(TvirError, match=complaint):
        open_dataset(str(tmp_path / "a.npy"))


@pytest.mark.parametrize("name", ["a.npz", "a.npy"])
@pytest.mark.parametrize(
    "damage",
    [lambda content: content[:-900], lambda content: content[:60], lambda _: b"text"],
    ids=["end", "head", "all"],
)
def test_damaged_files_are_one_clear_line(tmp_path, pixels, name, damage):
    np.savez_compressed(tmp_path / "a.npz", x=pixels)
    np.save(tmp_path / "a.npy", pixels)
    (tmp_path / name).write_bytes(damage((tmp_path / name).read_bytes()))
    with pytest.raises(TvirError) as caught:
        open_dataset(str(tmp_path / name))
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)


def test_a_damaged_member_of_an_npz_file_is_noticed_by_its_checksum(tmp_path, pixels):
    np.savez_compressed(tmp_path / "a.npz", x=pixels)
    content = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(content[:5000] + bytes(200) + content[5200:])
    with pytest.raises(TvirError, match="truncated or corrupt"):
        open_dataset(str(tmp_path / "a.npz"))


def test_a_header_larger_than_its_content_is_refused_before_memory_is_asked_for(tmp_path):
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "|u1", "fortran_order": False, "shape": (10**9, 64, 64)})
    (tmp_path / "a.npy").write_bytes(stream.getvalue() + bytes(100))
    with pytest.raises(TvirError, match="shorter than its header says"):
        open_dataset(str(tmp_path / "a.npy"))
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", stream.getvalue() + bytes(100))
    with pytest.raises(TvirError, match="shorter than its header says"):
        open_dataset(str(tmp_path / "a.npz"))


def test_labels_of_another_length_are_refused(tmp_path, pixels):
    np.savez(tmp_path / "a.npz", x=pixels, y=np.zeros(29, int))
    with pytest.raises(TvirError, match="one label for each of 30 examples"):
        open_dataset(str(tmp_path / "a.npz"))


def test_a_file_without_rows_says_what_it_holds(tmp_path):
    np.savez(tmp_path / "a.npz", weights=np.zeros(3))
    with pytest.raises(TvirError, match="holds weights; expected x, images or arr_0"):
        open_dataset(str(tmp_path / "a.npz"))
