"""The order of the data follows from the seed and from the examples seen, whatever the processes and batches are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tvir.training.order import DataOrder


def test_every_epoch_sees_every_example_once_in_another_order():
    order = DataOrder(seed=3, size=50)
    epochs = [order.indices(50 * epoch, 50) for epoch in range(4)]
    assert all(sorted(epoch.tolist()) == list(range(50)) for epoch in epochs)
    assert not (epochs[0] == epochs[1]).all()


@given(st.integers(1, 20), st.integers(0, 100), st.lists(st.integers(0, 30), min_size=1, max_size=6))
def test_pieces_add_up_to_the_whole(size, first, counts):
    whole = DataOrder(seed=1, size=size).indices(first, sum(counts))
    starts = np.cumsum([0, *counts[:-1]]) + first
    pieces = [DataOrder(1, size).indices(int(start), count) for start, count in zip(starts, counts, strict=True)]
    assert np.concatenate(pieces).tolist() == whole.tolist()


@pytest.mark.parametrize("world", [2, 4])
def test_processes_together_take_the_batch_of_one(world):
    share = 32 // world
    one = DataOrder(seed=9, size=45)
    for step in range(5):
        several = [DataOrder(9, 45).indices(32 * step + rank * share, share) for rank in range(world)]
        assert np.concatenate(several).tolist() == one.indices(32 * step, 32).tolist()


def test_another_seed_is_another_order():
    assert DataOrder(0, 100).indices(0, 100).tolist() != DataOrder(1, 100).indices(0, 100).tolist()
