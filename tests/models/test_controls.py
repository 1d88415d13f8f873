"""Controls against what is known of the distributions that they are fitted to."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from tvir.contracts.data import Examples, ImageSpec, VectorSpec
from tvir.contracts.noise import Noise
from tvir.evaluation.metrics.likelihood import bits_per_dimension
from tvir.models.control.gaussian import Gaussian
from tvir.models.control.gaussian_mixture import GaussianMixture
from tvir.models.control.kernel_density import KernelDensity
from tvir.models.control.noise import Noise as UniformNoise
from tvir.models.control.principal import PrincipalMixture
from tvir.models.control.training_copies import TrainingCopies

PLANE = VectorSpec(features=2)
IMAGES = ImageSpec(channels=1, height=4, width=4)


def fitted(kind, rows, spec=PLANE, seed=0, **settings):
    model = kind(spec, kind.Config(**settings))
    torch.manual_seed(seed)
    model.stages()[0].prepare(Examples(spec, rows))
    return model


@pytest.fixture(scope="module")
def two_clouds():
    """An equal mixture whose density is known."""
    draw = np.random.default_rng(0)
    rows = draw.normal(size=(4000, 2)) * [0.5, 0.1] + np.where(draw.uniform(size=4000) < 0.5, 1, -1)[:, None]
    return rows.astype(np.float32)


def true_entropy_of_clouds():
    draw = np.random.default_rng(1)
    centres = np.where(draw.uniform(size=20_000) < 0.5, 1, -1)[:, None]
    points = draw.normal(size=(20_000, 2)) * [0.5, 0.1] + centres
    sides = [stats.multivariate_normal([centre, centre], [0.25, 0.01]).logpdf(points) for centre in (1, -1)]
    return points.astype(np.float32), np.logaddexp(*sides) - math.log(2)


def test_a_gaussian_has_the_density_that_scipy_gives_its_mean_and_covariance(two_clouds):
    found = fitted(Gaussian, two_clouds).log_prob(torch.from_numpy(two_clouds[:50]))
    covariance = np.cov(two_clouds.T.astype(np.float64), bias=True)
    expected = stats.multivariate_normal(two_clouds.mean(0), covariance).logpdf(two_clouds[:50])
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-3)


def test_samples_of_a_gaussian_have_the_covariance_of_the_data(two_clouds):
    samples = fitted(Gaussian, two_clouds).sample(20_000).numpy()
    np.testing.assert_allclose(np.cov(samples.T), np.cov(two_clouds.T), rtol=0.05)


def test_a_mixture_is_within_a_hundredth_of_a_nat_of_the_truth(two_clouds):
    points, truth = true_entropy_of_clouds()
    found = fitted(GaussianMixture, two_clouds, components=2).log_prob(torch.from_numpy(points))
    assert truth.mean() - float(found.mean()) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("kind", [Gaussian, GaussianMixture, KernelDensity])
def test_a_density_integrates_to_one(kind, two_clouds):
    model = fitted(kind, two_clouds[:500], **({"components": 2} if kind is GaussianMixture else {}))
    axis = torch.linspace(-4, 4, 201)
    grid = torch.cartesian_prod(axis, axis)
    density = torch.cat([model.log_prob(part) for part in grid.split(20_000)]).exp()
    assert float(density.sum()) * 0.04**2 == pytest.approx(1, abs=0.01)


def test_what_lies_off_the_axes_is_counted_once():
    """In 1,100 numbers of which 3 axes are kept, the density is that of the covariance that the axes describe."""
    draw = np.random.default_rng(0)
    rows = torch.from_numpy(draw.normal(size=(60, 1100)) * np.r_[[9, 7, 5], np.full(1097, 0.5)]).float()
    mixture = PrincipalMixture(1100, axes=3, mixed=1, components=1)
    torch.manual_seed(0)
    mixture.fit(rows, smallest=1e-4)
    axes, scale = mixture.axes.double(), float(mixture.residual) ** 2
    along = np.r_[float(mixture.factors.squeeze()) ** 2, mixture.deviations.double().numpy() ** 2]
    covariance = scale * np.eye(1100) + axes.T.numpy() @ np.diag(along - scale) @ axes.numpy()
    expected = stats.multivariate_normal(mixture.mean.double().numpy(), covariance).logpdf(rows[:4].double().numpy())
    np.testing.assert_allclose(mixture.log_prob(rows[:4]).numpy(), expected, rtol=1e-4)
    drawn = mixture.draw(Noise(0, count=4000))
    assert float(drawn.var(0).sum()) == pytest.approx(np.trace(covariance), rel=0.05)


def test_constant_pixels_cost_no_more_than_the_noise_they_are_judged_with():
    rows = np.full((300, *IMAGES.row_shape), 200, np.uint8)
    # A normal density on uniform noise of its variance costs log2(sqrt(2 pi e / 12)) bits more than the uniform one.
    assert bits_per_dimension(fitted(Gaussian, rows, IMAGES), rows) == pytest.approx(
        0.5 * math.log2(2 * math.pi * math.e / 12), abs=0.02
    )


def test_kernels_come_close_to_the_density_of_normal_data():
    """The likelihood hardly depends on the width near its best, so it is the density that is held to the truth."""
    draw = np.random.default_rng(0)
    model = fitted(KernelDensity, draw.normal(size=(2000, 1)).astype(np.float32), VectorSpec(features=1))
    points = draw.normal(size=(4000, 1)).astype(np.float32)
    gap = stats.norm.logpdf(points[:, 0]) - model.log_prob(torch.from_numpy(points)).numpy()
    assert 0 < gap.mean() < 0.05


def test_copies_are_training_rows_bit_for_bit():
    rows = np.random.default_rng(0).integers(0, 256, (40, *IMAGES.row_shape), dtype=np.uint8)
    model = fitted(TrainingCopies, rows, IMAGES, examples=10)
    known = {row.tobytes() for row in rows}
    made = [row.tobytes() for row in IMAGES.to_rows(model.sample(200))]
    assert set(made) <= known
    assert len(set(made)) == 10


def test_noise_fills_the_range_of_every_number():
    rows = np.random.default_rng(0).uniform([-3, 5], [-1, 9], (2000, 2)).astype(np.float32)
    samples = fitted(UniformNoise, rows).sample(2000).numpy()
    np.testing.assert_allclose(samples.min(0), rows.min(0), atol=0.05)
    np.testing.assert_allclose(samples.max(0), rows.max(0), atol=0.05)
    assert abs(np.corrcoef(samples.T)[0, 1]) < 0.1


@pytest.mark.parametrize("kind", [Gaussian, GaussianMixture, KernelDensity, TrainingCopies])
def test_other_seeds_of_a_fit_make_other_samples(kind, two_clouds):
    one, other = (fitted(kind, two_clouds, seed=seed).sample(8) for seed in (0, 1))
    assert not torch.allclose(one, other)
