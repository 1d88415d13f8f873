"""A GAN between the latents of texts: the autoencoder stays as it is, and the generator takes the prior's place."""

import torch

from tvir.contracts.data import Examples, TextSpec
from tvir.contracts.model import Batch
from tvir.contracts.noise import Noise
from tvir.models.hybrid.latent_gan import LatentGan

SPEC = TextSpec(vocabulary=6, length=5)


def gan_of(**settings):
    torch.manual_seed(0)
    smallest = LatentGan.smallest().as_json()
    return LatentGan(SPEC, LatentGan.Config.from_json({**smallest, **settings})).eval()


def texts(count=64):
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(1, 6, (count, 5), generator=generator)
    tokens[:, 3:] = 0
    return tokens


def test_the_game_moves_neither_encoder_nor_decoder():
    gan = gan_of()
    playing = {id(weight) for phase in gan.stages()[-1].phases for weight in phase.player.parameters}
    assert not playing & {id(weight) for weight in gan.autoencoder.parameters()}
    assert playing == {id(weight) for network in (gan.generator, gan.critic) for weight in network.parameters()}


def test_the_stages_of_the_autoencoder_share_what_the_game_leaves():
    gan = gan_of(first_stage_share=0.6, autoencoder_start=0.5)
    assert [round(stage.share, 6) for stage in gan.stages()] == [0.3, 0.3, 0.4]


def test_the_critic_sees_latents_of_texts_with_mean_0_and_about_variance_1():
    gan = gan_of()
    with torch.no_grad():
        gan.autoencoder.encoder.head.bias += 3.0  # log variances too: draws would hide the means
        gan.autoencoder.encoder.head.bias[2:] = -20.0
    data = texts()
    gan.stages()[-1].prepare(Examples(SPEC, SPEC.to_rows(data)))
    batch = Batch(data=data, labels=None, noise=Noise(0, count=64), step=0, progress=0.5)
    seen = gan._encoded(batch)
    torch.testing.assert_close(seen.mean(0), torch.zeros(2), rtol=0, atol=0.2)
    torch.testing.assert_close(seen.std(0), torch.ones(2), rtol=0, atol=0.2)


def test_a_sample_is_what_the_autoencoder_writes_of_a_latent_that_the_generator_made():
    gan = gan_of()
    noise = Noise(3, count=8)
    latents = gan.sample_prior(noise)
    again = Noise(3, count=8)
    with gan.latents_from(lambda _: latents), gan.drawing_with(temperature=1e-6), torch.no_grad():
        torch.testing.assert_close(gan.generate(again, None), gan.decode(latents))


def test_a_walk_between_two_texts_begins_and_ends_with_their_reconstructions():
    gan = gan_of()
    data = texts(2)
    with torch.no_grad():
        ends = gan.encode(data).mean
        assert ends.shape == gan.sample_prior(Noise(0, count=2)).shape
        torch.testing.assert_close(gan.decode(ends), gan.reconstruct(data))
