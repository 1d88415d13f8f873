import math

import pytest
import torch

from tvir.workflows.spherical import great_circle


def test_walks_begin_and_end_where_they_should():
    begin, end = torch.randn(4, 2, 3), torch.randn(4, 2, 3)
    path = great_circle(begin, end, 7)
    assert path.shape == (4, 7, 2, 3)
    torch.testing.assert_close(path[:, 0], begin)
    torch.testing.assert_close(path[:, -1], end)


def test_between_latents_of_equal_length_every_point_has_that_length():
    begin, end = (3.0 * torch.nn.functional.normalize(torch.randn(5, 16), dim=1) for _ in range(2))
    lengths = great_circle(begin, end, 9).norm(dim=2)
    torch.testing.assert_close(lengths, torch.full((5, 9), 3.0))


def test_directions_turn_evenly():
    path = great_circle(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 5.0]]), 4)[0]
    angles = torch.atan2(path[:, 1], path[:, 0])
    torch.testing.assert_close(angles, torch.tensor([0, 1 / 3, 2 / 3, 1]) * math.pi / 2)


@pytest.mark.parametrize("factor", [2.0, -1.0, 0.0])
def test_parallel_opposite_and_empty_latents_are_walked_in_a_straight_line(factor):
    begin = torch.tensor([[1.0, 2.0]])
    middle = great_circle(begin, factor * begin, 3)[:, 1]
    torch.testing.assert_close(middle, (1 + factor) / 2 * begin)
