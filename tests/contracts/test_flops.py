"""What a step costs is the number of its products, whatever kernel computes them."""

import pytest
import torch
from torch import nn

from tvir.contracts.data import ImageSpec, TextSpec
from tvir.contracts.flops import step_flops
from tvir.models.autoregressive.language_model import LanguageModel
from tvir.models.autoregressive.tokens import Lstm, Transformer
from tvir.models.gan.gan import Gan
from tvir.objectives.penalties import SpectralNorm, Unregularised

COUNT, LENGTH, VOCABULARY = 3, 6, 5
TOKENS = torch.randint(1, VOCABULARY, (COUNT, LENGTH), generator=torch.Generator().manual_seed(0))


def flops_of(network):
    model = LanguageModel(
        TextSpec(vocabulary=VOCABULARY, length=LENGTH), LanguageModel.Config(network=network, batch_size=COUNT)
    )
    return step_flops(model, 0, TOKENS, None)


@pytest.mark.parametrize("layers", [1, 2])
def test_recurrent_layers_are_counted(layers):
    width = 8
    forwards = layers * 4 * width * (width + width) + width * VOCABULARY
    assert flops_of(Lstm(layers=layers, width=width)) == 3 * 2 * COUNT * LENGTH * forwards


def test_attention_is_counted_beside_the_linear_layers():
    width, heads = 8, 2
    linear = sum(
        layer.weight.numel()
        for layer in Transformer(layers=1, heads=heads, width=width)
        .build(TextSpec(vocabulary=VOCABULARY, length=LENGTH), 1)
        .modules()
        if isinstance(layer, nn.Linear)
    )
    # Queries meet keys, weights meet values; backwards each product twice, and the first is computed anew.
    attention = (2 + 5) * 2 * COUNT * LENGTH * LENGTH * width
    assert flops_of(Transformer(layers=1, heads=heads, width=width)) == 3 * 2 * COUNT * LENGTH * linear + attention


def test_a_critic_whose_weights_are_normalised_is_counted_like_one_whose_weights_are_not():
    spec = ImageSpec(channels=1, height=8, width=8)
    images = torch.zeros(2, *spec.shape)
    normalised, plain = (
        step_flops(Gan(spec, Gan.Config(width=4, latent=2, batch_size=2, regulariser=kind)), 0, images, None)
        for kind in (SpectralNorm(), Unregularised())
    )
    assert plain > 0
    assert normalised == pytest.approx(plain, rel=0.05)
