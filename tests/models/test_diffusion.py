"""What diffusion and flow matching promise beyond what every model does."""

import numpy as np
import pytest
import torch

from tvir.contracts.data import Examples, ImageSpec, VectorSpec
from tvir.contracts.model import Batch
from tvir.contracts.noise import Noise
from tvir.evaluation.metrics.sampling_cost import network_calls
from tvir.models.catalogue import catalogue
from tvir.objectives.diffusing import Ddim, Ddpm, DpmSolver, Heun
from tvir.objectives.transport import Euler, Midpoint, RungeKutta

pytest.importorskip("diffusers")
pytest.importorskip("torchdiffeq")

from tvir.models.diffusion.diffusion import Diffusion
from tvir.models.diffusion.flow_matching import FlowMatching
from tvir.models.diffusion.latent_diffusion import LatentDiffusion

IMAGES = ImageSpec(channels=3, height=8, width=8)
PLANE = VectorSpec(features=2)


def build(kind, spec=PLANE, **settings):
    torch.manual_seed(0)
    smallest = kind.smallest()
    return kind(spec, type(smallest)(**(vars(smallest) | settings)))


@pytest.mark.parametrize(
    ("kind", "settings", "calls"),
    [
        (Diffusion, {"sampler": Ddim()}, 5),
        (Diffusion, {"sampler": Ddpm()}, 5),
        (Diffusion, {"sampler": DpmSolver()}, 5),
        (Diffusion, {"sampler": Heun()}, 9),
        (FlowMatching, {"solver": Euler()}, 5),
        (FlowMatching, {"solver": Midpoint()}, 10),
        (FlowMatching, {"solver": RungeKutta()}, 20),
    ],
    ids=str,
)
def test_calls_of_the_network_are_counted_as_the_sampler_makes_them(kind, settings, calls):
    model = build(kind, **settings)
    networks = [box.module for box in model.diagram().boxes if box.module is not None]
    with model.sampling_in(5):
        assert network_calls(model, networks) == calls
    assert model.steps == model.config.steps


@pytest.mark.parametrize("sampler", [Ddim(), Ddpm(), DpmSolver(), Heun()], ids=str)
def test_sample_i_is_the_same_whatever_the_batch_with_every_sampler(sampler):
    model = build(Diffusion, sampler=sampler)
    whole = model.sample(70, seed=3)
    torch.testing.assert_close(model.sample(2, seed=3, first=67), whole[67:69], rtol=1e-4, atol=1e-5)


def test_only_random_samplers_draw_on_the_way():
    def draws(sampler):
        noise, drawn = Noise(0, count=2), []
        normal = noise.normal
        noise.normal = lambda *shape: drawn.append(shape) or normal(*shape)
        build(Diffusion, sampler=sampler).generate(noise, None)
        return len(drawn)

    assert draws(Ddpm()) == 1 + 3
    assert draws(Ddim()) == draws(DpmSolver()) == draws(Heun()) == 1


