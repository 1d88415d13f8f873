"""What hybrids promise beyond what every model does."""

import math
from contextlib import nullcontext

import numpy as np
import pytest
import torch

from tvir.contracts.data import Examples, ImageSpec, TextSpec, VectorSpec
from tvir.contracts.errors import UsageError
from tvir.contracts.model import Batch
from tvir.contracts.noise import Noise
from tvir.evaluation.metrics.sampling_cost import network_calls
from tvir.models.catalogue import catalogue
from tvir.models.hybrid.aae import Aae
from tvir.models.hybrid.bigan import Bigan
from tvir.models.hybrid.first_stage import as_places, as_sequence
from tvir.models.hybrid.kl_autoencoder import KlAutoencoder
from tvir.models.hybrid.latent_sequence import VectorTransformer
from tvir.models.hybrid.mixture import Mixture
from tvir.models.hybrid.soft_intro_vae import SoftIntroVae
from tvir.models.hybrid.vae_gan import VaeGan
from tvir.models.hybrid.vqgan import Vqgan
from tvir.models.hybrid.wae_gan import WaeGan
from tvir.objectives.adversarial import LeastSquares
from tvir.objectives.penalties import R1, Regulariser, SpectralNorm
from tvir.training.moves import prepare_move
from tvir.training.processes import Processes
from tvir.training.work import StageWork

IMAGES = ImageSpec(channels=1, height=8, width=8)
PLANE = VectorSpec(features=2)
TEXTS = TextSpec(vocabulary=6, length=5)


def build(kind, spec=IMAGES, **settings):
    torch.manual_seed(0)
    smallest = kind.smallest()
    return kind(spec, type(smallest)(**(vars(smallest) | settings))).train()


