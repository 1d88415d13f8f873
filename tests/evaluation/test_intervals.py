"""A 95 % interval holds what it should in about 95 of 100 repeated draws."""

import math

import numpy as np
import pytest
from synthetic import context, normal, points

from tvir.contracts.metric import Points
from tvir.evaluation.intervals import StandardError, block_count, disjoint_blocks, standard_errors
from tvir.evaluation.measuring import measure_all
from tvir.evaluation.metrics.frechet_distance import FrechetDistance
from tvir.evaluation.metrics.kid import Kid
from tvir.evaluation.metrics.mmd_rbf import MmdRbf
from tvir.evaluation.metrics.precision_recall_density_coverage import PrecisionRecallDensityCoverage
from tvir.evaluation.remembering import remembered_by_row

DRAWS = 150


def held(metric, name, *, shift, count=400, dimensions=4):
    """How often the interval holds the mean of the values, and the interval's mean half-width over the true one."""
    values, intervals = [], []
    for draw in range(DRAWS):
        real = points(normal(count, dimensions, seed=2 * draw))
        generated = points(normal(count, dimensions, seed=2 * draw + 1, shift=shift))
        known = context(dimensions=dimensions)
        measured = [one for one in measure_all([metric], real, generated, known, []) if one.name == name]
        errors = standard_errors(measured, real, generated, known)
        (one,) = measured
        values.append(one.value)
        intervals.append(errors[one.key].interval(one.value))
    truth = np.mean(values)
    half = np.mean([(high - low) / 2 for low, high in intervals])
    return np.mean([low <= truth <= high for low, high in intervals]), half / np.std(values)


# Four standard errors of a share of 0.95 over 150 draws are 0.07.
@pytest.mark.parametrize(
    ("metric", "name", "shift"),
    [
        (Kid(), "kid", 0.5),
        pytest.param(MmdRbf(), "mmd_rbf", 0.5, marks=pytest.mark.slow),
        (FrechetDistance(), "frechet_distance", 0.7),
        pytest.param(PrecisionRecallDensityCoverage(), "coverage", 1.0, marks=pytest.mark.slow),
    ],
)
def test_between_different_distributions_it_is_as_wide_as_it_should_be(metric, name, shift):
    share, width = held(metric, name, shift=shift)
    assert share == pytest.approx(0.95, abs=0.07)
    # 1.96 or, with eight blocks, 2.36 standard deviations.
    assert 1.5 < width < 3.2


def test_the_variance_of_the_u_statistic_holds_between_equal_distributions_too():
    share, width = held(Kid(), "kid", shift=0.0)
    assert share > 0.88
    assert 1.4 < width < 2.6


def test_blocks_are_never_too_narrow_between_equal_distributions():
    share, width = held(FrechetDistance(), "frechet_distance", shift=0.0)
    assert share > 0.95
    assert width > 2


def test_the_interval_lies_around_the_full_value_and_holds_it():
    real, generated = points(normal(200, 16, seed=0)), points(normal(200, 16, seed=1))
    (one,) = measure_all([FrechetDistance()], real, generated, context(dimensions=16), [])
    low, high = standard_errors([one], real, generated, context(dimensions=16))[one.key].interval(one.value)
    assert low < one.value < high
    assert (low + high) / 2 == pytest.approx(one.value)


def test_blocks_part_a_set():
    whole = points(normal(203, 2))
    blocks = disjoint_blocks(whole, 8, 0)
    assert sorted(map(tuple, np.concatenate([block.rows for block in blocks]))) == sorted(map(tuple, whole.rows))
    assert {len(block) for block in blocks} == {25, 26}


@pytest.mark.parametrize(("size", "count"), [(99, 0), (100, 4), (199, 7), (10_000, 8)])
def test_small_sets_have_fewer_blocks_or_none(size, count):
    assert block_count(points(np.zeros((size, 1))), points(np.zeros((10_000, 1)))) == count


def test_a_formula_takes_the_normal_quantile_and_blocks_students():
    assert StandardError(1.0, None).interval(0.0)[1] == pytest.approx(1.959964)
    assert StandardError(1.0, 7).interval(0.0)[1] == pytest.approx(2.364624)


def test_a_value_on_which_all_blocks_agree_has_no_interval():
    same = points(np.tile(normal(20, 2).numpy(), (20, 1)))
    far = points(normal(400, 2, seed=1, shift=50.0))
    measured = list(measure_all([PrecisionRecallDensityCoverage()], far, same, context(), []))
    errors = standard_errors(measured, far, same, context())
    assert [one.value for one in measured if one.name == "coverage"] == [0.0]
    assert not any(name == "coverage" for name, _ in errors)


def test_results_by_row_of_a_subset_come_from_the_whole_while_it_lives():
    calls = []

    @remembered_by_row
    def norms(some: Points):
        calls.append(len(some))
        return np.linalg.norm(some.rows, axis=1)

    whole = points(normal(50, 3))
    part = whole.subset(np.array([7, 3, 3]))
    assert norms(part.subset(np.array([0, 2]))) == pytest.approx(norms(whole)[[7, 3]])
    assert calls == [50]
    rows = whole.rows
    del whole
    assert norms(part) == pytest.approx(np.linalg.norm(rows[[7, 3, 3]], axis=1))
    assert calls == [50, 3]


def test_kid_agrees_with_the_kernel_matrices_written_out():
    real, generated = points(normal(60, 5)), points(normal(40, 5, seed=1, shift=0.3))
    x, y = real.rows.astype(float), generated.rows.astype(float)
    kernel = lambda a, b: (a @ b.T / 5 + 1) ** 3  # noqa: E731
    own, other = kernel(x, x), kernel(y, y)
    expected = (own.sum() - own.trace()) / (60 * 59) + (other.sum() - other.trace()) / (40 * 39)
    expected -= 2 * kernel(x, y).mean()
    ((_, space, value),) = Kid().measure(real, generated, context(dimensions=5))
    assert value == pytest.approx(expected, rel=1e-9)
    assert math.isfinite(Kid().standard_error("kid", space, value, real, generated))
