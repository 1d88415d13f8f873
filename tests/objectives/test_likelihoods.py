"""Likelihoods against their definitions."""

import math

import pytest
import torch
from torch.distributions import Independent, Normal

from tvir.contracts.data import ImageSpec, VectorSpec
from tvir.objectives.likelihoods import Bernoulli, DiscretisedLogistic, Gaussian, Likelihood

VECTORS = VectorSpec(features=3)
IMAGES = ImageSpec(channels=1, height=2, width=2)
GREYS = torch.arange(256) / 127.5 - 1


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_shared_gaussian_is_a_normal_density():
    examples, output, log_scale = random(5, 3), random(5, 3, seed=1), torch.tensor(-0.7)
    expected = Independent(Normal(output, log_scale.exp()), 1).log_prob(examples)
    torch.testing.assert_close(
        Gaussian().log_prob(examples, output, log_scale, VECTORS), expected, atol=1e-2, rtol=1e-2
    )


def test_the_gaussian_of_images_is_centred_within_their_range():
    output = 5 * random(4, 2, 2, 2)
    likelihood = Gaussian(scale="each")
    mean = likelihood.mean(output, IMAGES)
    assert mean.shape == (4, 1, 2, 2)
    assert mean.abs().max() <= 1
    here = likelihood.log_prob(mean, output, None, IMAGES)
    assert (here > likelihood.log_prob(mean + 0.1, output, None, IMAGES)).all()


@pytest.mark.parametrize("location", [-3.0, -0.6, 0.0, 0.3, 3.0])
@pytest.mark.parametrize("log_scale", [-6.0, -2.0, 0.5])
def test_the_discretised_logistic_adds_up_to_one_over_256_values(location, log_scale):
    pixel = ImageSpec(channels=1, height=1, width=1)
    output, shared = torch.full((256, 1, 1, 1), location), torch.tensor(log_scale)
    log_prob = DiscretisedLogistic().log_prob(GREYS.view(-1, 1, 1, 1), output, shared, pixel)
    assert torch.isfinite(log_prob).all()
    assert log_prob.exp().sum().item() == pytest.approx(1, abs=1e-4)


def test_a_very_wide_logistic_puts_half_its_mass_in_each_outermost_bin():
    pixel = ImageSpec(channels=1, height=1, width=1)
    black = DiscretisedLogistic().log_prob(
        torch.full((1, 1, 1, 1), -1.0), torch.zeros(1, 1, 1, 1), torch.tensor(12.0), pixel
    )
    assert black.exp().item() == pytest.approx(0.5, abs=1e-3)


def test_bernoulli_counts_a_grey_value_as_a_share_of_white():
    logit = math.log(3)  # p(white) = 3/4
    examples = torch.tensor([-1.0, 1.0, 0.0, 1.0]).view(1, 1, 2, 2)
    output = torch.full((1, 1, 2, 2), logit)
    expected = math.log(1 / 4) + math.log(3 / 4) + 0.5 * (math.log(3 / 4) + math.log(1 / 4)) + math.log(3 / 4)
    assert Bernoulli().log_prob(examples, output, None, IMAGES).item() == pytest.approx(expected, abs=1e-5)
    torch.testing.assert_close(Bernoulli().mean(output, IMAGES), torch.full((1, 1, 2, 2), 0.5))


@pytest.mark.parametrize("name", Likelihood.alternatives())
def test_the_best_place_for_the_mean_is_the_example(name):
    likelihood = Likelihood.parse(name)
    examples = torch.full((1, 1, 2, 2), 0.5)
    output = torch.zeros(1, likelihood.outputs, 2, 2, requires_grad=True)
    log_scale = torch.tensor(0.0) if likelihood.shares_scale else None
    (slope,) = torch.autograd.grad(likelihood.log_prob(examples, output, log_scale, IMAGES).sum(), output)
    assert (slope[:, :1] > 0).all()


def test_likelihoods_need_as_many_outputs_as_they_state():
    assert Gaussian().outputs == Bernoulli().outputs == DiscretisedLogistic().outputs == 1
    assert Gaussian(scale="each").outputs == DiscretisedLogistic(scale="each").outputs == 2


def test_the_scale_of_a_perfect_reconstruction_stays_bounded():
    examples = torch.zeros(1, 3)
    log_prob = Gaussian().log_prob(examples, examples, torch.tensor(-100.0), VECTORS)
    assert torch.isfinite(log_prob).all()
    assert log_prob.item() == pytest.approx(3 * (7 - 0.5 * math.log(2 * math.pi)), rel=1e-3)
