"""Likelihood and cost of models whose likelihood and cost are known."""

import math

import numpy as np
import pytest
import torch
from synthetic import context, points
from torch import nn

from tvir.contracts.data import ImageSpec, VectorSpec
from tvir.contracts.diagram import Box, Diagram, Role
from tvir.contracts.flops import step_flops
from tvir.contracts.metric import Context
from tvir.contracts.model import HasLatentDensity, HasLikelihood, Measure, ModelConfig, Phase, Player, Stage
from tvir.evaluation.metrics.ais_spot_check import annealed_log_likelihood
from tvir.evaluation.metrics.likelihood import SAMPLES, Likelihood, bits_per_dimension, likelihood_space
from tvir.evaluation.metrics.sampling_cost import SamplingCost
from tvir.models.vae.vae import Vae
from tvir.objectives.elbo import importance_weighted_bound, normal_log_prob

EXACT = -0.5 * math.log(2 * math.pi * 2)
"""log p(x=0) of x = z + noise, both standard normal: -1.265512."""


class Linear(HasLatentDensity):
    """Probabilistic PCA with W = s = 1; the posterior is exact, or the prior stands in for it."""

    def __init__(self, *, exact):
        super().__init__(VectorSpec(features=1), ModelConfig(batch_size=8))
        self.exact = exact
        self.network = nn.Linear(1, 1)

    latent_shape = (1,)

    def sample_prior(self, noise, condition=None):
        return noise.normal(1)

    def decode(self, latents, condition=None):
        return self.network(latents)

    def log_prior(self, latents):
        return normal_log_prob(latents, torch.zeros_like(latents), torch.zeros_like(latents))

    def log_likelihood(self, examples, latents):
        return normal_log_prob(examples, latents, torch.zeros_like(latents))

    def elbo(self, examples, noise, samples=1):
        mean, log_variance = (examples / 2, math.log(0.5)) if self.exact else (torch.zeros_like(examples), 0.0)
        log_variance = torch.full_like(examples, log_variance)
        weights = []
        for draw in noise.normal(samples, 1).unbind(1):
            z = mean + torch.exp(0.5 * log_variance) * draw
            joint = self.log_likelihood(examples, z) + self.log_prior(z)
            weights.append(joint - normal_log_prob(z, mean, log_variance))
        return importance_weighted_bound(torch.stack(weights))

    def stages(self):
        player = Player(name="all", parameters=list(self.parameters()))
        loss = {"all": lambda batch: {"error": self.network(batch.data).square().mean()}}["all"]
        return [Stage(name="only", phases=[Phase(name="all", player=player, loss=loss, every=2)])]

    def diagram(self):
        return Diagram(boxes=[Box(name="network", role=Role.NETWORK, module=self.network)], arrows=[])


class UniformGray(HasLikelihood):
    """Every gray level alike."""

    def __init__(self, measure):
        super().__init__(ImageSpec(channels=1, height=3, width=2), ModelConfig())
        self.said = measure

    @property
    def measure(self):
        return self.said

    def log_prob(self, examples, condition=None):
        if self.said is Measure.DENSITY:
            # Uniform on [-1 - 1/255, 1 + 1/255], which is 256 levels of width 2/255.
            assert float(examples.abs().max()) <= 1 + 1 / 255
            return torch.full((len(examples),), -6 * math.log(2 * 256 / 255))
        return torch.full((len(examples),), -6 * math.log(256))

    def generate(self, noise, condition):
        return noise.uniform(1, 3, 2) * 2 - 1

    def stages(self):
        return []

    def diagram(self):
        return Diagram(boxes=[], arrows=[])


def grays(count):
    return np.random.default_rng(0).integers(256, size=(count, 3, 2, 1)).astype(np.uint8)


@pytest.mark.parametrize("measure", [Measure.PROBABILITY, Measure.DENSITY])
def test_uniform_8_bit_data_has_8_bits_per_dimension(measure):
    assert bits_per_dimension(UniformGray(measure), grays(100)) == pytest.approx(8.0, abs=1e-6)


def test_exact_values_bounds_and_what_is_not_a_density_have_spaces_of_their_own():
    spaces = [
        likelihood_space(UniformGray(Measure.PROBABILITY)),
        likelihood_space(UniformGray(Measure.DENSITY)),
        likelihood_space(UniformGray(Measure.BINARISED)),
        likelihood_space(Linear(exact=True)),
    ]
    assert spaces == ["exact", "exact dequantised", "exact binarised", f"iwae-{SAMPLES} bound"]


def test_black_and_white_likelihoods_have_a_finding_in_place_of_bits():
    rows = grays(20)
    side = points(np.zeros((20, 2)))
    side = type(side)(rows=rows, features={})
    known = Context(spec=ImageSpec(channels=1, height=3, width=2), train=side, held_out=side)
    model = UniformGray(Measure.BINARISED)
    assert [name for name, _, _ in Likelihood().measure(model, side, known)] == ["likelihood_gap"]
    assert any("black-and-white" in doubt for doubt in Likelihood().doubts(model, side, known))


def test_gray_images_have_bits_with_a_discretised_likelihood_and_none_with_bernoulli():
    from tvir.objectives.likelihoods import Bernoulli, DiscretisedLogistic

    spec = ImageSpec(channels=1, height=8, width=8)
    found = [
        Vae(spec, Vae.Config(width=2, latent=2, likelihood=kind)).measure
        for kind in (Bernoulli(), DiscretisedLogistic())
    ]
    assert found == [Measure.BINARISED, Measure.PROBABILITY]


def test_with_the_exact_posterior_the_bound_is_the_likelihood():
    rows = np.array([[0.0], [1.0], [-2.0]], dtype=np.float32)
    exact = torch.distributions.Normal(0.0, 2**0.5).log_prob(torch.from_numpy(rows)).mean()
    expected = -float(exact) / math.log(2)
    assert bits_per_dimension(Linear(exact=True), rows) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("samples", "expected"), [(5, -1.2824), (50, -1.2673), (500, -1.2656)])
def test_the_bound_from_the_prior_has_its_known_values(samples, expected):
    from tvir.contracts.noise import Noise

    repeats = 4_000_000 // samples // 10
    bound = Linear(exact=False).elbo(torch.zeros(repeats, 1), Noise(0, count=repeats), samples)
    assert float(bound.mean()) == pytest.approx(expected, abs=4 * float(bound.std()) / repeats**0.5 + 1e-4)


def test_annealing_from_the_prior_finds_the_likelihood():
    found = annealed_log_likelihood(Linear(exact=False), torch.zeros(64, 1), seed=1)
    assert float(found.mean()) == pytest.approx(EXACT, abs=0.01)


def test_a_linear_layer_has_its_known_cost():
    model = Linear(exact=True)
    train = points(np.ones((10, 1)))
    # Forwards and for the weights 2 operations each, 8 examples, on every second step.
    assert step_flops(model, 0, torch.ones(4, 1), None) == (2 + 2) * 8 / 2
    found = {name: value for name, _, value in SamplingCost().measure(model, train, context())}
    assert found["parameters"] == 2
    assert found["network_calls"] == 1
    assert found["samples_per_second"] > 0


@pytest.mark.parametrize("name", ["gan", "unbalanced-gan", "vae"])
def test_every_stage_of_the_built_in_models_has_a_cost(name):
    from tvir.models.catalogue import find_model

    found = find_model(name)
    model = found(ImageSpec(channels=1, height=8, width=8), found.smallest())
    data = torch.rand(4, 1, 8, 8) * 2 - 1
    assert all(step_flops(model, stage, data, None) > 1000 for stage in range(len(model.stages())))
