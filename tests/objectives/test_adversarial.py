"""The losses of both players, by hand."""

import math

import pytest
import torch

from tvir.objectives.adversarial import AdversarialLoss

REAL, FAKE = torch.tensor([[1.0], [3.0]]), torch.tensor([[-1.0], [0.0]])
LOG2 = math.log(2)


def softplus(x):
    return math.log1p(math.exp(x))


BY_HAND = {
    "minimax": (
        (softplus(-1) + softplus(-3)) / 2 + (softplus(-1) + LOG2) / 2,
        -(softplus(-1) + LOG2) / 2,
    ),
    "non-saturating": (
        (softplus(-1) + softplus(-3)) / 2 + (softplus(-1) + LOG2) / 2,
        (softplus(1) + LOG2) / 2,
    ),
    "least-squares": (0.5 * ((0 + 4) / 2 + (1 + 0) / 2), 0.5 * (4 + 1) / 2),
    "hinge": ((0 + 0) / 2 + (0 + 1) / 2, 0.5),
    "wasserstein": (-0.5 - 2.0, 0.5),
    "relativistic-average": (
        (softplus(-1.5) + softplus(-3.5)) / 2 + (softplus(-3) + softplus(-2)) / 2,
        (softplus(1.5) + softplus(3.5)) / 2 + (softplus(3) + softplus(2)) / 2,
    ),
    "relativistic-paired": ((softplus(-2) + softplus(-3)) / 2, (softplus(2) + softplus(3)) / 2),
}


def test_every_loss_has_a_value_worked_by_hand():
    assert set(AdversarialLoss.alternatives()) == set(BY_HAND)


@pytest.mark.parametrize("name", BY_HAND)
def test_losses_equal_the_values_worked_by_hand(name):
    loss = AdversarialLoss.parse(name)
    critic, generator = BY_HAND[name]
    assert loss.critic(REAL, FAKE).item() == pytest.approx(critic, abs=1e-6)
    assert loss.generator(REAL, FAKE).item() == pytest.approx(generator, abs=1e-6)


@pytest.mark.parametrize("name", BY_HAND)
def test_the_players_pull_the_fake_logits_in_opposite_directions(name):
    loss = AdversarialLoss.parse(name)
    fake = torch.zeros(4, 1, requires_grad=True)
    real = torch.full((4, 1), 0.3)
    (by_critic,) = torch.autograd.grad(loss.critic(real, fake), fake)
    if name == "least-squares":  # at rest at its own target, 0
        (by_critic,) = torch.autograd.grad(loss.critic(real, fake + 0.1), fake)
    (by_generator,) = torch.autograd.grad(loss.generator(real, fake), fake)
    assert (by_critic > 0).all()
    assert (by_generator < 0).all()


@pytest.mark.parametrize("name", sorted(set(BY_HAND) - {"relativistic-average"}))
def test_the_loss_of_a_batch_is_the_mean_of_the_losses_of_its_halves(name):
    loss = AdversarialLoss.parse(name)
    generator = torch.Generator().manual_seed(0)
    real, fake = torch.randn(8, 1, generator=generator), torch.randn(8, 1, generator=generator)
    for player in (loss.critic, loss.generator):
        halves = [player(r, f) for r, f in zip(real.chunk(2), fake.chunk(2), strict=True)]
        torch.testing.assert_close(player(real, fake), torch.stack(halves).mean())


@pytest.mark.parametrize("name", BY_HAND)
def test_only_losses_that_say_so_look_at_real_logits_for_the_generator(name):
    loss = AdversarialLoss.parse(name)
    changed = loss.generator(REAL, FAKE) != loss.generator(REAL + 1, FAKE)
    assert bool(changed) == loss.compares_with_real
