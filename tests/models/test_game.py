"""The game between a generator and a critic, whatever it is about."""

import dataclasses

import numpy as np
import pytest
import torch

from tvir.contracts.data import Examples, ImageSpec, VectorSpec
from tvir.contracts.errors import UsageError
from tvir.contracts.model import Batch
from tvir.contracts.noise import Noise
from tvir.models.classes import ClassFrequencies
from tvir.models.gan.conditional_gan import ConditionalGan
from tvir.models.gan.conditioning import Conditioning
from tvir.models.gan.gan import Gan
from tvir.models.hybrid.unbalanced_gan import UnbalancedGan
from tvir.networks.normalisation import ConditionalBatchNormalisation, Normalisation

IMAGES = ImageSpec(channels=3, height=8, width=8)
PLANE = VectorSpec(features=2)


def batch(spec, count=8):
    torch.manual_seed(0)
    return Batch(data=torch.rand(count, *spec.shape), labels=None, noise=Noise(0, count=count), step=0, progress=0.5)


@pytest.mark.parametrize("spec", [IMAGES, PLANE])
def test_a_critic_of_packs_sees_neighbours_side_by_side(spec):
    gan = Gan(spec, dataclasses.replace(Gan.smallest(), pack=4))
    seen = []
    gan.discriminator.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].detach()))
    critic = gan.stages()[0].phases[1]
    critic.loss(batch(spec))
    (inputs,) = seen
    assert inputs.shape == (4, 4 * spec.shape[0], *spec.shape[1:])
    torch.testing.assert_close(inputs[1], batch(spec).data[4:].flatten(0, 1))


def test_a_pack_of_one_changes_nothing():
    losses = []
    for config in (Gan.smallest(), dataclasses.replace(Gan.smallest(), pack=1)):
        torch.manual_seed(0)
        losses.append(Gan(IMAGES, config).stages()[0].phases[1].loss(batch(IMAGES))["adversarial"])
    assert losses[0] == losses[1]


def test_packs_that_do_not_divide_the_batch_are_refused_with_both_flags():
    with pytest.raises(UsageError, match=r"packs of 3 .* batch of 32 .*--pack and --batch-size"):
        Gan.Config(pack=3)
    with pytest.raises(UsageError, match=r"batch of 6"):
        Gan(PLANE, dataclasses.replace(Gan.smallest(), pack=4)).stages()[0].phases[1].loss(batch(PLANE, 6))


def test_an_encoder_of_single_examples_is_no_critic_of_packs():
    with pytest.raises(UsageError, match="--transfer decoder"):
        UnbalancedGan(PLANE, UnbalancedGan.Config(pack=2, transfer="decoder+encoder"))


@pytest.mark.parametrize("model", [Gan, UnbalancedGan, ConditionalGan])
@pytest.mark.parametrize("spec", [IMAGES, PLANE], ids=["images", "vectors"])
def test_a_quarter_of_the_width_makes_the_critic_that_of_a_model_of_a_quarter_and_leaves_the_generator(model, spec):
    spec = dataclasses.replace(spec, classes=("a", "b"))
    full = dataclasses.replace(model.smallest(), width=16)
    quarter = dataclasses.replace(full, critic_width_share=0.25)
    whole, weak, small = (model(spec, config) for config in (full, quarter, dataclasses.replace(full, width=4)))

    def sizes(module):
        return [parameter.shape for parameter in module.parameters()]

    assert sizes(weak.discriminator) == sizes(small.discriminator)
    assert sizes(weak.discriminator) != sizes(whole.discriminator)
    generators = (p for p in (*whole.stages()[-1].phases, *weak.stages()[-1].phases) if p.name == "generator")
    first, second = ([parameter.shape for parameter in phase.player.parameters] for phase in generators)
    assert first == second


