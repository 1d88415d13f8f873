"""What the critic sees examples through."""

import numpy as np
import pytest
import torch

from tvir.contracts.data import Examples, ImageSpec, VectorSpec
from tvir.contracts.noise import Noise
from tvir.models.gan.augmenting import Augmenter
from tvir.objectives.augmentation import (
    Adaptive,
    Augmentation,
    AutomaticAugmentation,
    DiffAugment,
    Unaugmented,
    _moved,
    _outside_of_a_box,
    augmented,
    shifted,
)

DIGITS = ImageSpec(channels=1, height=28, width=28)
COLOURS = ImageSpec(channels=3, height=16, width=24)


def images(spec=COLOURS, count=8):
    return 2 * torch.rand(count, *spec.shape, generator=torch.Generator().manual_seed(0)) - 1


def test_nothing_is_changed_with_a_probability_of_zero():
    assert torch.equal(augmented(images(), Noise(0, count=8), 0.0), images())


def test_every_image_is_changed_with_a_probability_of_one():
    changed = augmented(images(), Noise(0, count=8), 1.0)
    assert changed.shape == images().shape
    assert all(not torch.equal(one, other) for one, other in zip(changed, images(), strict=True))


def test_changes_belong_to_examples_and_not_to_batches():
    whole = augmented(images(), Noise(5, count=8), 0.5)
    parts = [augmented(images()[rows], Noise(5, count=4, first=rows.start), 0.5) for rows in (slice(0, 4), slice(4, 8))]
    torch.testing.assert_close(whole, torch.cat(parts))


def test_a_moved_image_is_moved_by_whole_pixels_and_repeats_its_edge():
    moved = _moved(images(), torch.tensor([[2.0, -3.0]]).repeat(8, 1))
    torch.testing.assert_close(moved[:, :, 3:, :-2], images()[:, :, :-3, 2:])
    torch.testing.assert_close(moved[:, :, 0, :-2], images()[:, :, 0, 2:])


def test_shifted_images_are_moved_by_no_more_than_an_eighth_of_a_side_and_else_unchanged():
    spot = torch.zeros(200, 1, 16, 24)
    spot[:, :, 8, 12] = 1.0
    where = shifted(spot, Noise(0, count=200)).nonzero()
    assert len(where) == 200
    down, across = where[:, 2] - 8, where[:, 3] - 12
    assert down.abs().max() == 2
    assert across.abs().max() == 3


def test_a_box_in_the_middle_is_a_quarter_of_the_image():
    outside = _outside_of_a_box(torch.full((1, 2), 0.5), 16, 24)
    assert (~outside).sum() == 8 * 12


def test_gradients_reach_the_generator_through_every_change():
    source = images().requires_grad_()
    augmented(source, Noise(0, count=8), 1.0).square().sum().backward()
    assert source.grad is not None
    assert all(gradient.any() for gradient in source.grad)


def test_small_data_is_augmented_and_large_or_tiny_is_not():
    automatic = AutomaticAugmentation()
    assert automatic.suited_to(DIGITS, 400) == Adaptive()
    assert automatic.suited_to(DIGITS, 50_000) == Unaugmented()
    assert automatic.suited_to(ImageSpec(channels=1, height=8, width=8), 400) == Unaugmented()
    assert DiffAugment().suited_to(VectorSpec(features=2), 10) == Unaugmented()


def augmenter(choice, count=400):
    found = Augmenter(Augmentation.parse(choice), DIGITS, batch_size=100)
    found.prepare(Examples(DIGITS, np.zeros((count, *DIGITS.row_shape), np.uint8)))
    return found


@pytest.mark.parametrize("choice", ["none", "auto"])
def test_what_is_off_costs_nothing(choice):
    rows = images(DIGITS)
    assert augmenter(choice, 50_000)(rows, Noise(0, count=8)) is rows


def test_the_probability_rises_while_the_critic_is_sure_of_real_examples_and_falls_after():
    found = augmenter("adaptive:pace=1000")
    sure, doubtful = torch.ones(10, 1), torch.tensor([[1.0], [-1.0]] * 5)
    for _ in range(3):
        found.watch(sure, -sure, relative=False)
    assert float(found.probability) == pytest.approx(0.3)
    found.watch(doubtful, -sure, relative=False)
    assert float(found.probability) == pytest.approx(0.2)
    for _ in range(20):
        found.watch(sure, -sure, relative=False)
    assert float(found.probability) == 1.0


def test_a_relativistic_critic_is_steered_by_differences_of_logits():
    found = augmenter("adaptive:pace=1000")
    found.watch(torch.full((10, 1), -3.0), torch.full((10, 1), -9.0), relative=True)
    assert float(found.probability) == pytest.approx(0.1)


def test_a_fixed_probability_is_left_alone():
    found = augmenter("diff-augment:probability=0.5")
    found.watch(torch.ones(10, 1), -torch.ones(10, 1), relative=False)
    assert float(found.probability) == 0.5


def test_what_was_settled_comes_back_with_the_weights():
    first, second = augmenter("auto"), Augmenter(AutomaticAugmentation(), DIGITS, batch_size=100)
    first.watch(torch.ones(10, 1), -torch.ones(10, 1), relative=False)
    second.load_state_dict(first.state_dict())
    assert second.probability == first.probability > 0


@pytest.mark.parametrize("choice", sorted(Augmentation.alternatives()))
def test_everything_remembered_is_finite(choice):
    assert all(buffer.isfinite().all() for buffer in augmenter(choice).buffers())
