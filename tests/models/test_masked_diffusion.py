"""Masked diffusion bounds what can be counted, and leaves alone what it has been given."""

from itertools import product
from math import comb

import pytest
import torch
from torch import nn

from tvir.contracts.data import TextSpec
from tvir.contracts.errors import UsageError
from tvir.contracts.noise import Noise
from tvir.models.diffusion.masked_diffusion import MaskedDiffusion
from tvir.networks.masked_text import MaskedTransformer
from tvir.objectives.masking import masked_places, masked_surprise

SPEC = TextSpec(vocabulary=3, length=3, pieces=(b"", b"a", b"b"))
TEXTS = torch.tensor([row for row in product(range(3), repeat=3) if 0 not in row or not any(row[row.index(0) :])])
PROBABILITIES = torch.softmax(torch.sin(3.0 * torch.arange(len(TEXTS))), 0)
MASKS = torch.tensor([mask for mask in product([False, True], repeat=3) if any(mask)])


class TrueConditionals(nn.Module):
    """The logits of each token given what is seen, counted from the texts' probabilities, which may be bent."""

    def __init__(self, bend=0.0):
        super().__init__()
        self.bend = bend

    def forward(self, tokens):
        seen = tokens[:, None]
        fits = ((seen == TEXTS) | (seen == 3)).all(2) * PROBABILITIES
        found = torch.einsum("nt,tlv->nlv", fits, nn.functional.one_hot(TEXTS, 3).float())
        bent = self.bend * torch.tensor([0.0, 1.0, -1.0])
        return found.clamp_min(1e-30).log() + bent


def model_of(network=None, **settings):
    torch.manual_seed(0)
    spec = SPEC if network else TextSpec(vocabulary=6, length=8)
    model = MaskedDiffusion(spec, MaskedDiffusion.Config(layers=1, heads=2, width=8, **settings)).eval()
    if network:
        model.network = network
    return model


def exact_bound(model):
    """The mean over all masks, each as probable as it is drawn, for every text."""
    total = torch.zeros(len(TEXTS))
    for mask in MASKS:
        masked = mask.expand(len(TEXTS), 3)
        found = model.logits(TEXTS, masked).log_softmax(2).gather(2, TEXTS[:, :, None])[:, :, 0]
        weight = 1 / (3 * comb(3, int(mask.sum())))
        total += weight * masked_surprise(-found.masked_fill(~masked, 0.0), masked)
    return -total


def test_with_the_true_conditionals_the_bound_is_the_log_probability_of_every_text():
    torch.testing.assert_close(exact_bound(model_of(TrueConditionals())), PROBABILITIES.log(), rtol=1e-4, atol=1e-4)


def test_with_others_the_bound_lies_below_the_negative_entropy():
    entropy = -(PROBABILITIES * PROBABILITIES.log()).sum()
    bent = -(PROBABILITIES * exact_bound(model_of(TrueConditionals(bend=0.5)))).sum()
    assert bent > entropy + 0.01


def test_what_is_drawn_is_the_exact_bound_on_average():
    model = model_of(TrueConditionals(bend=0.5))
    drawn = model.elbo(TEXTS, Noise(0, count=len(TEXTS)), samples=1500)
    torch.testing.assert_close(drawn, exact_bound(model), rtol=0, atol=0.15)


def test_every_number_of_masks_is_as_probable_as_every_other_and_so_is_every_place():
    noise = Noise(0, count=20_000)
    masked = masked_places(noise.uniform(5), noise.uniform())
    shares = torch.bincount(masked.sum(1), minlength=6) / len(masked)
    torch.testing.assert_close(shares[1:], torch.full((5,), 0.2), rtol=0, atol=0.01)
    assert shares[0] == 0
    torch.testing.assert_close(masked.float().mean(0), torch.full((5,), 0.6), rtol=0, atol=0.015)


def test_one_place_at_a_time_draws_texts_as_often_as_they_are_probable():
    model = model_of(TrueConditionals(), steps=4096)
    made = model.sample(3000, seed=1, chunk=3000)
    shares = (made[:, None] == TEXTS).all(2).float().mean(0)
    torch.testing.assert_close(shares, PROBABILITIES, rtol=0, atol=0.03)


@pytest.mark.parametrize("steps", [1, 3, 64])
def test_given_tokens_stay_and_texts_end_once(steps):
    model = model_of()
    given = torch.tensor([[4, 0, 2, 0, 0, 5, 0, 0]]).expand(200, 8)
    masked = given == 0
    with torch.no_grad(), model.sampling_in(steps):
        texts = model.complete(given, masked, Noise(0, count=200))
    behind = (texts == 0).cumsum(1) > 0
    assert not texts[behind].any()
    assert ((texts == given) | masked | behind).all()
    # A gap before a given token is never filled with an end.
    assert not behind[:, :6].any()


def test_a_place_reads_what_is_on_either_side_of_it():
    torch.manual_seed(0)
    network = MaskedTransformer(vocabulary=5, length=4, width=8, layers=1, heads=2)
    for changed in (0, 3):
        one, other = torch.tensor([[1, 2, 5, 3]]), torch.tensor([[1, 2, 5, 3]])
        other[0, changed] = 4
        assert not torch.allclose(network(one)[0, 2], network(other)[0, 2])


def test_heads_that_do_not_divide_the_width_are_refused():
    with pytest.raises(UsageError, match="3 heads do not divide a width of 8"):
        MaskedDiffusion(SPEC, MaskedDiffusion.Config(heads=3, width=8))
