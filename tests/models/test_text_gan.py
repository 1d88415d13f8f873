"""A GAN of text plays about the tokens it draws, begins as what it is told to, and knows what it has lost."""

import pytest
import torch

from tvir.contracts.data import Examples, TextSpec
from tvir.contracts.model import Batch
from tvir.contracts.noise import Noise
from tvir.models.hybrid.text_gan import TextGan
from tvir.models.vae.text_vae import Attentive, Recurrent
from tvir.networks.text_critic import TextCritic
from tvir.objectives.texts import gumbel, one_hot, relaxed_tokens

SPEC = TextSpec(vocabulary=6, length=5)
WAYS = ("none", "mle", "vae")


def gan_of(pretraining="mle", **settings):
    torch.manual_seed(0)
    smallest = {**TextGan.smallest().as_json(), "pretraining": pretraining}
    return TextGan(SPEC, TextGan.Config.from_json({**smallest, **settings})).eval()


def texts(count=16):
    tokens = torch.randint(1, 6, (count, 5), generator=torch.Generator().manual_seed(0))
    tokens[::2, 3:] = 0
    return tokens


def batch_of(data, progress=0.5):
    return Batch(data=data, labels=None, noise=Noise(0, count=len(data)), step=0, progress=progress)


def test_the_largest_logit_with_noise_is_a_draw():
    logits = torch.tensor([0.0, 1.0, -1.0]).expand(40_000, 3)
    drawn = (logits + gumbel(Noise(0, count=40_000).uniform(3))).argmax(1)
    shares = torch.bincount(drawn, minlength=3) / len(drawn)
    torch.testing.assert_close(shares, logits[0].softmax(0), rtol=0, atol=0.01)


def test_relaxed_tokens_are_sharp_in_the_end_and_nothing_follows_an_end():
    noise = gumbel(Noise(1, count=2).uniform(4, 6))
    logits = torch.zeros(2, 4, 6)
    tokens = torch.tensor([[1, 0, 0, 0], [2, 3, 4, 5]])
    found = relaxed_tokens(logits, noise, tokens, sharpness=1e4)
    torch.testing.assert_close(found.sum(2), torch.ones(2, 4))
    torch.testing.assert_close(found[0, 2:], one_hot(tokens, 6)[0, 2:])
    torch.testing.assert_close(found[1], one_hot((logits + noise).argmax(2), 6)[1], rtol=0, atol=1e-3)


@pytest.mark.parametrize("decoder", [Recurrent(layers=2, width=8), Attentive(layers=2, heads=2, width=8)], ids=str)
@pytest.mark.parametrize("progress", [0.0, 1.0])
def test_what_the_critic_is_shown_is_what_was_drawn(decoder, progress):
    """The texts are written token by token and read once more at a time: both must be the same logits."""
    gan = gan_of(decoder=str(decoder))
    with torch.no_grad():
        for weight in gan.writing_network.parameters():
            weight.mul_(3.0)
    shown = gan._relaxed(batch_of(texts(64), progress))
    assert shown.shape == (64, 5, 6)
    tokens = shown.argmax(2)
    ended = (tokens == 0).cumsum(1) > 0
    assert not tokens[ended].any()
    assert ended.any()
    share = float(shown.detach().amax(2)[:, 0].mean())
    assert share > 0.97 if progress == 1 else share < 0.95


@pytest.mark.parametrize("pretraining", WAYS)
def test_the_game_moves_the_generator_and_the_critic_alone(pretraining):
    gan = gan_of(pretraining)
    generator, critic = gan.stages()[-1].phases
    assert {id(weight) for weight in generator.player.parameters} == {id(w) for w in gan.writing_network.parameters()}
    assert {id(weight) for weight in critic.player.parameters} == {id(w) for w in gan.critic.parameters()}
    losses = generator.loss(batch_of(texts()))
    slopes = torch.autograd.grad(losses["adversarial"], list(gan.writing_network.parameters()), allow_unused=True)
    assert any(slope is not None and bool(slope.any()) for slope in slopes)


def test_what_comes_first_is_taken_from_the_game():
    settings = {"pretraining_share": 0.6, "autoencoder_start": 0.3}
    shares = {way: [stage.share for stage in gan_of(way, **settings).stages()] for way in WAYS}
    assert shares["none"] == [1.0]
    assert shares["mle"] == pytest.approx([0.6, 0.4])
    assert shares["vae"] == pytest.approx([0.18, 0.42, 0.4])


def test_only_a_generator_that_begins_as_a_decoder_brings_an_encoder_along():
    assert not any("encoder" in name for name in gan_of("mle").state_dict())
    assert any("encoder" in name for name in gan_of("vae").state_dict())


@pytest.mark.parametrize("pretraining", WAYS)
def test_the_bound_tightens_to_the_probability_that_is_integrated_over_the_plane(pretraining):
    gan = gan_of(pretraining)
    with torch.no_grad():
        for weight in gan.parameters():
            weight.mul_(2.0)
    text = torch.tensor([[1, 2, 0, 0, 0]])
    side = torch.linspace(-6, 6, 101)
    plane = torch.cartesian_prod(side, side)
    tokens = text.expand(len(plane), 5)
    with torch.no_grad():
        logits = gan.writing_network(tokens, plane)
        likelihood = logits.log_softmax(2).gather(2, tokens[:, :, None])[:, :3, 0].sum(1)
        density = torch.distributions.Normal(0.0, 1.0).log_prob(plane).sum(1)
        exact = float((density + likelihood).double().exp().sum().log()) + 2 * float((side[1] - side[0]).log())
    assert float(gan.elbo(text.expand(400, 5), Noise(0, count=400)).mean()) <= exact + 0.05
    assert float(gan.elbo(text, Noise(0, count=1), samples=3000)) == pytest.approx(exact, abs=0.1)


def test_the_model_notes_how_probable_texts_were_as_the_game_began():
    gan = gan_of("mle")
    data = texts()
    assert float(gan.start_surprise) == 0
    prepare = gan.stages()[-1].prepare
    assert prepare
    prepare(Examples(SPEC, SPEC.to_rows(data)))
    assert float(gan.start_surprise) == pytest.approx(float(gan.surprise(data)))


def test_each_view_of_a_text_is_judged_by_the_same_convolutions():
    torch.manual_seed(0)
    critic = TextCritic(vocabulary=6, length=5, embeddings=2, width=3, filters=4)
    with torch.no_grad():
        critic.embed.weight[3:] = critic.embed.weight[:3]
        logits = critic(one_hot(texts(), 6))
    torch.testing.assert_close(logits[:, 0], logits[:, 1])
    assert logits[:, 0].std() > 0