def test_an_encoder_is_no_critic_of_another_width():
    with pytest.raises(UsageError, match=r"width 8 .* width 32: use --critic-width-share 1 or --transfer decoder"):
        UnbalancedGan(PLANE, UnbalancedGan.Config(critic_width_share=0.25, transfer="decoder+encoder"))
    UnbalancedGan(PLANE, UnbalancedGan.Config(transfer="decoder+encoder"))


def test_a_critic_wider_than_the_generator_is_refused_with_its_range():
    with pytest.raises(UsageError, match=r"critic_width_share = 2"):
        Gan.Config.from_json({"critic_width_share": 2.0})


def test_a_ratio_of_no_critic_steps_is_refused_with_its_range():
    with pytest.raises(UsageError, match=r"critic_steps = 0 .* greater than or equal to 1"):
        Gan.Config.from_json({"critic_steps": 0})


def test_clipped_weights_are_in_their_box_whenever_the_critic_is_used():
    gan = Gan(PLANE, Gan.Config.from_json({**Gan.smallest().as_json(), "regulariser": "clip:bound=0.1"}))
    largest = []
    gan.discriminator.register_forward_pre_hook(
        lambda module, inputs: largest.append(max(float(p.detach().abs().max()) for p in module.parameters()))
    )
    for phase in gan.stages()[0].phases:
        with torch.no_grad():
            gan.discriminator.head.weight.add_(1.0)
        phase.loss(batch(PLANE))
    assert max(largest) <= 0.1 + 1e-6


CLASSED = dataclasses.replace(PLANE, classes=("left", "right"))


@pytest.mark.parametrize("conditioning", sorted(Conditioning.alternatives()))
def test_a_critic_that_is_told_the_class_learns_from_it(conditioning):
    """Labels that are swapped change what the critic minimises, once its embedding has begun to learn."""
    torch.manual_seed(0)
    config = dataclasses.replace(ConditionalGan.smallest(), width=8, conditioning=Conditioning.parse(conditioning))
    gan = ConditionalGan(CLASSED, config)
    for parameter in gan.parameters():
        torch.nn.init.normal_(parameter, 0, 0.3)
    labels = torch.tensor([0, 1] * 4)
    critic = gan.stages()[0].phases[1]
    first, second = (
        sum(critic.loss(dataclasses.replace(batch(CLASSED), labels=given)).values()) for given in (labels, 1 - labels)
    )
    assert not torch.isclose(first, second)


def test_samples_of_a_class_are_those_that_were_asked_for():
    torch.manual_seed(0)
    gan = ConditionalGan(CLASSED, ConditionalGan.smallest())
    left, right = (gan.sample(4, condition=torch.full((4,), label), seed=3) for label in (0, 1))
    assert not torch.equal(left, right)
    both = gan.sample(4, condition=torch.tensor([0, 1, 0, 1]), seed=3)
    torch.testing.assert_close(both, torch.where(torch.tensor([[True], [False]] * 2), left, right))


def test_an_example_without_a_label_is_of_no_known_class_to_either_player():
    gan = ConditionalGan(CLASSED, ConditionalGan.smallest())
    for number in range(2):
        phase = gan.stages()[0].phases[number]
        unknown, none = (
            phase.loss(dataclasses.replace(batch(CLASSED), labels=labels)) for labels in (torch.full((8,), -1), None)
        )
        assert unknown["adversarial"] == none["adversarial"]


def test_the_critic_names_no_class_of_an_example_without_a_label():
    config = dataclasses.replace(ConditionalGan.smallest(), conditioning=Conditioning.parse("auxiliary"))
    critic = ConditionalGan(CLASSED, config).stages()[0].phases[1]
    assert critic.loss(dataclasses.replace(batch(CLASSED), labels=torch.full((8,), -1)))["classes"] == 0
    assert critic.loss(dataclasses.replace(batch(CLASSED), labels=torch.zeros(8, dtype=torch.int64)))["classes"] > 0


