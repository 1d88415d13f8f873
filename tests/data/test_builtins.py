import numpy as np
from sklearn.datasets import load_digits

from tvir.contracts.data import ImageSpec, VectorSpec
from tvir.data.opening import open_dataset


def test_digits_are_scikit_learns_scaled_to_bytes():
    digits = open_dataset("digits")
    assert digits.spec == ImageSpec(channels=1, height=8, width=8, classes=tuple("0123456789"))
    ours = [row.tobytes() for split in (digits.train, digits.validation, digits.test) for row in split.rows]
    theirs = np.rint(load_digits().images * 255 / 16).astype(np.uint8)
    assert sorted(ours) == sorted(row.tobytes() for row in theirs)


def test_digits_keep_their_labels():
    digits = open_dataset("digits")
    original = load_digits()
    pixels = np.rint(original.images * 255 / 16).astype(np.uint8)
    truth = {row.tobytes(): label for row, label in zip(pixels, original.target, strict=True)}
    for row, label in zip(digits.test.rows, digits.test.labels, strict=True):
        assert truth[row.tobytes()] == label


def test_ring8_lies_on_its_modes():
    ring = open_dataset("ring8")
    assert ring.spec == VectorSpec(features=2)
    assert ring.options == {}
    assert (len(ring.train), len(ring.validation), len(ring.test)) == (20_000, 10_000, 10_000)
    np.testing.assert_allclose(np.linalg.norm(ring.modes.centres, axis=1), 1)
    assert ring.modes.sigma == 0.01
    _check_mixture(ring)


def test_grid25_lies_on_its_modes():
    grid = open_dataset("grid25")
    assert sorted(set(grid.modes.centres[:, 0])) == [-4, -2, 0, 2, 4]
    assert len({tuple(centre) for centre in grid.modes.centres}) == 25
    assert grid.modes.sigma == 0.05
    _check_mixture(grid)


def test_toy_splits_do_not_share_examples():
    ring = open_dataset("ring8")
    shared = {tuple(row) for row in ring.train.rows} & {tuple(row) for row in ring.test.rows}
    assert not shared


def _check_mixture(toy):
    rows, centres = np.asarray(toy.train.rows), toy.modes.centres
    offsets = rows[:, None] - centres
    nearest = (offsets**2).sum(axis=2).argmin(axis=1)
    share = np.bincount(nearest, minlength=len(centres)) / len(rows)
    # Five standard errors of a multinomial share and of a standard deviation.
    assert np.abs(share - 1 / len(centres)).max() < 5 * np.sqrt(1 / len(centres) / len(rows))
    spread = offsets[np.arange(len(rows)), nearest].std()
    assert abs(spread / toy.modes.sigma - 1) < 5 / np.sqrt(2 * 2 * len(rows))
