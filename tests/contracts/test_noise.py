"""Noise belongs to rows: batch size, process count and order of access change nothing."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tvir.contracts.noise import Noise, mix_seed


@settings(max_examples=40, deadline=None)
@given(first=st.integers(0, 300), count=st.integers(0, 200))
def test_any_window_equals_the_same_rows_of_the_whole_table(first, count):
    whole = Noise(5, count=500)
    window = Noise(5, count=count, first=first)
    # Several draws from one table must stay aligned too, whatever their kind and shape.
    for draw in (lambda n: n.normal(3), lambda n: n.uniform(), lambda n: n.integers(10, 2, 2)):
        assert torch.equal(draw(whole)[first : first + count], draw(window))


def test_tables_of_different_seeds_are_unrelated():
    a, b = Noise(1, count=4000).normal(), Noise(2, count=4000).normal()
    assert torch.corrcoef(torch.stack([a, b]))[0, 1].abs() < 0.06


def test_normal_numbers_have_the_moments_of_a_standard_normal():
    draws = Noise(3, count=20_000).normal()
    # Standard errors are 1/sqrt(N) and sqrt(2/N); four of each.
    assert draws.mean().abs() < 4 / 20_000**0.5
    assert (draws.var() - 1).abs() < 4 * (2 / 20_000) ** 0.5


def test_rows_across_block_borders_are_not_repeated():
    draws = Noise(3, count=1000).normal()
    assert draws.unique().numel() == 1000


@pytest.mark.parametrize("parts", [(1, 2), (2, 1), (1, "2"), (12,), ("1", 2)])
def test_mixed_seeds_depend_on_every_part_their_order_and_type(parts):
    assert mix_seed(*parts) == mix_seed(*parts)
    others = [(1, 2), (2, 1), (1, "2"), (12,), ("1", 2)]
    assert len({mix_seed(*other) for other in others}) == len(others)
    assert 0 <= mix_seed(*parts) < 2**63
