"""Whether a density around the generated points fits the training split better than unseen data."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from tvir.contracts.metric import Axis, Context, Direction, Metric, Points, Quantity
from tvir.evaluation.distances import Pairs
from tvir.evaluation.matrices import first_space, require
from tvir.evaluation.subsampling import some_features

_CENTRES = 2000
_DATA = 1000
_ROUNDS = 10
_SMALLEST_VARIANCE = 1e-4
"""In units of the mean variance of a training feature: an exact copy would otherwise have an infinite density."""


class FldGap(Metric):
    """Feature likelihood divergence of the reference less that of the training split: above 0 is overfitting.

    A mixture of spherical normal distributions, one around each generated point, has its variances fitted to the
    training split by ten rounds of expectation maximisation: a point that copies a training point becomes narrow. FLD
    is minus the log density in nats, times 100, divided by the dimensions. In the first space, scaled to unit mean
    variance, around 2,000 generated points, with 1,000 of the training split and 1,000 of the reference.

    Reference:
        Feature Likelihood Divergence: Evaluating the Generalization of Generative Models Using Samples, arXiv
        2302.04440 (there the variances are found by gradient descent).

    Sample size:
        The stated numbers; it sees a copy only where the drawn parts of both sets meet.

    Known failure:
        With a large training split few copies meet what they copied: copy_rate searches all of it. The split of both
        sets is random, so the floor is not exactly 0.
    """

    quantities = (Quantity("fld_gap", Axis.MEMORISATION, Direction.LOWER),)
    in_blocks = False
    needs = "a training split"

    def applies(self, real: Points, context: Context) -> bool:
        return len(context.train) > 1

    def measure(self, real: Points, generated: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        require(real, 2, "real")
        require(generated, 2, "generated")
        space = first_space(real)
        train = some_features(context.train, space, _DATA, context.seed)
        centres = some_features(generated, space, _CENTRES, context.seed)
        unseen = some_features(real, space, _DATA, context.seed)
        yield "fld_gap", space, likelihood_divergence_gap(train, unseen, centres)


def likelihood_divergence_gap(train: Tensor, unseen: Tensor, centres: Tensor) -> float:
    """FLD(unseen) - FLD(train) of the mixture around ``centres``, all (N, D).

    Raises:
        ValueError: All training points are one.
    """
    scale = train.double().var(0).mean().sqrt()
    if float(scale) == 0:
        raise ValueError("all training points are one")
    dimensions = train.shape[1]
    to_train, to_unseen = (_squared(points / scale, centres / scale) for points in (train, unseen))
    variances = _fitted_variances(to_train, dimensions)
    densities = [_log_density(squared, variances, dimensions) for squared in (to_train, to_unseen)]
    return 100 / dimensions * float(densities[0] - densities[1])


def _squared(points: Tensor, centres: Tensor) -> Tensor:
    squared = torch.empty(len(points), len(centres), dtype=torch.float64, device=points.device)
    for rows, columns, block in Pairs(points, centres).blocks():
        squared[rows, columns] = block
    return squared


def _fitted_variances(squared: Tensor, dimensions: int) -> Tensor:
    """One variance per centre, (C,), from squared distances (N, C)."""
    variances = (squared.amin(1).mean() / dimensions).clamp_min(_SMALLEST_VARIANCE).expand(squared.shape[1])
    for _ in range(_ROUNDS):
        shares = _log_terms(squared, variances, dimensions).softmax(1)
        weight = shares.sum(0)
        fitted = (shares * squared).sum(0) / (dimensions * weight.clamp_min(1e-30))
        # A centre that explains nothing keeps its variance.
        variances = torch.where(weight > 1e-12, fitted, variances).clamp_min(_SMALLEST_VARIANCE)
    return variances


def _log_terms(squared: Tensor, variances: Tensor, dimensions: int) -> Tensor:
    return -0.5 * (squared / variances + dimensions * torch.log(2 * math.pi * variances))


def _log_density(squared: Tensor, variances: Tensor, dimensions: int) -> Tensor:
    terms = _log_terms(squared, variances, dimensions)
    return torch.logsumexp(terms, 1).mean() - math.log(squared.shape[1])
