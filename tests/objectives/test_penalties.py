"""Penalties of critics whose slopes are known."""

import pytest
import torch
from torch import nn

from tvir.contracts.data import ImageSpec, VectorSpec
from tvir.contracts.noise import Noise
from tvir.objectives.penalties import (
    R1,
    R1R2,
    R2,
    Automatic,
    Clip,
    Dragan,
    GradientPenalty,
    Regulariser,
    SpectralNorm,
    squared_slopes,
    watched,
)

CURVATURE = torch.tensor([2.0, -1.0, 0.5])


def quadratic(points):
    """D(x) = 1/2 sum a x^2, so dD/dx = a x."""
    return 0.5 * (CURVATURE * points.square()).sum(1, keepdim=True)


def points(seed, count=6):
    return torch.randn(count, 3, generator=torch.Generator().manual_seed(seed))


def slopes_at(examples):
    inputs = watched(examples)
    return squared_slopes(quadratic(inputs), inputs)


def test_squared_slopes_of_a_quadratic_critic_are_exact():
    torch.testing.assert_close(slopes_at(points(0)), (CURVATURE * points(0)).square().sum(1))


def test_r1_sees_real_examples_and_r1_r2_sees_both():
    real, fake = slopes_at(points(0)), slopes_at(points(1))
    torch.testing.assert_close(R1(weight=3.0, every=1).of_inputs(real, fake), 1.5 * real.mean())
    torch.testing.assert_close(R1R2(weight=3.0, every=1).of_inputs(real, fake), 1.5 * (real.mean() + fake.mean()))


def test_the_gradient_penalty_of_a_linear_critic_depends_on_its_slope_alone():
    direction = torch.tensor([[3.0], [0.0], [4.0]])
    penalty = GradientPenalty(weight=10.0).between(
        lambda x: x @ direction, points(0), points(1), Noise(0, count=len(points(0)))
    )
    assert penalty.item() == pytest.approx(10 * (5 - 1) ** 2)


def test_the_gradient_penalty_of_a_quadratic_critic_is_exact_at_the_interpolated_points():
    real, fake = points(0), points(1)
    share = Noise(7, count=6).uniform(1)
    slopes = (CURVATURE * (real + share * (fake - real))).norm(dim=1)
    penalty = GradientPenalty(weight=1.0).between(quadratic, real, fake, Noise(7, count=6))
    torch.testing.assert_close(penalty, (slopes - 1).square().mean())


def test_interpolation_noise_belongs_to_examples_and_not_to_batches():
    real, fake = points(0), points(1)
    whole = GradientPenalty().between(quadratic, real, fake, Noise(7, count=6))
    parts = [
        GradientPenalty().between(quadratic, real[rows], fake[rows], Noise(7, count=3, first=rows.start))
        for rows in (slice(0, 3), slice(3, 6))
    ]
    torch.testing.assert_close(whole, torch.stack(parts).mean())


@pytest.mark.parametrize("penalty", [R1(weight=2.0, every=4), R1R2(weight=2.0, every=4)])
def test_a_lazy_penalty_acts_seldom_and_as_much_more(penalty):
    real, fake = slopes_at(points(0)), slopes_at(points(1))
    eager = type(penalty)(weight=2.0, every=1)
    assert [penalty.is_due(step) for step in range(6)] == [True, False, False, False, True, False]
    torch.testing.assert_close(penalty.of_inputs(real, fake), 4 * eager.of_inputs(real, fake))


def test_a_penalty_can_be_differentiated_in_the_critics_weights():
    weight = nn.Parameter(torch.tensor([1.0, 2.0, 3.0]))
    inputs = watched(points(0))
    slopes = squared_slopes(inputs @ weight, inputs)
    (gradient,) = torch.autograd.grad(R1(weight=2.0).of_inputs(slopes, slopes), weight)
    torch.testing.assert_close(gradient, 2 * weight.detach())  # d/dw |w|^2


def test_taking_slopes_leaves_the_examples_as_they_were():
    examples = points(0)
    watched(examples)
    assert not examples.requires_grad


def test_every_regulariser_can_be_written_and_read():
    for name, kind in Regulariser.alternatives().items():
        assert Regulariser.parse(name) == kind()
    assert Regulariser.parse("r1-r2:weight=0.5,every=4") == R1R2(weight=0.5, every=4)
    assert SpectralNorm.normalises_weights


def test_what_is_left_to_the_data_is_settled_by_it_and_nothing_else_is():
    few, many = (ImageSpec(channels=1, height=side, width=side) for side in (28, 48))
    settled = [Automatic().suited_to(spec) for spec in (VectorSpec(features=2), few, many)]
    assert all(isinstance(found, R1R2) for found in settled)
    assert settled[1].weight < settled[2].weight
    assert R1(weight=3.0).suited_to(many) == R1(weight=3.0)


def test_r2_sees_fake_examples_alone():
    real, fake = slopes_at(points(0)), slopes_at(points(1))
    torch.testing.assert_close(R2(weight=3.0).of_inputs(real, fake), 1.5 * fake.mean())


def test_dragan_looks_near_real_examples_and_nowhere_near_fake_ones():
    direction = torch.tensor([[3.0], [0.0], [4.0]])
    seen = []

    def critic(inputs):
        seen.append(inputs.detach())
        return inputs @ direction

    penalty = Dragan(weight=10.0).between(critic, points(0), 1_000 + points(1), Noise(0, count=6))
    assert penalty.item() == pytest.approx(10 * (5 - 1) ** 2)
    shift = seen[0] - points(0)
    assert (shift >= 0).all()
    assert (shift <= 0.5 * points(0).std(1, correction=0, keepdim=True)).all()
    assert shift.any()


def test_clipping_keeps_every_weight_in_its_box_and_small_ones_as_they_are():
    layer = nn.Linear(50, 50)
    before = layer.weight.detach().clone()
    Clip(bound=0.05).constrain(layer.parameters())
    torch.testing.assert_close(layer.weight, before.clamp(-0.05, 0.05))
    assert layer.weight.abs().max().item() == pytest.approx(0.05)


@pytest.mark.parametrize("penalty", [GradientPenalty(), Dragan()])
def test_packs_use_the_noise_of_their_first_example(penalty):
    noise = Noise(3, count=6)
    every_second = [Noise(3, count=1, first=row) for row in (0, 2, 4)]
    packed = penalty.between(quadratic, points(0, 3), points(1, 3), noise)
    alone = [
        penalty.between(quadratic, points(0, 3)[row : row + 1], points(1, 3)[row : row + 1], every_second[row])
        for row in range(3)
    ]
    torch.testing.assert_close(packed, torch.stack(alone).mean())