def test_labels_asked_of_unlabelled_data_are_refused_with_what_mends_it():
    with pytest.raises(UsageError, match="no classes to ask for: use labelled data"):
        ConditionalGan(PLANE, ConditionalGan.smallest())
    with pytest.raises(UsageError, match="--pack 1"):
        ConditionalGan(CLASSED, ConditionalGan.Config(pack=2))


@pytest.mark.parametrize("network", ["residual", "dcgan", "resnet", "perceptron"])
def test_a_class_changes_the_generators_features_through_its_normalisation(network):
    torch.manual_seed(0)
    settings = {"network": network, "normalisation": "conditional-batch", "width": 8}
    spec = dataclasses.replace(IMAGES, classes=CLASSED.classes)
    gan = ConditionalGan(spec, ConditionalGan.Config.from_json({**ConditionalGan.smallest().as_json(), **settings}))
    for parameter in gan.parameters():  # branches that start from zero would hide what lies before them
        torch.nn.init.normal_(parameter, 0, 0.1)
    layers = [module for module in gan.modules() if isinstance(module, ConditionalBatchNormalisation)]
    assert layers
    phase = gan.stages()[0].phases[0]
    losses = phase.loss(dataclasses.replace(batch(spec), labels=torch.tensor([0, 1] * 4)))
    weights = [layer.read.weight for layer in layers]
    found = torch.autograd.grad(torch.stack(list(losses.values())).sum(), weights)
    assert all(gradient.any() for gradient in found)


def test_only_the_class_that_is_asked_for_moves_its_own_samples():
    torch.manual_seed(0)
    config = dataclasses.replace(ConditionalGan.smallest(), normalisation=Normalisation.parse("conditional-batch"))
    gan = ConditionalGan(CLASSED, config).eval()
    layer = next(module for module in gan.modules() if isinstance(module, ConditionalBatchNormalisation))
    torch.nn.init.normal_(layer.read.weight)
    latents = torch.randn(4, 2)
    before = gan.decode(latents, torch.tensor([0, 1, 0, 1]))
    mixed = gan.decode(latents, torch.tensor([0, 0, 0, 1]))
    torch.testing.assert_close(mixed[[0, 2, 3]], before[[0, 2, 3]])
    assert not torch.allclose(mixed[1], before[1])


def test_classes_are_drawn_as_often_as_they_are_counted():
    frequencies = ClassFrequencies(VectorSpec(features=1, classes=("a", "b", "c")), instead="gan")
    noise = Noise(0, count=4000)
    evenly = torch.bincount(frequencies.draw(noise), minlength=4) / 4000
    torch.testing.assert_close(evenly, torch.tensor([1 / 3, 1 / 3, 1 / 3, 0.0]), atol=0.03, rtol=0)
    labels = np.array([0] * 90 + [2] * 8 + [-1] * 2)
    frequencies.prepare(Examples(VectorSpec(features=1), np.zeros((100, 1), np.float32), labels))
    drawn = torch.bincount(frequencies.draw(noise), minlength=4) / 4000
    torch.testing.assert_close(drawn, torch.tensor([0.9, 0.0, 0.08, 0.02]), atol=0.02, rtol=0)
    whole, part = (frequencies.draw(Noise(5, count=count, first=20 - count)) for count in (20, 3))
    assert torch.equal(whole[-3:], part)


def test_a_critic_that_is_told_classes_judges_examples_by_them():
    torch.manual_seed(0)
    gan = ConditionalGan(CLASSED, dataclasses.replace(ConditionalGan.smallest(), width=8)).eval()
    torch.nn.init.normal_(gan.discriminator.embedding.weight)
    data = batch(CLASSED).data
    left, right = (gan.judge(data, torch.full((8,), label)) for label in (0, 1))
    assert not torch.allclose(left, right)
    torch.testing.assert_close(gan.judge(data), gan.judge(data, torch.full((8,), -1)))