@pytest.mark.parametrize("kind", [Diffusion, FlowMatching])
def test_the_network_sees_examples_of_mean_0_and_variance_1(kind):
    model = build(kind, IMAGES)
    rows = np.random.default_rng(0).integers(0, 100, (300, *IMAGES.row_shape), dtype=np.uint8)
    rows[..., 1] //= 2
    model.stages()[0].prepare(Examples(IMAGES, rows))
    seen = model.unit(IMAGES.to_model(rows))
    torch.testing.assert_close(seen.mean((0, 2, 3)), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(seen.std((0, 2, 3)), torch.ones(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(model.unit.inverse(seen), IMAGES.to_model(rows), atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", [Diffusion, FlowMatching])
def test_pixels_stay_in_their_range_and_vectors_are_free(kind):
    model = build(kind, IMAGES)
    model.unit.scale.fill_(50.0)
    assert float(model.sample(4).abs().max()) <= 1 + 1e-4
    plane = build(kind)
    plane.unit.scale.fill_(50.0)
    assert float(plane.sample(4).abs().max()) > 2


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Diffusion, FlowMatching])
def test_two_points_are_learned(kind):
    """Standardised, each is one standard deviation from the mean."""
    model = build(kind, width=8, batch_size=128)
    rows = np.where(np.arange(256)[:, None] % 2, 3.0, 1.0).astype(np.float32) * np.array([[1, -1]], np.float32)
    (stage,) = model.stages()
    stage.prepare(Examples(PLANE, rows))
    (phase,) = stage.phases
    optimiser = torch.optim.Adam(phase.player.parameters, lr=3e-3)
    data = torch.from_numpy(rows)[:128]
    for step in range(300):
        optimiser.zero_grad()
        model.loss(model.unit(data), Noise(step, count=128)).popitem()[1].backward()
        optimiser.step()
    with model.sampling_in(20):
        made = model.sample(200)[:, 0]
    assert float(torch.minimum((made - 1).abs(), (made - 3).abs()).mean()) < 0.15
    assert 0.3 < float((made > 2).float().mean()) < 0.7


def test_a_family_without_its_extra_is_listed_and_says_what_to_install(monkeypatch):
    import sys

    from tvir.contracts.errors import MissingExtraError
    from tvir.models import catalogue as module

    monkeypatch.setitem(sys.modules, "diffusers", None)
    for name in [name for name in sys.modules if name.startswith("tvir.models.diffusion.")]:
        monkeypatch.delitem(sys.modules, name)
    module._entries.cache_clear()
    try:
        assert catalogue()["diffusion"].extra == "families"
        with pytest.raises(MissingExtraError, match=r"pip install 'tvir\[families\]'"):
            module.find_model("diffusion")
    finally:
        module._entries.cache_clear()


def test_listing_models_imports_no_package_of_a_family():
    import subprocess
    import sys

    look = (
        "import sys; from tvir.models.catalogue import catalogue; assert catalogue()['diffusion'].model\n"
        "heavy = {'diffusers', 'transformers', 'torchdiffeq'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", look], check=True)


def latent_diffusion(**settings):
    model = build(LatentDiffusion, IMAGES, **settings)
    rows = np.random.default_rng(0).integers(0, 256, (40, *IMAGES.row_shape), dtype=np.uint8)
    model.stages()[1].prepare(Examples(IMAGES, rows))
    return model, IMAGES.to_model(rows)


def test_latent_diffusion_learns_in_standardised_latents_of_a_first_stage_that_stays():
    model, data = latent_diffusion()
    seen = model.unit(model.encode(data).mean)
    torch.testing.assert_close(seen.mean((0, 2, 3)), torch.zeros(2), atol=1e-4, rtol=0)
    torch.testing.assert_close(seen.std((0, 2, 3)), torch.ones(2), atol=1e-3, rtol=0)
    (phase,) = model.stages()[1].phases
    batch = Batch(data=data[:8], labels=None, noise=Noise(0, count=8), step=0, progress=0.5)
    total = sum(phase.loss(batch).values())
    first_stage = [*model.encoder.parameters(), *model.decoder.parameters()]
    assert all(slope is None for slope in torch.autograd.grad(total, first_stage, allow_unused=True, retain_graph=True))
    own = torch.autograd.grad(total, phase.player.parameters, allow_unused=True)
    assert any(slope is not None and slope.any() for slope in own)


def test_latent_diffusion_calls_its_denoiser_in_every_step_and_its_decoder_once():
    model, _ = latent_diffusion()
    networks = [box.module for box in model.diagram().boxes if box.module is not None]
    with model.sampling_in(7):
        assert network_calls(model, networks) == 7 + 1


def test_latents_of_a_denoiser_that_says_nothing_are_those_of_an_average_example():
    """Asked for nothing at the last levels, Edm's estimate is what is read: standardised latents of spread 1."""
    model, _ = latent_diffusion(steps=200)
    model.unit.shift.fill_(3.0)
    model.unit.scale.fill_(0.5)
    model.denoiser.forward = lambda latents, times: torch.zeros_like(latents)
    with torch.no_grad():
        drawn = model.sample_prior(Noise(0, count=500))
    assert float(drawn.mean()) == pytest.approx(3, abs=0.02)
    assert float(drawn.std()) == pytest.approx(0.5, abs=0.02)
