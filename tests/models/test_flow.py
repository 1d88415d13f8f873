"""Flows: run backwards they give back what they read, and their densities are densities."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import Independent, Normal

from tvir.contracts.data import Examples, ImageSpec, VectorSpec
from tvir.contracts.noise import Noise
from tvir.networks.conditioners import conditioner_for

pytest.importorskip("zuko")

from tvir.models.flow.flow import Flow
from tvir.models.flow.transforming import Transformation, staying

PLANE = VectorSpec(features=2)
COLOUR = ImageSpec(channels=3, height=5, width=4)

every_transformation = pytest.mark.parametrize("kind", list(Transformation.alternatives()))
every_spec = pytest.mark.parametrize("spec", [PLANE, VectorSpec(features=1), VectorSpec(features=7), COLOUR], ids=str)


def build(spec=PLANE, kind="spline", *, learned=True, layers=4):
    """With weights large enough for the numbers to matter to each other."""
    torch.manual_seed(0)
    config = Flow.Config(width=2, layers=layers, transformation=Transformation.parse(kind))
    flow = Flow(spec, config).eval()
    if learned:
        for parameter in flow.parameters():
            torch.nn.init.normal_(parameter, std=1 / math.sqrt(max(10, parameter[0].numel())))
    return flow


def examples(spec, count=64):
    draw = np.random.default_rng(0)
    if isinstance(spec, ImageSpec):
        return Examples(spec, draw.integers(0, 256, (count, *spec.row_shape), dtype=np.uint8))
    return Examples(spec, (3 + 2 * draw.normal(size=(count, *spec.row_shape))).astype(np.float32))


@every_spec
@every_transformation
@torch.no_grad()
def test_what_was_carried_to_noise_comes_back(kind, spec):
    # In double precision: layers that have not learned may stretch much.
    flow = build(spec, kind)
    flow.unit.measure(examples(spec), flow._opened)
    flow, data = flow.double(), spec.to_model(examples(spec).rows).double()
    latents = flow.encode(data).mean
    assert not torch.allclose(latents, data, atol=0.1)
    torch.testing.assert_close(flow.decode(latents), data, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("spec", [PLANE, ImageSpec(channels=1, height=3, width=2)], ids=str)
@every_transformation
def test_the_density_is_that_of_noise_times_the_volume_of_the_way_there(kind, spec):
    flow = build(spec, kind)
    flow.unit.measure(examples(spec), flow._opened)
    for example in spec.to_model(examples(spec, 3).rows):
        slopes = torch.autograd.functional.jacobian(lambda x: flow.encode(x[None]).mean[0], example)
        numbers = example.numel()
        with torch.no_grad():
            latent, found = flow.encode(example[None]).mean.flatten(), flow.log_prob(example[None])
        volume = torch.linalg.slogdet(slopes.reshape(numbers, numbers)).logabsdet
        expected = Independent(Normal(torch.zeros(numbers), torch.ones(numbers)), 1).log_prob(latent) + volume
        torch.testing.assert_close(found[0], expected, atol=2e-3, rtol=1e-3)


@every_transformation
@torch.no_grad()
def test_densities_of_numbers_and_points_integrate_to_1(kind):
    line = torch.linspace(-20, 20, 4001)
    numbers = build(VectorSpec(features=1), kind, layers=3)
    assert float(numbers.log_prob(line[:, None]).exp().sum()) * 0.01 == pytest.approx(1, abs=2e-3)
    side = torch.linspace(-8, 8, 401)
    points = build(PLANE, kind, layers=2)
    assert float(points.log_prob(torch.cartesian_prod(side, side)).exp().sum()) * 0.04**2 == pytest.approx(1, abs=5e-3)


@pytest.mark.parametrize("kind", ["affine", "spline"])
def test_before_it_learns_it_is_the_normal_distribution_of_the_data(kind):
    flow = build(PLANE, kind, learned=False)
    given = examples(PLANE)
    flow.stages()[0].prepare(given)
    rows = torch.from_numpy(given.rows)
    expected = Independent(Normal(rows.mean(0), rows.std(0)), 1).log_prob(rows)
    torch.testing.assert_close(flow.log_prob(rows), expected, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_images_with_noise_one_gray_level_wide_have_a_density_and_what_lies_beyond_has_none():
    flow = build(COLOUR)
    flow.unit.measure(examples(COLOUR), flow._opened)
    ends = torch.tensor([-1 - 1 / 255, 1 + 1 / 255])
    checkered = ends[torch.arange(60) % 2].view(1, 3, 5, 4)
    assert torch.isfinite(flow.log_prob(checkered)).all()
    assert float(flow.log_prob(1.01 * checkered)) == -math.inf


def test_while_it_learns_images_are_moved_by_half_a_gray_level_at_most():
    flow = build(COLOUR)
    data = COLOUR.to_model(examples(COLOUR).rows)
    moved = flow._continuous(data, Noise(0, count=len(data)))
    assert np.array_equal(COLOUR.to_rows(moved), examples(COLOUR).rows)
    assert float((moved - data).abs().max()) > 0.99 / 255
    assert torch.equal(build(PLANE)._continuous(data[:, 0, 0], Noise(0, count=len(data))), data[:, 0, 0])


def test_in_an_autoregressive_layer_every_number_listens_to_all_before_it_and_no_other():
    for number, before in enumerate([torch.tril, torch.triu]):
        layer = Transformation.parse("autoregressive").layer(VectorSpec(features=20), number, width=1)
        carry = layer.transform()
        slopes = [torch.autograd.functional.jacobian(carry, torch.randn(20)).abs() for _ in range(10)]
        assert torch.equal(sum(slopes) > 0, before(torch.ones(20, 20)).bool())


@pytest.mark.parametrize("spec", [PLANE, VectorSpec(features=5), COLOUR, ImageSpec(channels=1, height=28, width=28)])
def test_in_two_layers_every_number_is_changed_once(spec):
    for number in range(0, 12, 2):
        first, second = staying(spec, number), staying(spec, number + 1)
        assert torch.equal(first, ~second)
        assert first.any()
        assert second.any()


@pytest.mark.parametrize("spec", [VectorSpec(features=5), COLOUR, ImageSpec(channels=1, height=28, width=20)], ids=str)
def test_a_conditioner_answers_every_number_and_says_nothing_at_first(spec):
    numbers = torch.randn(4, *spec.shape)
    network = conditioner_for(spec, 3, width=2)
    said = network(numbers)
    assert said.shape == (4, *spec.shape, 3)
    assert not said.any()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    assert all(value.std() > 0 for value in network(numbers).flatten(0, -2).unbind(1))
