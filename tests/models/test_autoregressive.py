"""Exact probabilities: nothing depends on what comes later, and all images together have probability 1."""

import itertools
import math

import numpy as np
import pytest
import torch

from tvir.contracts.data import ImageSpec
from tvir.contracts.errors import UsageError
from tvir.contracts.noise import Noise
from tvir.evaluation.metrics.likelihood import bits_per_dimension, likelihood_space
from tvir.evaluation.metrics.sampling_cost import network_calls
from tvir.models.autoregressive.pixel_cnn import PixelCnn
from tvir.models.autoregressive.pixel_transformer import PixelTransformer
from tvir.models.autoregressive.pixels import WritesPixels
from tvir.models.catalogue import catalogue
from tvir.networks.gated_convolution import CausalConvolutions
from tvir.networks.transformer import chosen

COLOUR = ImageSpec(channels=3, height=5, width=4)
KINDS = [entry.model for entry in catalogue().values() if entry.model and issubclass(entry.model, WritesPixels)]

every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


def build(kind, spec=COLOUR, **settings):
    """With weights large enough for the numbers to matter to each other."""
    torch.manual_seed(0)
    smallest = kind.smallest()
    model = kind(spec, type(smallest)(**(vars(smallest) | settings))).eval()
    for parameter in model.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.5)
    return model


def images(spec, count=6):
    rows = np.random.default_rng(0).integers(0, 256, (count, *spec.row_shape), dtype=np.uint8)
    return spec.to_model(rows)


@every_kind
@pytest.mark.parametrize("shape", [(1, 2, 2), (2, 2, 1)], ids=str)
def test_the_probabilities_of_all_tiny_images_add_up_to_one(kind, shape):
    channels, height, width = shape
    spec = ImageSpec(channels=channels, height=height, width=width)
    model = build(kind, spec, levels=2)
    dark_and_light = [np.array(grays, dtype=np.uint8) for grays in itertools.product((7, 200), repeat=math.prod(shape))]
    rows = np.stack(dark_and_light).reshape(-1, *spec.row_shape)
    log_prob = model.log_prob(spec.to_model(rows)).detach()
    assert float(log_prob.std()) > 0.1
    # Each stands for all images of the same two levels, of which every number may be one of 128 grays.
    whole = torch.logsumexp(log_prob.double() + math.prod(shape) * math.log(128), 0)
    assert float(whole) == pytest.approx(0, abs=1e-5)


def test_no_logit_depends_on_its_own_number_or_a_later_one():
    torch.manual_seed(0)
    network = CausalConvolutions(height=4, across=6, period=3, width=16, layers=4, outputs=2)
    numbers = torch.randn(1, 1, 4, 6, requires_grad=True)
    logits = network(numbers)[0].square().sum(0).flatten()
    reached = torch.stack(
        [torch.autograd.grad(logit, numbers, retain_graph=True)[0].flatten() != 0 for logit in logits]
    )
    assert not reached.triu().any(), "a number sees itself or the future"
    assert reached[1:].any(1).all()
    assert reached[-1, :-1].all(), "four layers reach everything before the last of 24 numbers"


@every_kind
def test_changing_a_number_changes_no_probability_before_it(kind):
    model = build(kind, levels=4)
    levels = model.levels_of(images(COLOUR))
    for place in (0, 7, 30, 59):
        changed = levels.clone()
        changed[:, place] = (changed[:, place] + 1) % 4
        before, after = model.logits(levels), model.logits(changed)
        torch.testing.assert_close(before[:, : place + 1], after[:, : place + 1])
        if place < 59:
            assert not torch.allclose(before[:, place + 1 :], after[:, place + 1 :])


@every_kind
@pytest.mark.parametrize("layers", [1, 4])
def test_each_number_lies_where_its_share_falls_in_what_the_ones_before_it_make_likely(kind, layers):
    """Writing keeps what it has seen; reading the whole image at once must say the same."""
    model = build(kind, levels=4, layers=layers)
    with torch.no_grad():
        levels, shares = model.write(Noise(3, count=20)), Noise(3, count=20).uniform(60)
        logits = model.logits(levels)
    assert len(levels.unique()) == 4
    for place in range(60):
        assert torch.equal(levels[:, place], chosen(logits[:, place], shares[:, place : place + 1])[:, 0])


@every_kind
def test_levels_are_read_from_images_and_written_back(kind):
    model = build(kind, levels=256)
    levels = model.levels_of(images(COLOUR))
    model.write = lambda noise: levels
    torch.testing.assert_close(model.generate(Noise(0, count=6), None), images(COLOUR))
    coarse = build(kind, levels=4)
    written = coarse.generate(Noise(0, count=200), None)
    assert len(np.unique(COLOUR.to_rows(written))) > 200, "every gray of a level is as likely"
    levels = coarse.levels_of(written)
    assert torch.equal(coarse.write(Noise(0, count=200)), levels)


@every_kind
def test_a_network_that_knows_nothing_needs_8_bits_for_each_number(kind):
    model = build(kind, levels=8)
    for parameter in model.parameters():
        torch.nn.init.zeros_(parameter)
    rows = np.random.default_rng(0).integers(0, 256, (6, *COLOUR.row_shape), dtype=np.uint8)
    assert bits_per_dimension(model, rows) == pytest.approx(8, abs=1e-5)
    assert likelihood_space(model) == "exact"


@every_kind
def test_a_sample_takes_a_call_for_every_number(kind):
    model = build(kind, levels=4)
    networks = [box.module for box in model.diagram().boxes if box.module is not None]
    assert network_calls(model, networks) == 60


def test_images_too_large_for_a_transformer_are_refused_in_one_line():
    with pytest.raises(UsageError, match=r"2,304 numbers, .* at most 1,024; use a smaller --size, or pixel-cnn"):
        PixelTransformer(ImageSpec(channels=1, height=48, width=48), PixelTransformer.smallest())
    assert PixelCnn(ImageSpec(channels=1, height=48, width=48), PixelCnn.smallest()).across == 48
