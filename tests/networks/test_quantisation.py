"""A codebook that follows what it quantises, worked by hand."""

import torch

from tvir.networks.quantisation import Codebook

ROWS = torch.tensor([[0.0, 0.0], [2.0, 0.0], [10.0, 10.0], [10.0, 12.0]])
LOTS = torch.tensor([0.4, 0.3, 0.1, 0.2])


def book(vectors, decay=0.0, counts=None):
    codes = torch.tensor(vectors)
    found = Codebook(*codes.shape, decay=decay)
    found.vectors.copy_(codes)
    if counts:
        found.counts.copy_(torch.tensor(counts))
        found.sums.copy_(codes * found.counts[:, None])
    return found


def test_the_nearest_code_is_the_nearest():
    torch.manual_seed(0)
    codebook, rows = Codebook(9, 3), torch.randn(50, 3)
    assert torch.equal(codebook.nearest(rows), torch.cdist(rows, codebook.vectors).argmin(1))


def test_without_a_past_codes_become_the_means_of_what_is_nearest():
    codebook = book([[1.0, 1.0], [9.0, 9.0]], counts=[2.0, 2.0])
    codebook.learn(ROWS, LOTS)
    assert codebook.vectors.tolist() == [[1.0, 0.0], [10.0, 11.0]]


def test_with_a_past_codes_are_moving_averages():
    codebook = book([[1.0, 1.0], [9.0, 9.0]], decay=0.5, counts=[2.0, 4.0])
    codebook.learn(ROWS, LOTS)
    # Counts (2 + 2) / 2 and (4 + 2) / 2; sums ((2, 2) + (2, 0)) / 2 and ((36, 36) + (20, 22)) / 2.
    assert codebook.counts.tolist() == [2.0, 3.0]
    torch.testing.assert_close(codebook.vectors, torch.tensor([[1.0, 0.5], [28 / 3, 29 / 3]]))


def test_the_first_codes_are_rows_with_the_smallest_lots():
    codebook = Codebook(2, 2, decay=0.9)
    codebook.learn(ROWS, LOTS)
    assert codebook.vectors.tolist() == [[10.0, 10.0], [10.0, 12.0]]


def test_a_code_that_nothing_is_near_to_is_moved_to_where_something_is():
    codebook = book([[1.0, 0.0], [10.0, 11.0], [-90.0, 0.0]], counts=[2.0, 2.0, 0.0])
    codebook.learn(ROWS, LOTS)
    assert codebook.vectors.tolist() == [[1.0, 0.0], [10.0, 11.0], [10.0, 10.0]]


def test_more_codes_than_rows_are_filled_in_time():
    codebook = Codebook(6, 2, decay=0.5)
    codebook.learn(ROWS, LOTS)
    assert {tuple(row) for row in ROWS.tolist()} <= {tuple(row) for row in codebook.vectors.tolist()}
    for _ in range(8):
        codebook.learn(ROWS + 100, LOTS)
    assert (codebook.vectors > 50).all(1).sum() >= 4


def test_used_codes_stay_where_they_are():
    torch.manual_seed(0)
    centres = torch.tensor([[-5.0, 0.0], [5.0, 0.0], [0.0, 5.0]])
    codebook = Codebook(3, 2, decay=0.9)
    for _ in range(60):
        rows = centres[torch.randint(3, (90,))] + 0.1 * torch.randn(90, 2)
        codebook.learn(rows, torch.rand(90))
    assert torch.cdist(centres, codebook.vectors).amin(1).max() < 0.1
