"""Bounds and divergences against linear-Gaussian models, whose likelihood is known."""

import math

import pytest
import torch
from torch.distributions import Independent, Normal, kl_divergence

from tvir.contracts.noise import Noise
from tvir.objectives.divergences import normal_divergence
from tvir.objectives.elbo import evidence_bound, importance_weighted_bound, normal_log_prob

EXACT = -0.5 * math.log(2 * math.pi * 2)
"""log p(x=0) of x = z + noise, both standard normal: -1.265512."""


def scalar(value):
    return torch.tensor([[float(value)]])


def log_weights(samples, mean, log_variance, repeats=1, seed=0):
    """log p(x=0, z) - log q(z) for z from q, in the linear model with W = s = 1."""
    draws = Noise(seed, count=samples * repeats).normal(1)
    latents = mean + math.exp(0.5 * log_variance) * draws
    joint = normal_log_prob(torch.zeros_like(latents), latents, scalar(0)) + normal_log_prob(
        latents, scalar(0), scalar(0)
    )
    return (joint - normal_log_prob(latents, scalar(mean), scalar(log_variance))).view(samples, repeats)


def test_the_divergence_is_that_of_torch_distributions():
    mean, log_variance = torch.tensor([[0.5, -2.0, 0.0]]), torch.tensor([[0.3, -1.0, 0.0]])
    posterior = Independent(Normal(mean, (0.5 * log_variance).exp()), 1)
    prior = Independent(Normal(torch.zeros(1, 3), torch.ones(1, 3)), 1)
    torch.testing.assert_close(normal_divergence(mean, log_variance), kl_divergence(posterior, prior))


def test_a_posterior_equal_to_the_prior_costs_nothing():
    assert normal_divergence(torch.zeros(2, 4), torch.zeros(2, 4)).tolist() == [0.0, 0.0]


def test_with_the_exact_posterior_the_bound_is_the_likelihood():
    # Posterior of z given x = 0: N(0, 1/2). E_q log p(x|z) = -1/2 log 2 pi - 1/2 * 1/2.
    log_likelihood = torch.tensor([-0.5 * math.log(2 * math.pi) - 0.25])
    divergence = normal_divergence(scalar(0), scalar(math.log(0.5)))
    bound = evidence_bound(log_likelihood, divergence)
    assert bound.item() == pytest.approx(EXACT, abs=1e-6)
    assert pytest.approx(-1.265512, abs=1e-6) == EXACT


def test_with_the_exact_posterior_importance_weights_do_not_vary():
    weights = log_weights(64, mean=0.0, log_variance=math.log(0.5))
    torch.testing.assert_close(weights, torch.full_like(weights, EXACT), atol=1e-5, rtol=0)


@pytest.mark.parametrize(("samples", "expected"), [(5, -1.2824), (50, -1.2673), (500, -1.2656)])
def test_the_importance_weighted_bound_tightens_as_simulated(samples, expected):
    bounds = importance_weighted_bound(log_weights(samples, 0.0, 0.0, repeats=200_000 // samples))
    error = (bounds.std() / math.sqrt(len(bounds))).item()
    assert bounds.mean().item() == pytest.approx(expected, abs=4 * error)
    assert error < 0.01


def test_beta_weighs_the_divergence():
    bound = evidence_bound(torch.tensor([-3.0]), torch.tensor([2.0]), beta=0.5)
    assert bound.item() == -4.0


def test_one_importance_weight_is_the_plain_bound():
    weights = log_weights(1, 0.3, -0.2)
    torch.testing.assert_close(importance_weighted_bound(weights), weights[0])
