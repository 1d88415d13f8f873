"""Networks that answer noisy examples of any size, at any time."""

import pytest
import torch

from tvir.contracts.data import ImageSpec, TextSpec, VectorSpec
from tvir.contracts.errors import UsageError
from tvir.networks.denoising import denoiser_for

pytest.importorskip("diffusers")


@pytest.mark.parametrize("size", [(8, 8), (9, 12), (28, 28), (48, 48), (20, 33)], ids=str)
def test_images_of_any_size_are_answered_everywhere_and_told_the_time(size):
    torch.manual_seed(0)
    network = denoiser_for(ImageSpec(channels=3, height=size[0], width=size[1]), 2)
    images = torch.randn(2, 3, *size, requires_grad=True)
    answer = network(images, torch.tensor([0.1, 0.9]))
    assert answer.shape == images.shape
    (slopes,) = torch.autograd.grad(answer.square().sum(), images)
    assert (slopes.abs().sum((0, 1)) > 0).all(), "some pixel is not read"
    again = network(images, torch.tensor([0.1, 0.2]))
    assert torch.equal(answer[0], again[0])
    assert not torch.allclose(answer[1], again[1])


def test_vectors_are_answered_and_told_the_time():
    torch.manual_seed(0)
    network = denoiser_for(VectorSpec(features=3), 4)
    vectors = torch.randn(2, 3)
    answer, again = network(vectors, torch.tensor([0.1, 0.9])), network(vectors, torch.tensor([0.1, 0.2]))
    assert answer.shape == (2, 3)
    torch.testing.assert_close(answer[0], again[0])
    assert not torch.allclose(answer[1], again[1])


def test_text_has_no_denoiser_yet():
    with pytest.raises(UsageError, match="images or vectors"):
        denoiser_for(TextSpec(vocabulary=3, length=4), 2)
