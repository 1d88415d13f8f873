"""Where data is normal, the best network is known, and so is what every sampler must make of noise."""

import math
from itertools import pairwise

import pytest
import torch

from tvir.contracts.noise import Noise
from tvir.objectives.diffusing import Ddim, Ddpm, DpmSolver, Edm, Epsilon, Heun, Parametrisation, Sampler, diffuse

pytest.importorskip("diffusers")

MEAN, SPREAD = 0.5, 0.3
COUNT = 10_000


def best_estimate(noisy, level):
    """E[x | x + level * n] for x from N(MEAN, SPREAD^2)."""
    kept = SPREAD**2 / (SPREAD**2 + level**2)
    return MEAN + kept * (noisy - MEAN)


def drawn(sampler, steps, parametrisation=None, count=COUNT):
    levels = (parametrisation or Edm()).levels(steps)
    return diffuse(sampler, best_estimate, levels, (1,), Noise(0, count=count))


@pytest.mark.parametrize("sampler", [kind() for kind in Sampler.alternatives().values()], ids=str)
@pytest.mark.parametrize("parametrisation", [kind() for kind in Parametrisation.alternatives().values()], ids=str)
def test_the_best_network_of_normal_data_gives_back_its_mean_and_spread(sampler, parametrisation):
    made = drawn(sampler, 400, parametrisation)
    assert float(made.mean()) == pytest.approx(MEAN, abs=4 * SPREAD / COUNT**0.5 + 0.005)
    assert float(made.std()) == pytest.approx(SPREAD, rel=0.05)


@pytest.mark.parametrize(("sampler", "order"), [(Ddim(), 1), (Heun(), 2), (DpmSolver(), 2)], ids=str)
def test_twice_the_steps_leave_a_fraction_of_the_error_that_is_the_sampler_s_order(sampler, order):
    """The last step always reaches the estimate, so the error is looked at above the lowest level."""

    def error(steps):
        levels = torch.linspace(math.log(20), math.log(0.1), steps + 1).exp().tolist()
        start = torch.tensor([[3.0]], dtype=torch.float64)
        reached = sampler.sample(best_estimate, levels, start, Noise(0, count=1))
        # Deviations from the mean shrink as the spread of the noisy data does: the exact flow of a normal distribution.
        exact = MEAN + (start - MEAN) * math.sqrt((SPREAD**2 + levels[-1] ** 2) / (SPREAD**2 + levels[0] ** 2))
        return float((reached - exact).abs())

    assert error(100) / error(200) == pytest.approx(2**order, rel=0.2)


@pytest.mark.parametrize("parametrisation", [kind() for kind in Parametrisation.alternatives().values()], ids=str)
def test_a_network_that_says_nothing_errs_by_the_variance_of_what_is_asked(parametrisation):
    """Both ask for numbers of variance 1 where the data's is 1."""
    noise = Noise(0, count=COUNT)
    loss = parametrisation.loss(lambda noisy, times: torch.zeros_like(noisy), noise.normal(2), Noise(1, count=COUNT))
    assert float(loss) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("parametrisation", [kind() for kind in Parametrisation.alternatives().values()], ids=str)
def test_what_the_network_reads_has_the_variance_of_the_data_at_every_level(parametrisation):
    read = []
    network = lambda noisy, times: read.append((noisy, times)) or torch.zeros_like(noisy)  # noqa: E731
    parametrisation.loss(network, Noise(0, count=COUNT).normal(1), Noise(1, count=COUNT))
    noisy, times = read[0]
    for low, high in torch.quantile(times, torch.linspace(0, 1, 5)).unfold(0, 2, 1):
        assert float(noisy[(times >= low) & (times <= high)].std()) == pytest.approx(1, abs=0.05)


def test_the_best_networks_of_standard_normal_data_give_the_best_estimate():
    noisy, level = torch.tensor([[-1.0], [2.0]]), Epsilon().levels(10)[4]
    best = noisy / (1 + level**2)
    # E[n | x_t] = sqrt(1 - abar) x_t with abar = 1 / (1 + level^2); what Edm asks for is then 0.
    noise = lambda read, times: level / math.hypot(1, level) * read  # noqa: E731
    torch.testing.assert_close(Epsilon().denoise(noise, noisy, level), best)
    torch.testing.assert_close(Edm().denoise(lambda read, times: torch.zeros_like(read), noisy, level), best)


def test_the_network_is_told_the_same_time_in_training_and_in_sampling():
    parametrisation, seen = Epsilon(), []
    network = lambda noisy, times: seen.append(float(times[0])) or noisy  # noqa: E731
    levels = parametrisation.levels(1000)[:-1]
    for level in levels[::250]:
        parametrisation.denoise(network, torch.zeros(1, 1), level)
    assert seen == pytest.approx([0.999, 0.749, 0.499, 0.249])


@pytest.mark.parametrize("steps", [1, 2, 7, 1000])
def test_levels_fall_from_the_highest_of_training_to_none(steps):
    for parametrisation in (Epsilon(), Epsilon(schedule="cosine"), Edm()):
        levels = parametrisation.levels(steps)
        assert len(levels) == steps + 1
        assert levels[-1] == 0
        assert all(level > following for level, following in pairwise(levels))
    betas = torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)
    kept = (1 - betas).prod()
    assert Epsilon().levels(steps)[0] == pytest.approx(float(((1 - kept) / kept).sqrt()), rel=1e-3)
    assert Edm().levels(steps)[0] == pytest.approx(160)


def network(noisy, times):
    """No denoiser, but as crooked as one."""
    return torch.sin(2 * noisy) + 0.3 * noisy * torch.cos(3 * times)[:, None]


@pytest.mark.parametrize("steps", [5, 20])
def test_samplers_are_those_of_diffusers(steps):
    import importlib

    parametrisation = Epsilon()
    levels = parametrisation.levels(steps)
    denoise = lambda noisy, level: parametrisation.denoise(network, noisy, level)  # noqa: E731

    def theirs(module, name, with_noise=False, **settings):
        kind = getattr(importlib.import_module(f"diffusers.schedulers.{module}"), name)
        scheduler = kind(num_train_timesteps=1000, timestep_spacing="trailing", **settings)
        scheduler.set_timesteps(steps)
        noise = Noise(3, count=6)
        sample = noise.normal(2)
        for time in scheduler.timesteps:
            answer = network(sample, time.float().expand(6) / 1000)
            given = {"eta": 1.0, "variance_noise": noise.normal(2)} if with_noise else {}
            sample = scheduler.step(answer, time, sample, **given).prev_sample
        return sample

    def ours(sampler):
        return diffuse(sampler, denoise, levels, (2,), Noise(3, count=6))

    plain = {"clip_sample": False, "set_alpha_to_one": True}
    tolerance = {"rtol": 2e-3, "atol": 2e-3}
    torch.testing.assert_close(ours(Ddim()), theirs("scheduling_ddim", "DDIMScheduler", **plain), **tolerance)
    torch.testing.assert_close(
        ours(Ddpm()), theirs("scheduling_ddim", "DDIMScheduler", with_noise=True, **plain), **tolerance
    )
    torch.testing.assert_close(
        ours(DpmSolver()),
        theirs("scheduling_dpmsolver_multistep", "DPMSolverMultistepScheduler", final_sigmas_type="zero"),
        **tolerance,
    )
