"""Fitting mixtures of normal distributions, for priors and controls."""

from __future__ import annotations

import warnings
from typing import Literal

import numpy as np

from tvir.contracts.data import Array


def fit_mixture(
    rows: Array,
    components: int,
    *,
    covariance: Literal["diag", "full"],
    smallest: float,
    iterations: int = 100,
    seed: int,
) -> tuple[Array, Array, Array]:
    """Weights, means and covariances by expectation maximisation, the same for the same rows and seed.

    Args:
        rows: (N, D); repeated where there are fewer than components, which changes nothing about a mixture.
        components: How many distributions are mixed.
        covariance: Whether the numbers of a component are independent.
        smallest: Added to every variance.
        iterations: At most; a mixture that would still move a little is as good.
        seed: Of the first means.

    Returns:
        (K,), (K, D) and (K, D) or (K, D, D).
    """
    # Only here: every command walks the models, and this takes half a second and 150 MB.
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    rows = np.resize(rows, (max(len(rows), components), rows.shape[1])).astype(np.float64)
    mixture = GaussianMixture(
        components, covariance_type=covariance, reg_covar=smallest, init_params="k-means++", max_iter=iterations,
        random_state=seed,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mixture.fit(rows)
    return tuple(np.asarray(part) for part in (mixture.weights_, mixture.means_, mixture.covariances_))  # pyright: ignore[reportReturnType]
