"""Pictures show every example where it belongs."""

import numpy as np
import pytest
from PIL import Image
from toy_models import PLANE, ClosedForm, Mean, build, digit_examples, plan, plane_examples

from tvir.contracts.data import ImageSpec, TextSpec, VectorSpec
from tvir.contracts.model import Conditional
from tvir.training.previews import picture, save_preview, window


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_a_grid_holds_each_image_in_reading_order(channels, mode):
    spec = ImageSpec(channels=channels, height=2, width=3)
    rows = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 3, channels), dtype=np.uint8)
    grid = picture(spec, rows, columns=3, scale=2)
    assert grid.mode == mode
    assert grid.size == (1 + 3 * (6 + 1), 1 + 2 * (4 + 1))
    pixels = np.asarray(grid).reshape(grid.height, grid.width, channels)
    assert [int(pixels[1, 1 + 7 * column, 0]) for column in range(3)] == [0, 1, 2]
    assert (pixels[6:10, 8:14] == 4).all()
    assert (pixels[6:, 15:] == 255).all()


def test_small_images_are_enlarged_and_large_ones_are_not():
    small = picture(ImageSpec(channels=1, height=8, width=8), np.zeros((1, 8, 8, 1), dtype=np.uint8))
    large = picture(ImageSpec(channels=1, height=64, width=64), np.zeros((1, 64, 64, 1), dtype=np.uint8))
    assert small.size == (34, 34)
    assert large.size == (66, 66)


def test_a_scatter_plot_puts_points_where_they_are():
    points = np.array([[0.5, 0.5]], dtype=np.float32)
    image = np.asarray(picture(PLANE, points, bounds=(0.0, 0.0, 1.0, 1.0)).convert("RGB"))
    dark = np.argwhere((image == (31, 78, 140)).all(axis=2))
    np.testing.assert_allclose(dark.mean(axis=0), [159.5, 159.5], atol=1.0)


@pytest.mark.parametrize("rows", [np.zeros((0, 2)), np.full((3, 2), np.nan), np.ones((1, 2)), np.full((2, 2), 1e30)])
def test_scatter_plots_survive_odd_points(rows):
    assert picture(PLANE, rows.astype(np.float32)).size == (320, 320)


def test_other_kinds_of_data_have_a_picture_too():
    line = VectorSpec(features=1)
    assert picture(line, np.linspace(0, 1, 20, dtype=np.float32)[:, None]).size == (320, 320)
    text = TextSpec(vocabulary=5, length=7)
    assert picture(text, np.ones((3, 7), dtype=np.int64), scale=4).size == (30, 16)
    assert picture(VectorSpec(features=3), np.zeros((2, 3), dtype=np.float32)).size == (320, 320)


def test_nothing_makes_an_empty_picture():
    assert isinstance(
        picture(ImageSpec(channels=1, height=4, width=4), np.zeros((0, 4, 4, 1), dtype=np.uint8)), Image.Image
    )


def test_the_same_model_gives_the_same_picture(tmp_path):
    folder, model = plan(tmp_path), build(ClosedForm, PLANE)
    bounds = window(plane_examples())
    first = save_preview(folder, model, 7, 64, bounds)
    assert first.name == "00000007.png"
    assert save_preview(folder, model, 8, 64, bounds).read_bytes() == first.read_bytes()


def test_a_conditional_model_is_asked_for_its_classes_in_turn(tmp_path):
    asked = []

    class Classes(Mean, Conditional):
        def generate(self, noise, condition):
            asked.append(condition)
            return super().generate(noise, condition)

    examples = digit_examples()
    save_preview(plan(tmp_path), build(Classes, examples.spec), 0, 6, window(examples))
    assert asked[0].tolist() == [0, 1, 0, 1, 0, 1]
