"""What trying several settings is worth."""

from itertools import combinations

import numpy as np
import pytest

from tvir.comparison.search import expected_best
from tvir.contracts.metric import Direction


@pytest.mark.parametrize(("better", "best"), [(Direction.LOWER, min), (Direction.HIGHER, max)])
def test_the_expected_best_is_the_mean_over_all_choices(better, best):
    values = np.random.default_rng(0).normal(size=6)
    found = expected_best(values, better)
    for n in range(1, 7):
        assert found[n - 1] == pytest.approx(np.mean([best(chosen) for chosen in combinations(values, n)]))


def test_one_setting_is_its_own_best():
    assert expected_best([2.5], Direction.LOWER) == [2.5]
