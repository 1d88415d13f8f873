"""Which examples a step sees: a function of the seed and of the examples seen so far, and of nothing else."""

from __future__ import annotations

import numpy as np

from tvir.contracts.data import Array
from tvir.contracts.noise import mix_seed


class DataOrder:
    """An endless row of indices: one shuffled pass over the data after another.

    There is no state to save: the place in the row is the number of examples seen. Batches run across the end of an
    epoch, and processes take neighbouring pieces of the row, so the order does not depend on how many there are.

    Args:
        seed: The run's seed.
        size: Number of examples, at least 1.

    Example:
        >>> order = DataOrder(seed=0, size=5)
        >>> sorted(order.indices(0, 5).tolist())
        [0, 1, 2, 3, 4]
        >>> bool((order.indices(3, 4) == np.concatenate([order.indices(3, 2), order.indices(5, 2)])).all())
        True
    """

    def __init__(self, seed: int, size: int) -> None:
        self.seed = seed
        self.size = size
        self._epoch = -1
        self._permutation: Array = np.empty(0, dtype=np.int64)

    def indices(self, first: int, count: int) -> Array:
        """Indices number ``first ... first + count - 1`` of the row."""
        parts = []
        while count:
            epoch, place = divmod(first, self.size)
            part = self._shuffled(epoch)[place : place + count]
            parts.append(part)
            first, count = first + len(part), count - len(part)
        return parts[0] if len(parts) == 1 else np.concatenate([np.empty(0, dtype=np.int64), *parts])

    def _shuffled(self, epoch: int) -> Array:
        if epoch != self._epoch:
            generator = np.random.default_rng(mix_seed(self.seed, "order", epoch))
            self._permutation, self._epoch = generator.permutation(self.size), epoch
        return self._permutation
