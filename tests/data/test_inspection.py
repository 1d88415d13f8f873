import numpy as np
import pytest

from tvir.contracts.data import Examples, ImageSpec
from tvir.data.inspection import inspect


def noise(count, seed=0, shape=(12, 12, 1)):
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), dtype=np.uint8)


def look(train, test=None, *, train_labels=None, test_labels=None, classes=()):
    spec = ImageSpec(channels=train.shape[-1], height=train.shape[1], width=train.shape[2], classes=classes)
    test = noise(10, seed=99, shape=train.shape[1:]) if test is None else test
    return inspect(spec, {"train": Examples(spec, train, train_labels), "test": Examples(spec, test, test_labels)})


def test_sound_data_has_no_findings():
    assert look(noise(80), train_labels=np.arange(80) % 2, test_labels=np.arange(10) % 2, classes=("a", "b")) == ()


def test_few_images_are_said():
    assert any("only 30 images" in finding for finding in look(noise(20)))
    assert not any("only" in finding for finding in look(noise(54)))


@pytest.mark.parametrize("shape", [(12, 12, 1), (9, 11, 3)])
def test_exact_duplicates_and_leakage_are_counted(shape):
    train = noise(70, shape=shape)
    train[5] = train[6] = train[0]
    findings = look(train, np.concatenate([noise(8, 1, shape), train[10:12]]))
    assert "4 of 80 images repeat another one exactly" in findings
    assert "leakage: 2 of the 10 test images are among the training images too" in findings


def test_one_changed_pixel_is_no_exact_duplicate():
    train = noise(70)
    train[5] = train[0]
    train[5, 0, 0, 0] ^= 255
    assert not any("exactly" in finding for finding in look(train))


def test_near_duplicates_are_counted_and_different_images_are_not():
    train = noise(70)
    train[5] = np.clip(train[0].astype(int) + 1, 0, 255)
    assert "1 of 80 images are nearly equal to another one" in look(train)


def test_images_alike_in_outline_alone_are_no_near_duplicates():
    train = noise(70)
    train[5] = np.where(train[0] > 127, 255, 0)  # nearly the same average hash, other pixels
    train[6] = np.where(train[0] > 127, 200, 60)
    assert not any("nearly equal" in finding for finding in look(train))


def test_constant_images_are_counted():
    train = noise(70, shape=(12, 12, 3))
    train[3], train[4] = 7, (1, 2, 3)
    assert "2 of 80 images are of one colour all over" in look(train)


def test_gray_images_stored_in_colour_are_said():
    gray = noise(80)
    findings = look(np.repeat(gray, 3, -1), np.repeat(noise(10, 1), 3, -1))
    assert any("gray though stored in colour" in finding for finding in findings)
    assert not any("gray" in finding for finding in look(noise(80, shape=(12, 12, 3))))


def test_thin_empty_and_unlabelled_classes_are_named():
    labels = np.zeros(80, np.int64)
    labels[:30], labels[79], labels[70:74] = 1, 2, -1
    findings = look(
        noise(80), train_labels=labels, test_labels=np.full(10, 4), classes=("many", "some", "lonely", "nobody", "late")
    )
    assert findings == (
        "4 of 90 examples are unlabelled",
        "the class 'nobody' is empty",
        "the class 'lonely' has a single example",
        "the class 'late' has no training example",
    )
