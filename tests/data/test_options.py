import pytest

from tvir.contracts.errors import UsageError
from tvir.data.images import Measured
from tvir.data.options import ImageOptions, default_size, parse_size


def measured(*sizes, gray=False):
    return [Measured(height=height, width=width, gray=gray) for height, width in sizes]


@pytest.mark.parametrize("size", [(48, 64), "48x64", "48X64", " 48×64 "])
def test_sizes_are_height_then_width_however_they_are_written(size):
    assert parse_size(size) == (48, 64)


@pytest.mark.parametrize("size", [7, 257, 0, -8, "", "x", "64x", "8x300", "big", (8,), (8, 8, 8), 12.5])
def test_impossible_sizes_are_refused(size):
    with pytest.raises(UsageError, match="from 8 to 256"):
        parse_size(size)


def test_equal_images_keep_their_size():
    assert default_size(measured((28, 28), (28, 28))) == (28, 28)
    assert default_size(measured((48, 64))) == (48, 64)


def test_unequal_images_get_the_median_shorter_side_in_eights_at_most_64():
    assert default_size(measured((30, 50), (45, 39), (60, 41))) == (32, 32)
    assert default_size(measured((500, 400), (300, 900))) == (64, 64)
    assert default_size(measured((3, 5), (4, 4))) == (8, 8)


def test_equal_images_that_are_too_large_to_train_on_are_reduced():
    assert default_size(measured((512, 512), (512, 512))) == (64, 64)


def test_one_colour_image_makes_the_data_colour():
    asked = ImageOptions.checked(None, None, "crop")
    assert asked.form(measured((8, 8), gray=True)).channels == 1
    assert asked.form(measured((8, 8), gray=True) + measured((8, 8))).channels == 3


def test_impossible_channels_and_fits_are_refused():
    with pytest.raises(UsageError, match="channels=2"):
        ImageOptions.checked(None, 2, "crop")
    with pytest.raises(UsageError, match="crop or pad"):
        ImageOptions.checked(None, None, "stretch")
