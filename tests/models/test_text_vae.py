"""A VAE of text bounds what it can be asked for exactly, and keeps to what its settings promise."""

from itertools import product

import pytest
import torch

from tvir.contracts.data import Examples, TextSpec
from tvir.contracts.errors import UsageError
from tvir.contracts.model import Batch
from tvir.contracts.noise import Noise
from tvir.models.vae.text_vae import Attentive, Recurrent, TextVae
from tvir.networks.latent_text import TextEncoder
from tvir.networks.transformer import Memory

SPEC = TextSpec(vocabulary=3, length=4, pieces=(b"", b"a", b"b"))
DECODERS = [Recurrent(layers=2, width=8), Attentive(layers=2, heads=2, width=8)]
each_decoder = pytest.mark.parametrize("decoder", DECODERS, ids=lambda decoder: decoder.name)


def vae_of(decoder=DECODERS[0], **settings):
    torch.manual_seed(0)
    vae = TextVae(SPEC, TextVae.Config(decoder=decoder, latent=2, encoder_width=8, **settings)).eval()
    with torch.no_grad():  # far from uniform, so that a mistake shows
        for parameter in vae.parameters():
            parameter.mul_(2.0)
    return vae


def every_text():
    rows = [row for row in product(range(3), repeat=4) if 0 not in row or not any(row[row.index(0) :])]
    return torch.tensor(rows)


def batch_of(data, progress=1.0):
    return Batch(data=data, labels=None, noise=Noise(0, count=len(data)), step=0, progress=progress)


@each_decoder
def test_for_each_latent_the_probabilities_of_all_texts_add_up_to_one(decoder):
    vae, texts = vae_of(decoder), every_text()
    with torch.no_grad():
        total = vae.log_likelihood(texts, torch.tensor([[0.5, -1.0]]).expand(len(texts), 2)).double().exp().sum()
    assert float(total) == pytest.approx(1, abs=1e-5)


@each_decoder
def test_the_bound_tightens_to_the_probability_that_is_integrated_over_the_plane(decoder):
    vae = vae_of(decoder)
    text = torch.tensor([[1, 2, 0, 0]])
    side = torch.linspace(-6, 6, 121)
    plane = torch.cartesian_prod(side, side)
    with torch.no_grad():
        density = torch.distributions.Normal(0.0, 1.0).log_prob(plane).sum(1)
        likelihood = vae.log_likelihood(text.expand(len(plane), 4), plane)
        exact = float((density + likelihood).double().exp().sum().log()) + 2 * float((side[1] - side[0]).log())
    bound = float(vae.elbo(text.expand(400, 4), Noise(0, count=400)).mean())
    close = float(vae.elbo(text, Noise(0, count=1), samples=4000))
    assert bound <= exact + 0.05
    assert close == pytest.approx(exact, abs=0.1)


@each_decoder
def test_reading_token_by_token_is_reading_at_once(decoder):
    vae = vae_of(decoder)
    tokens, latents = torch.tensor([[1, 2, 2, 1], [2, 1, 1, 1]]), torch.tensor([[1.0, 0.0], [0.0, -1.0]])
    memory, parts = Memory(), []
    with torch.no_grad():
        for position in range(4):
            parts.append(vae.decoder.following(latents, tokens[:, max(0, position - 1)][:, None], memory))
        torch.testing.assert_close(torch.cat(parts, 1), vae.decoder(tokens, latents), rtol=1e-4, atol=1e-5)


@each_decoder
def test_what_is_decoded_is_the_likeliest_token_at_each_place(decoder):
    vae = vae_of(decoder)
    latents = Noise(1, count=6).normal(2)
    with torch.no_grad():
        texts = vae.decode(latents)
        logits = vae.decoder(texts, latents)
    until = (texts == 0).cumsum(1) <= (texts == 0).long()
    assert torch.equal(texts[until], logits.argmax(2)[until])
    assert torch.equal(texts, vae.decode(latents))


@pytest.mark.parametrize("pooled", [True, False])
def test_an_encoding_depends_on_nothing_behind_the_end_nor_beside(pooled):
    torch.manual_seed(0)
    encoder = TextEncoder(vocabulary=3, width=8, outputs=4, pooled=pooled)
    alone = encoder(torch.tensor([[1, 2, 0]]))
    beside = encoder(torch.tensor([[1, 2, 0, 0], [2, 2, 2, 2]]))[:1]
    torch.testing.assert_close(alone, beside)


def test_each_number_of_the_latent_has_its_bits_for_nothing():
    data = torch.tensor([[1, 2, 0, 0], [2, 1, 2, 1]])
    free, bound = vae_of(free_bits=100.0), vae_of(free_bits=0.0)
    (phase,) = free.stages()[-1].phases
    assert phase.loss(batch_of(data))["divergence"].item() == pytest.approx(2 * 100.0)
    mean, log_variance = bound.posterior(data)
    exact = torch.distributions.kl_divergence(
        torch.distributions.Normal(mean, (0.5 * log_variance).exp()), torch.distributions.Normal(0.0, 1.0)
    )
    (phase,) = bound.stages()[-1].phases
    assert phase.loss(batch_of(data))["divergence"].item() == pytest.approx(exact.sum(1).mean().item(), rel=1e-4)


def test_beta_grows_anew_in_every_cycle():
    data = torch.tensor([[1, 2, 0, 0]])
    vae = vae_of(cycles=2, free_bits=1.0)
    (phase,) = vae.stages()[-1].phases
    shares = [phase.loss(batch_of(data, p))["divergence"].item() for p in (0.0, 0.125, 0.25, 0.4, 0.5, 0.75, 1.0)]
    full = shares[-1]
    assert [share / full for share in shares] == pytest.approx([0, 0.5, 1, 1, 0, 1, 1])


def test_hidden_tokens_are_not_seen_by_those_after_them():
    vae, latents = vae_of(), torch.zeros(1, 2)
    hide = torch.tensor([[True, False, False, False]])
    with torch.no_grad():
        hidden = [vae.decoder(torch.tensor([[first, 1, 1, 1]]), latents, hide) for first in (1, 2)]
        seen = [vae.decoder(torch.tensor([[first, 1, 1, 1]]), latents) for first in (1, 2)]
    torch.testing.assert_close(hidden[0], hidden[1])
    assert not torch.allclose(seen[0], seen[1])


def test_the_decoder_begins_anew_beside_the_encoder_that_has_learned():
    vae = vae_of(autoencoder_start=0.5)
    encoder = {name: weight.clone() for name, weight in vae.encoder.state_dict().items()}
    before = vae.decoder.head.weight.detach().clone()
    stage = vae.stages()[1]
    stage.prepare(Examples(SPEC, SPEC.to_rows(every_text())))
    assert not torch.equal(vae.decoder.head.weight, before)
    assert all(torch.equal(weight, encoder[name]) for name, weight in vae.encoder.state_dict().items())
    again = vae_of(autoencoder_start=0.5)
    again.stages()[1].prepare(Examples(SPEC, SPEC.to_rows(every_text())))
    assert torch.equal(vae.decoder.head.weight, again.decoder.head.weight)


def test_heads_that_do_not_divide_the_width_are_refused():
    with pytest.raises(UsageError, match="3 heads do not divide a width of 8"):
        vae_of(Attentive(heads=3, width=8))
