"""What is fitted to latents gives latents like them."""

import math

import pytest
import torch

from tvir.contracts.noise import Noise
from tvir.models.resampling import Flow, LatentSampler, fit_latents

SAMPLERS = [
    pytest.param(LatentSampler.parse(text), id=text)
    for text in ("mixture:components=2", "flow:steps=60", "kernel:reach=0.3")
]

every_sampler = pytest.mark.parametrize("sampler", SAMPLERS)


def two_moons_apart(count=600):
    """Points on two arcs, far from a normal distribution, in the first two of three numbers."""
    generator = torch.Generator().manual_seed(0)
    angles = math.pi * torch.rand(count, generator=generator)
    side = 1.0 - 2 * (torch.arange(count) % 2)
    points = torch.stack([angles.cos(), 4 * side + angles.sin()], 1)
    return torch.cat([points, 7 + 0.1 * torch.randn(count, 1, generator=generator)], 1)


def fitted(sampler, latents, seed=0):
    return fit_latents(sampler, latents, seed)


@every_sampler
@torch.no_grad()
def test_what_is_drawn_lies_where_latents_lie(sampler):
    if sampler.name == "flow":
        pytest.importorskip("zuko")
    latents = two_moons_apart()
    drawn = fitted(sampler, latents).draw(Noise(1, count=600))
    torch.testing.assert_close(drawn.mean(0), latents.mean(0), atol=0.5, rtol=0)
    assert float(torch.cdist(drawn, latents).amin(1).median()) < 0.4
    assert float(torch.cdist(latents, drawn).amin(1).median()) < 0.4


@every_sampler
@torch.no_grad()
def test_draw_i_depends_on_the_seed_and_i_alone_and_the_fit_on_its_seed(sampler):
    if sampler.name == "flow":
        pytest.importorskip("zuko")
        sampler = Flow(steps=3)
    latents = two_moons_apart(100)
    state = torch.get_rng_state()
    one, two, other = (fitted(sampler, latents, seed) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), state)
    whole = one.draw(Noise(5, count=100))
    torch.testing.assert_close(one.draw(Noise(5, count=10, first=90)), whole[90:], atol=1e-4, rtol=1e-4)
    assert torch.equal(two.draw(Noise(5, count=100)), whole)
    if sampler.name != "mixture":
        assert not torch.equal(other.draw(Noise(5, count=100)), whole)


@every_sampler
@torch.no_grad()
def test_what_is_fitted_can_be_kept(sampler):
    if sampler.name == "flow":
        pytest.importorskip("zuko")
        sampler = Flow(steps=3)
    latents = two_moons_apart(100)
    made, again = fitted(sampler, latents), sampler.unfitted(3)
    assert {name: value.shape for name, value in made.state_dict().items()} == {
        name: value.shape for name, value in again.state_dict().items()
    }
    again.load_state_dict(made.state_dict())
    assert torch.equal(again.eval().draw(Noise(0, count=5)), made.draw(Noise(0, count=5)))


@pytest.mark.parametrize("count", [1, 2, 5])
def test_few_latents_are_moved_towards_each_other_alone(count):
    latents = torch.arange(float(count))[:, None].repeat(1, 2)
    drawn = fitted(LatentSampler.parse("kernel:neighbours=3"), latents).draw(Noise(0, count=50))
    assert torch.isfinite(drawn).all()
    torch.testing.assert_close(drawn[:, 0], drawn[:, 1])


@torch.no_grad()
def test_moves_have_the_covariance_of_the_neighbours():
    """With all others as neighbours, the move from the middle of a cross is as wide as the cross, times the reach."""
    cross = torch.tensor([[0.0, 0.0], [3.0, 0.0], [-3.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    made = fitted(LatentSampler.parse("kernel:neighbours=4,reach=0.5"), cross)
    middle = int((made.centres[:5].abs().sum(1) == 0).nonzero())
    noise = Noise(3, count=4000)
    noise.integers = lambda high: torch.full((4000,), middle)
    covariance = made.draw(noise).T.cov()
    torch.testing.assert_close(covariance, torch.diag(torch.tensor([18.0, 2.0])) / 4 * 0.25, atol=0.08, rtol=0.05)
