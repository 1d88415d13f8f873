"""The adaptive weight against gradients worked by hand."""

import pytest
import torch

from tvir.objectives.balance import adaptive_weight


@pytest.fixture
def last_layer():
    return torch.tensor([1.0, 2.0], requires_grad=True)


def test_it_is_the_ratio_of_the_norms_of_the_gradients(last_layer):
    # d/dw (w1^2 + w2^2) = (2, 4); d/dw (3 w1 + 4 w2) = (3, 4), of norm 5.
    weight = adaptive_weight(last_layer.square().sum(), last_layer @ torch.tensor([3.0, 4.0]), last_layer)
    assert weight.item() == pytest.approx(20**0.5 / (5 + 1e-4))


def test_with_it_both_losses_pull_alike(last_layer):
    reconstruction, adversarial = (last_layer - 7).pow(4).sum(), last_layer.exp().sum()
    weighted = adaptive_weight(reconstruction, adversarial, last_layer) * adversarial
    norms = [torch.autograd.grad(loss, last_layer)[0].norm().item() for loss in (reconstruction, weighted)]
    assert norms[1] == pytest.approx(norms[0], rel=1e-2)


def test_it_has_no_gradient_and_an_upper_limit(last_layer):
    weight = adaptive_weight(1e9 * last_layer.sum(), 0 * last_layer.sum(), last_layer)
    assert weight.item() == 1e4
    assert not weight.requires_grad
