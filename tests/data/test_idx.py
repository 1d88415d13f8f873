import gzip

import numpy as np
import pytest

from tvir.contracts.errors import TvirError
from tvir.data.opening import open_dataset

pytestmark = pytest.mark.usefixtures("fresh_cache")


def idx(array):
    sizes = np.array(array.shape, ">u4").tobytes()
    return bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes()


def write(root, name, content, *, packed=False):
    root.mkdir(exist_ok=True)
    (root / (name + ".gz" if packed else name)).write_bytes(gzip.compress(content) if packed else content)


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (40, 9, 11), dtype=np.uint8)


@pytest.mark.parametrize("packed", [True, False])
def test_pixels_labels_and_the_test_split_come_through(tmp_path, images, packed):
    labels = np.arange(40) % 5
    write(tmp_path, "train-images-idx3-ubyte", idx(images[:30]), packed=packed)
    write(tmp_path, "train-labels-idx1-ubyte", idx(labels[:30]), packed=packed)
    write(tmp_path, "t10k-images-idx3-ubyte", idx(images[30:]), packed=packed)
    write(tmp_path, "t10k-labels-idx1-ubyte", idx(labels[30:]), packed=packed)
    dataset = open_dataset(str(tmp_path))
    np.testing.assert_array_equal(dataset.test.rows[..., 0], images[30:])
    np.testing.assert_array_equal(dataset.test.labels, labels[30:])
    assert dataset.spec.classes == ("0", "1", "2", "3", "4")
    assert (len(dataset.train), len(dataset.validation)) == (27, 3)
    assert dataset.options == {"size": "9x11", "channels": 1, "fit": "crop"}


def test_images_without_labels_are_unlabelled(tmp_path, images):
    write(tmp_path, "train-images.idx3-ubyte", idx(images))
    assert open_dataset(str(tmp_path)).train.labels is None


def test_another_size_and_colour_can_be_asked_for(tmp_path, images):
    write(tmp_path, "train-images-idx3-ubyte", idx(images))
    dataset = open_dataset(str(tmp_path), size=16, channels=3)
    assert dataset.train.rows.shape[1:] == (16, 16, 3)
    assert (dataset.train.rows[..., 0] == dataset.train.rows[..., 2]).all()


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda content: content[:-1], "truncated"),
        (lambda content: content + b"\0", "longer than its header says"),
        (lambda content: b"\0\0\x0d" + content[3:], "no IDX file of bytes: it begins with 00 00 0d 03"),
        (lambda content: b"\x89PNG" + content[4:], "no IDX file of bytes"),
        (lambda content: content[:10], "truncated inside its header"),
        (lambda content: content[:4] + b"\xff" * 4 + content[8:], "truncated: its header promises"),
        (lambda content: content[:8] + b"\xff" * 4 + content[12:], "which none are"),
        (lambda content: content[:8] + b"\0" * 4 + content[12:], "which none are"),
    ],
)
def test_a_header_that_lies_is_one_clear_line(tmp_path, images, change, complaint, packed):
    write(tmp_path, "train-images-idx3-ubyte", change(idx(images)), packed=packed)
    with pytest.raises(TvirError, match=complaint) as caught:
        open_dataset(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_damaged_gzip_stream_is_one_clear_line(tmp_path, images):
    write(tmp_path, "train-images-idx3-ubyte", idx(images), packed=True)
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(TvirError, match="truncated or corrupt"):
        open_dataset(str(tmp_path))


def test_labels_must_be_as_many_as_images(tmp_path, images):
    write(tmp_path, "train-images-idx3-ubyte", idx(images))
    write(tmp_path, "train-labels-idx1-ubyte", idx(np.zeros(39)))
    with pytest.raises(TvirError, match="holds 39 labels, train-images-idx3-ubyte 40 images"):
        open_dataset(str(tmp_path))
