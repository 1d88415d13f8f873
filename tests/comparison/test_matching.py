"""Networks are made as large as they should be."""

import pytest

from tvir.comparison.matching import WIDEST, closest_width


@pytest.mark.parametrize("wanted", [1, 2, 3, 500, 90_000, 10**9])
def test_no_other_width_is_closer(wanted):
    def size(width):
        return 3.0 * width**2 + 40 * width

    found = closest_width(size, wanted)
    ratios = {width: max(size(width) / wanted, wanted / size(width)) for width in range(1, WIDEST + 1)}
    assert ratios[found] == min(ratios.values())


def test_few_sizes_are_reckoned():
    asked = []
    closest_width(lambda width: asked.append(width) or float(width), 700)
    assert len(asked) < 30
