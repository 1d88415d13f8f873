"""What a critic's logits are held to, in a game."""

import dataclasses

import pytest
import torch

from tvir.contracts.data import ImageSpec, VectorSpec
from tvir.contracts.errors import UsageError
from tvir.contracts.model import Batch
from tvir.contracts.noise import Noise
from tvir.models.gan.gan import Gan
from tvir.models.gan.steadying import LogitAverages, Steadier
from tvir.objectives.logit_penalties import BalancedConsistency, LeCam, LogitRegulariser

IMAGES = ImageSpec(channels=1, height=8, width=8)

every_regulariser = pytest.mark.parametrize("regulariser", sorted(LogitRegulariser.alternatives()))


def batch(step=0, count=8):
    torch.manual_seed(step)
    data = 2 * torch.rand(count, *IMAGES.shape) - 1
    return Batch(data=data, labels=None, noise=Noise(step, count=count), step=step, progress=0.5)


def game(logit_regulariser, **settings):
    torch.manual_seed(0)
    known = Gan.smallest().as_json()
    gan = Gan(IMAGES, Gan.Config.from_json({**known, "logit_regulariser": logit_regulariser, **settings})).train()
    return gan, gan.stages()[0].phases


def test_the_first_averages_are_plain_means_and_later_ones_forget():
    averages = LogitAverages(decay=0.75)
    for real, fake in ((1.0, 0.0), (3.0, -2.0)):
        averages.update(torch.full((2, 1), real), torch.full((2, 1), fake))
    assert (averages.real.item(), averages.fake.item()) == (2.0, -1.0)
    for _ in range(3):
        averages.update(torch.full((2, 1), 2.0), torch.full((2, 1), -1.0))
    averages.update(torch.full((2, 1), 6.0), torch.full((2, 1), -1.0))
    assert averages.real.item() == pytest.approx(0.75 * 2 + 0.25 * 6)


def test_lecam_anchors_logits_to_averages_that_know_the_newest_step():
    steadier = Steadier(LeCam(weight=1.0), IMAGES)
    logits = torch.tensor([[1.0], [3.0], [-1.0], [0.0]])
    found = steadier(lambda inputs: inputs, torch.zeros(4, 1, 8, 8), logits, Noise(0, count=2))
    # Averages 2 and -0.5: 1.5^2, 3.5^2 on one side and 3^2, 2^2 on the other.
    assert found["logits"].item() == pytest.approx((1.5**2 + 3.5**2) / 2 + (3**2 + 2**2) / 2)


def test_consistency_costs_nothing_where_moving_an_image_changes_nothing():
    def mean(images):
        return images.flatten(1).mean(1, keepdim=True)

    flat = torch.linspace(-1, 1, 8).view(8, 1, 1, 1).expand(8, 1, 8, 8)
    steadier = Steadier(BalancedConsistency(), IMAGES)
    assert steadier(mean, flat, mean(flat), Noise(0, count=4))["logits"].item() == pytest.approx(0, abs=1e-10)
    uneven = torch.cat([batch().data[:4], batch(1).data[:4]])
    assert steadier(mean, uneven, mean(uneven), Noise(0, count=4))["logits"].item() > 0


def test_examples_of_a_pack_are_moved_each_by_itself_as_they_would_be_alone():
    seen = []

    def critic(images):
        seen.append(images)
        return images.flatten(1).mean(1, keepdim=True)

    data = torch.cat([batch().data, batch(1).data])
    steadier = Steadier(BalancedConsistency(), IMAGES)
    steadier(critic, data, critic(data), Noise(0, count=8))
    packed = data.unflatten(0, (-1, 4)).flatten(1, 2)
    steadier(critic, packed, critic(packed), Noise(0, count=8))
    torch.testing.assert_close(seen[3].flatten(0, 1), seen[1].flatten(0, 1))


@every_regulariser
def test_it_teaches_the_critic_and_goes_together_with_a_penalty_of_slopes(regulariser):
    gan, (_, critic) = game(regulariser, regulariser="r1:weight=1.0")
    losses = critic.loss(batch())
    assert set(losses) == {"adversarial", "penalty"} | ({"logits"} if regulariser != "none" else set())
    if regulariser == "none":
        return
    found = torch.autograd.grad(losses["logits"], list(gan.discriminator.parameters()), allow_unused=True)
    assert any(gradient is not None and gradient.any() for gradient in found)


@every_regulariser
def test_nothing_of_it_reaches_the_generator(regulariser):
    gan, (generator, critic) = game(regulariser)
    _, (plain_generator, _) = game("none")
    assert torch.equal(generator.loss(batch())["adversarial"], plain_generator.loss(batch())["adversarial"])
    losses = critic.loss(batch())
    total = torch.stack(list(losses.values())).sum()
    found = torch.autograd.grad(total, list(gan.generator.parameters()), allow_unused=True)
    assert all(gradient is None for gradient in found)


@every_regulariser
def test_what_it_remembers_is_saved_with_the_weights(regulariser):
    gan, phases = game(regulariser)
    for step in range(3):
        for phase in phases:
            phase.loss(batch(step))
    fresh, others = game(regulariser)
    fresh.load_state_dict(gan.state_dict(), strict=True)
    for known, unknown in zip(phases, others, strict=True):
        assert {name: float(loss.detach()) for name, loss in known.loss(batch(3)).items()} == {
            name: float(loss.detach()) for name, loss in unknown.loss(batch(3)).items()
        }


def test_moving_what_is_no_image_is_refused_with_what_mends_it():
    config = dataclasses.replace(Gan.smallest(), logit_regulariser=BalancedConsistency())
    with pytest.raises(UsageError, match="--logit-regulariser lecam or none"):
        Gan(VectorSpec(features=2), config)
