"""The same feature matrices through the packages that people compare with."""

import importlib

import pytest
from synthetic import normal

from tvir.contracts.errors import TvirError
from tvir.contracts.metric import Points
from tvir.contracts.third_party import import_beside_torchvision
from tvir.evaluation.matrices import computing_device
from tvir.evaluation.metrics.kid import Kid
from tvir.evaluation.metrics.precision_recall_density_coverage import ball_scores, squared_radii
from tvir.evaluation.moments import frechet, moments

SIZES = [(200, 8), (500, 32), (300, 64)]


def pair(count, dimensions):
    device = computing_device()
    real = normal(count, dimensions, seed=1)
    return real.to(device), normal(count, dimensions, seed=2, shift=0.2, scale=0.9).to(device)


def fidelity(module):
    try:
        import_beside_torchvision("torch_fidelity")
    except TvirError as error:
        pytest.skip(str(error))
    return importlib.import_module(f"torch_fidelity.{module}")


@pytest.mark.parametrize(("count", "dimensions"), SIZES)
def test_precision_recall_density_coverage_are_those_of_prdc(count, dimensions):
    prdc = pytest.importorskip("prdc")
    real, generated = pair(count, dimensions)
    # Its radii are strict, and its k + 1 counts the point itself: the same convention as here.
    theirs = prdc.compute_prdc(real.cpu().numpy(), generated.cpu().numpy(), nearest_k=5)
    ours = ball_scores(real, generated, squared_radii(real), squared_radii(generated))
    for name, value in theirs.items():
        assert getattr(ours, name) == pytest.approx(value, rel=1e-6), name


@pytest.mark.parametrize(("count", "dimensions"), SIZES)
def test_precision_and_recall_are_those_of_torch_fidelity(count, dimensions):
    prc = fidelity("metric_prc")
    real, generated = pair(count, dimensions)
    # Its balls are closed and its first argument is the generated side; in general position no distance is a tie.
    precision, recall = prc.calculate_precision_recall_full(generated.cpu(), real.cpu(), neighborhood=5)
    ours = ball_scores(real, generated, squared_radii(real), squared_radii(generated))
    assert ours.precision == pytest.approx(precision, rel=1e-6)
    assert ours.recall == pytest.approx(recall, rel=1e-6)


@pytest.mark.parametrize(("count", "dimensions"), SIZES)
def test_the_frechet_distance_is_that_of_torch_fidelity(count, dimensions):
    fid = fidelity("metric_fid")
    real, generated = pair(count, dimensions)
    statistics = [fid.fid_features_to_statistics(features.cpu()) for features in (real, generated)]
    theirs = fid.fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]
    assert frechet(moments(real), moments(generated)) == pytest.approx(theirs, rel=1e-6)


@pytest.mark.parametrize(("count", "dimensions"), SIZES)
def test_kid_is_that_of_torch_fidelity_on_one_subset_of_all_points(count, dimensions):
    kid = fidelity("metric_kid")
    sides = [features.cpu().numpy() for features in pair(count, dimensions)]
    # Left to itself it averages over a hundred overlapping subsets; one subset of everything leaves its arithmetic.
    theirs = kid.kernel_mmd(*sides, kid_kernel="poly", kid_kernel_poly_degree=3, kid_kernel_poly_coef0=1)
    real, generated = (Points(rows=side, features={"test@1": side}) for side in sides)
    ((_, _, ours),) = Kid().measure(real, generated, None)
    assert ours == pytest.approx(theirs, rel=1e-6)
