import numpy as np
import pytest

from tvir.data.source import Contents
from tvir.data.splits import assign_splits, name_keys, position_keys


def sizes(contents):
    return tuple(np.bincount(assign_splits(contents)[0], minlength=3))


def test_small_sources_hold_back_a_fifth_twice_and_large_ones_a_tenth():
    assert sizes(Contents(count=1000)) == (600, 200, 200)
    assert sizes(Contents(count=10_000)) == (8000, 1000, 1000)


@pytest.mark.parametrize("count", range(3, 12))
def test_no_split_is_empty_from_three_examples_on(count):
    assert min(sizes(Contents(count=count))) >= 1


def test_with_fewer_than_three_all_are_for_training():
    assert sizes(Contents(count=2)) == (2, 0, 0)


def test_a_native_test_split_is_kept_and_validation_comes_from_training():
    contents = Contents(count=700, splits=(("train", 500), ("test", 200)))
    assignment, findings = assign_splits(contents)
    assert (assignment[500:] == 2).all()
    assert tuple(np.bincount(assignment[:500])) == (450, 50)
    assert findings == ("50 of the 500 training examples are held back for validation",)


def test_carved_validation_never_exceeds_ten_thousand():
    assert sizes(Contents(count=300_000, splits=(("train", 250_000), ("test", 50_000)))) == (240_000, 10_000, 50_000)


def test_a_native_validation_split_tests_where_there_is_no_test_split():
    contents = Contents(count=600, splits=(("train", 500), ("validation", 100)))
    assignment, findings = assign_splits(contents)
    assert (assignment[500:] == 2).all()
    assert "no test split" in findings[0]


def test_three_native_splits_are_kept_as_they_are():
    contents = Contents(count=60, splits=(("train", 30), ("validation", 20), ("test", 10)))
    assignment, findings = assign_splits(contents)
    assert assignment.tolist() == [0] * 30 + [1] * 20 + [2] * 10
    assert findings == ()


def test_splits_are_the_same_every_time_and_spread_over_the_source():
    first, second = (assign_splits(Contents(count=3000))[0] for _ in range(2))
    np.testing.assert_array_equal(first, second)
    thirds = [np.mean(part == 2) for part in np.split(first, 3)]
    assert max(thirds) - min(thirds) < 0.08  # 0.2 +- 3 standard errors of 1000 draws


def test_a_new_file_leaves_nearly_all_others_in_their_split():
    names = [f"{index}.png".encode() for index in range(1000)]
    before, _ = assign_splits(Contents(count=1000, split_keys=name_keys(names)))
    after, _ = assign_splits(Contents(count=1001, split_keys=name_keys([*names, b"new.png"])))
    assert (before != after[:1000]).sum() <= 2


def test_position_keys_are_splitmix64():
    # First outputs of the reference implementation for seed 0.
    assert position_keys(2).tolist() == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4]
