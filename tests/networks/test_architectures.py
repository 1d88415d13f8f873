"""Every architecture fits every image, begins in range, and follows its size dial."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from tvir.contracts.data import Examples, ImageSpec
from tvir.models.gan.gan import Gan
from tvir.models.hybrid.unbalanced_gan import UnbalancedGan
from tvir.networks.building import Architecture
from tvir.networks.normalisation import BatchNormalised

every_architecture = pytest.mark.parametrize("name", sorted(Architecture.alternatives()))


def networks(name, width=8, *, channels=3, size=(12, 12)):
    torch.manual_seed(0)
    return Architecture.parse(name).networks(ImageSpec(channels=channels, height=size[0], width=size[1]), width)


def numbers(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_the_published_ones_are_known():
    assert {"residual", "dcgan", "resnet", "r3gan", "perceptron"} <= set(Architecture.alternatives())


@every_architecture
@pytest.mark.parametrize("size", [(8, 8), (9, 12), (28, 28), (31, 17), (48, 8)])
def test_images_of_any_size_and_shape_come_out_and_go_in(name, size):
    found = networks(name, 4, size=size)
    images = found.decoder(5, 1, BatchNormalised())(torch.randn(3, 5))
    assert images.shape == (3, 3, *size)
    assert found.discriminator()(images).shape == (3, 1)
    assert found.discriminator(pack=3)(images.flatten(0, 1)[None]).shape == (1, 1)


@every_architecture
def test_features_neither_explode_nor_vanish_at_the_start(name):
    found = networks(name, 16, size=(32, 32))
    logits = found.discriminator()(torch.randn(64, 3, 32, 32))
    images = found.decoder(16, 1, BatchNormalised())(torch.randn(64, 16))
    assert 0.02 < float(logits.detach().std()) < 50
    assert 0.005 < float(images.detach().std()) < 10


@every_architecture
def test_the_dial_makes_networks_larger(name):
    small, large = (numbers(networks(name, width).discriminator()) for width in (8, 32))
    assert 3 < large / small < 17


@every_architecture
def test_every_weight_of_both_networks_learns(name):
    torch.manual_seed(0)
    gan = Gan(
        ImageSpec(channels=1, height=8, width=8),
        dataclasses.replace(Gan.smallest(), width=8, network=Architecture.parse(name)),
    )
    for parameter in gan.parameters():  # branches that start from zero would hide what lies before them
        nn.init.normal_(parameter, 0, 0.1)
    gan.discriminator(gan.generator(torch.randn(4, 2))).sum().backward()
    idle = [path for path, parameter in gan.named_parameters() if parameter.grad is None or not parameter.grad.any()]
    assert not idle


@every_architecture
def test_an_encoders_trunk_fits_the_discriminator(name):
    config = dataclasses.replace(UnbalancedGan.smallest(), network=Architecture.parse(name), transfer="decoder+encoder")
    model = UnbalancedGan(ImageSpec(channels=1, height=8, width=8), config)
    model._prepare_game(Examples(model.spec, np.zeros((4, 8, 8, 1), np.uint8)))
    ours, theirs = model.autoencoder.encoder.trunk, model.discriminator.trunk
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(mine, other)


@every_architecture
def test_spectral_norm_bounds_every_layer(name):
    discriminator = networks(name).discriminator(normalise_weights=True).train()
    for _ in range(20):
        discriminator(torch.randn(2, 3, 12, 12))
    for layer in discriminator.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2) < 1.2


def test_attention_starts_as_nothing_and_mixes_all_places():
    found = networks("resnet:attention=True", 8, size=(16, 16))
    decoder = found.decoder(4, 1, BatchNormalised())
    plain = decoder(torch.ones(2, 4))
    strengths = [parameter for path, parameter in decoder.named_parameters() if path.endswith("strength")]
    assert len(strengths) == 1
    with torch.no_grad():
        strengths[0].fill_(1.0)
    assert not torch.equal(decoder(torch.ones(2, 4)), plain)