def batch(spec=IMAGES, progress=0.5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    if isinstance(spec, TextSpec):
        data = torch.randint(1, spec.vocabulary, (8, *spec.shape), generator=generator)
    else:
        data = torch.rand(8, *spec.shape, generator=generator) * 2 - 1
    return Batch(data=data, labels=None, noise=Noise(seed, count=8), step=0, progress=progress)


def phases_of(model, stage=0):
    return {phase.name: phase for phase in model.stages()[stage].phases}


def slopes(phase, given):
    total = torch.stack(list(phase.loss(given).values())).sum()
    found = torch.autograd.grad(total, list(phase.player.parameters), allow_unused=True)
    return torch.cat([slope.flatten() for slope in found if slope is not None])


HYBRIDS = [entry.model for entry in catalogue().values() if entry.family == "hybrid" and entry.model]


@pytest.mark.parametrize("kind", HYBRIDS, ids=lambda kind: kind.__name__)
def test_no_move_changes_anything_but_its_player(kind):
    spec = IMAGES if isinstance(IMAGES, kind.specs) else TEXTS
    model = build(kind, spec)
    for stage in model.stages():
        work = StageWork(model, stage, 100.0)
        for phase in stage.phases:
            before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
            move = prepare_move(phase, work.parameters(phase), batch(spec), nullcontext, Processes())
            work.apply(phase, move, 0.1)
            own = {id(parameter) for parameter in phase.player.parameters}
            changed = set()
            for name, parameter in model.named_parameters():
                assert parameter.grad is None, name
                if not torch.equal(parameter, before[name]):
                    assert id(parameter) in own, f"{phase.name} changed {name}"
                    changed.add(name)
            assert changed


def test_each_player_of_a_vae_gan_has_a_loss_of_its_own():
    losses = {name: set(phase.loss(batch())) for name, phase in phases_of(build(VaeGan)).items()}
    assert losses == {
        "encoder": {"reconstruction", "divergence"},
        "decoder": {"reconstruction", "adversarial"},
        "critic": {"adversarial", "penalty"},
    }


@pytest.mark.parametrize("kind", [VaeGan, WaeGan, Vqgan], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("name", Regulariser.alternatives())
def test_a_critic_may_be_kept_smooth_by_any_regulariser(kind, name):
    regulariser = Regulariser.parse(name)
    if kind is Vqgan and regulariser.normalises_weights:
        pytest.skip("refused in one line")
    losses = phases_of(build(kind, regulariser=regulariser))["critic"].loss(batch())
    assert all(torch.isfinite(loss) for loss in losses.values())
    assert ("penalty" in losses) == (regulariser.watches_inputs or regulariser.interpolates or name == "auto")


def test_gamma_of_a_vae_gan_moves_its_decoder_only():
    one, other = (phases_of(build(VaeGan, gamma=gamma)) for gamma in (0.5, 4.0))
    for name in ("encoder", "critic"):
        torch.testing.assert_close(slopes(one[name], batch()), slopes(other[name], batch()))
    assert not torch.allclose(slopes(one["decoder"], batch()), slopes(other["decoder"], batch()))


def test_beta_of_a_vae_gan_moves_its_encoder_only():
    one, other = (phases_of(build(VaeGan, beta=beta)) for beta in (0.5, 4.0))
    for name in ("decoder", "critic"):
        torch.testing.assert_close(slopes(one[name], batch()), slopes(other[name], batch()))
    assert not torch.allclose(slopes(one["encoder"], batch()), slopes(other["encoder"], batch()))


def test_a_wasserstein_autoencoder_is_certain_of_latents_and_an_adversarial_one_is_not():
    data = batch().data
    certain, uncertain = build(WaeGan).encode(data), build(Aae).encode(data)
    assert torch.equal(certain.sample(), certain.mean)
    assert not torch.allclose(uncertain.sample(), uncertain.mean)


@pytest.mark.parametrize("kind", [Aae, WaeGan])
def test_a_critic_of_latents_brings_them_to_the_prior(kind):
    model = build(kind, PLANE, latent=1, width=8, adversarial_weight=10.0, regulariser=R1(weight=0.1))
    with torch.no_grad():
        model.encoder.head.bias[0] = 3.0
    stage = model.stages()[0]
    work = StageWork(model, stage, 100.0)
    for step in range(150):
        given = batch(PLANE, seed=step)
        for phase in stage.phases:
            move = prepare_move(phase, work.parameters(phase), given, nullcontext, Processes())
            work.apply(phase, move, 3e-3)
    assert abs(model.encode(batch(PLANE).data).mean.mean().item()) < 1.5


def test_encoder_and_generator_of_a_bigan_want_opposite_things_of_the_critic():
    model = build(Bigan)
    with torch.no_grad():
        # A critic that looks at the latent alone.
        model.discriminator.joint.weight[:, : model.discriminator.trunk.features] = 0
    given, step = batch(), 1e-2
    for name, sign in (("encoder", -1), ("generator", 1)):
        phase = phases_of(model)[name]
        rows = model._encoded if name == "encoder" else model._generated
        before = model.discriminator(rows(batch())).mean()
        found = torch.autograd.grad(
            torch.stack(list(phase.loss(given).values())).sum(), list(phase.player.parameters), allow_unused=True
        )
        with torch.no_grad():
            for parameter, slope in zip(phase.player.parameters, found, strict=True):
                if slope is not None:
                    parameter -= step * slope
        assert sign * (model.discriminator(rows(batch())).mean() - before) >= 0, name


@pytest.mark.parametrize("settings", [{"loss": LeastSquares()}, {"regulariser": SpectralNorm()}])
def test_a_bigan_refuses_what_it_cannot_play(settings):
    with pytest.raises(UsageError, match="use"):
        build(Bigan, **settings)


def test_losses_of_a_soft_introspective_vae_are_those_worked_by_hand(monkeypatch):
    settings = {"beta_reconstruction": 0.5, "beta_divergence": 0.25, "beta_negative": 3.0}
    model = build(SoftIntroVae, PLANE, latent=1, **settings)
    # Every posterior is N(2, 1), whose divergence is 2 nats; everything decoded is 1, its error against itself 0.
    monkeypatch.setattr(model, "posterior", lambda data: (torch.full((len(data), 1), 2.0), torch.zeros(len(data), 1)))
    monkeypatch.setattr(model, "decode", lambda latents: torch.ones(len(latents), 2))
    data = torch.tensor([[1.0, 3.0], [1.0, 1.0]])
    given = Batch(data=data, labels=None, noise=Noise(0, count=2), step=0, progress=0.5)
    phases = phases_of(model, stage=1)
    # Errors |x - 1|^2 / 2 are 2 and 0; bounds are divided by the 2 numbers of an example.
    assert {name: loss.item() for name, loss in phases["encoder"].loss(given).items()} == {
        "reconstruction": pytest.approx(0.5 * 0.5 * 1.0),
        "divergence": pytest.approx(0.5 * 0.25 * 2.0),
        "made": pytest.approx(0.5 * math.exp(2 * 0.5 * (0 - 3.0 * 2.0))),
    }
    assert {name: loss.item() for name, loss in phases["decoder"].loss(given).items()} == {
        "reconstruction": pytest.approx(0.5 * 0.5 * 1.0),
        "made": pytest.approx(0.5 * 0.25 * 2.0),
        "made_reconstruction": 0.0,
    }


@pytest.mark.parametrize("kind", [Vqgan, KlAutoencoder])
def test_the_game_of_patches_begins_after_its_share_of_the_stage(kind):
    phases = phases_of(build(kind, adversarial_start=0.4))
    assert "adversarial" not in phases["autoencoder"].loss(batch(progress=0.3))
    assert phases["critic"].loss(batch(progress=0.3)) == {}
    assert "adversarial" in phases["autoencoder"].loss(batch(progress=0.4))
    assert "adversarial" in phases["critic"].loss(batch(progress=0.4))


@pytest.mark.parametrize("kind", [Vqgan, KlAutoencoder])
def test_heads_that_do_not_divide_the_width_are_refused(kind):
    with pytest.raises(UsageError, match="3 heads do not divide a width of 4"):
        build(kind, prior_heads=3)


def test_the_gradient_passes_a_codebook_as_if_it_were_not_there(monkeypatch):
    model = build(Vqgan, commitment=0.0)
    outputs = torch.randn(8, *model.latent_shape, requires_grad=True)
    monkeypatch.setattr(model.encoder, "forward", lambda data: outputs)
    latents, costs = model.compress(batch())
    assert costs["commitment"] == 0
    aim = torch.randn_like(outputs)
    (slope,) = torch.autograd.grad((latents * aim).sum(), outputs)
    assert torch.equal(slope, aim)


def test_commitment_is_the_squared_distance_from_the_codes_worked_by_hand(monkeypatch):
    model = build(Vqgan, commitment=0.25)
    model.codebook.vectors.copy_(torch.tensor([[0.0, 0.0], [9.0, 9.0], [8.0, 8.0], [7.0, 7.0]]))
    outputs = torch.full((8, *model.latent_shape), 2.0, requires_grad=True)
    monkeypatch.setattr(model.encoder, "forward", lambda data: outputs)
    _, costs = model.compress(batch())
    assert costs["commitment"].item() == pytest.approx(0.25 * 4.0)


def test_only_the_autoencoder_moves_the_codebook():
    model = build(Vqgan)
    before = model.codebook.vectors.clone()
    phases_of(model)["critic"].loss(batch())
    phases_of(model, stage=1)["prior"].loss(batch())
    assert torch.equal(model.codebook.vectors, before)
    phases_of(model)["autoencoder"].loss(batch())
    assert not torch.equal(model.codebook.vectors, before)


def test_samples_of_a_vqgan_are_decoded_codes():
    model = build(Vqgan).eval()
    rows = as_sequence(model.sample_prior(Noise(0, count=3))).flatten(0, 1)
    assert torch.cdist(rows, model.codebook.vectors).amin(1).max() < 1e-6


@pytest.mark.parametrize("kind", [Vqgan, KlAutoencoder])
def test_a_sample_of_two_stages_calls_its_prior_for_every_place_and_its_decoder_once(kind):
    model = build(kind)
    networks = [box.module for box in model.diagram().boxes if box.module is not None]
    assert network_calls(model, networks) == 16 + 1


def test_places_are_laid_out_row_by_row_and_back():
    latents = torch.arange(24.0).view(1, 2, 3, 4)
    assert as_sequence(latents)[0, 5].tolist() == [5.0, 17.0]
    assert torch.equal(as_places(as_sequence(latents), (3, 4)), latents)


def test_the_prior_of_a_kl_autoencoder_sees_latents_of_unit_spread(monkeypatch):
    model = build(KlAutoencoder)
    rows = np.random.default_rng(0).integers(0, 256, (50, *IMAGES.row_shape), dtype=np.uint8)
    model.stages()[1].prepare(Examples(IMAGES, rows))
    standard = as_sequence(model.unit(model.posterior(IMAGES.to_model(rows))[0])).flatten(0, 1)
    torch.testing.assert_close(standard.mean(0), torch.zeros(2), atol=1e-4, rtol=0)
    torch.testing.assert_close(standard.std(0), torch.ones(2), atol=1e-4, rtol=0)
    monkeypatch.setattr(model.transformer, "generate", lambda noise: torch.ones(noise.count, 16, 2))
    drawn = model.sample_prior(Noise(0, count=1))
    torch.testing.assert_close(drawn[0], (model.unit.shift + model.unit.scale).expand_as(drawn[0]))


@pytest.fixture
def vectors():
    torch.manual_seed(0)
    transformer = VectorTransformer(size=1, length=2, width=8, layers=1, heads=2, components=3)
    torch.nn.init.normal_(transformer.head.weight, std=0.3)
    return transformer


def test_the_density_of_a_sequence_of_vectors_adds_up_to_one(vectors):
    axis = torch.linspace(-12, 12, 401)
    grid = torch.cartesian_prod(axis, axis).view(-1, 2, 1)
    with torch.no_grad():
        total = vectors.log_prob(grid).exp().sum() * (axis[1] - axis[0]) ** 2
    assert total.item() == pytest.approx(1, abs=1e-3)


def test_vectors_are_drawn_from_the_density_that_is_given(vectors):
    with torch.no_grad():
        drawn = vectors.generate(Noise(1, count=4000)).squeeze(2)
        axis = torch.linspace(-12, 12, 401)
        grid = torch.cartesian_prod(axis, axis)
        weights = vectors.log_prob(grid.view(-1, 2, 1)).exp().double()
    weights /= weights.sum()
    mean = weights @ grid.double()
    covariance = (grid.double() - mean).T @ (weights[:, None] * (grid.double() - mean))
    error = covariance.diagonal().sqrt() / 4000**0.5
    assert ((drawn.double().mean(0) - mean).abs() < 4 * error).all()
    torch.testing.assert_close(torch.cov(drawn.double().T), covariance, rtol=0.1, atol=0.05)


def test_a_mixture_of_codes_does_not_care_how_large_they_are_written():
    """An autoencoder is held to no scale; the prior fitted to its codes must be the same prior, only larger."""
    codes = np.random.default_rng(0).normal(size=(600, 2)) * 0.01 + np.repeat([[0, 0], [1, 0], [0, 1]], 200, axis=0)
    fitted = []
    for scale in (1.0, 1e-3, 1e3):
        mixture = Mixture(3, 2)
        mixture.fit(scale * codes)
        fitted.append(mixture.draw(Noise(0, count=500)) / scale)
    assert float(torch.cdist(fitted[0], fitted[0].new_tensor([[0, 0], [1, 0], [0, 1]])).min(1).values.max()) < 0.1
    for other in fitted[1:]:
        torch.testing.assert_close(other, fitted[0], rtol=1e-3, atol=1e-3)
