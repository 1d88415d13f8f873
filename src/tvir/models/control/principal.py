"""Normal distributions along the principal components of the data."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from tvir.contracts.data import Array
from tvir.contracts.noise import Noise
from tvir.models.mixing import fit_mixture
from tvir.objectives.elbo import normal_log_prob

_FEW_NUMBERS = 1024
"""Data with no more numbers than that keeps all its axes: its covariance is decomposed as a whole."""

_ITERATIONS = 30
"""Of expectation maximisation; a mixture that would still move a little is as good a control."""


class PrincipalMixture(nn.Module):
    """A mixture with full covariances along the first principal components, independent normals along all others.

    With one component it is a normal distribution whose covariance is full, or that of probabilistic principal
    component analysis (Tipping and Bishop 1999) where some directions are left over: there the noise is isotropic.
    Standard normal until it is fitted.

    Args:
        numbers: Length of a vector.
        axes: Principal components that are kept of more than 1,024 numbers; of fewer, all are.
        mixed: Principal components along which the components of the mixture differ.
        components: Normal distributions that are mixed.
    """

    mean: Tensor
    axes: Tensor
    deviations: Tensor
    residual: Tensor
    log_weights: Tensor
    means: Tensor
    factors: Tensor

    def __init__(self, numbers: int, axes: int, mixed: int, components: int) -> None:
        super().__init__()
        axes = numbers if numbers <= _FEW_NUMBERS else min(axes, numbers)
        mixed = min(mixed, axes)
        self.register_buffer("mean", torch.zeros(numbers))
        self.register_buffer("axes", torch.eye(axes, numbers))
        self.register_buffer("deviations", torch.ones(axes - mixed))
        self.register_buffer("residual", torch.ones(()))
        self.register_buffer("log_weights", torch.full((components,), -math.log(components)))
        self.register_buffer("means", torch.zeros(components, mixed))
        self.register_buffer("factors", torch.eye(mixed).repeat(components, 1, 1))

    def fit(self, vectors: Tensor, smallest: float) -> None:
        """Fit to vectors; what is left to chance follows from torch's generator.

        Args:
            vectors: (N, numbers).
            smallest: Variance that is added in every direction.
        """
        kept, numbers = self.axes.shape
        mixed = self.means.shape[1]
        seed = int(torch.randint(2**31, ()))
        centre = vectors.double().mean(0)
        centred = vectors.double() - centre
        axes = _principal_axes(centred, kept, seed)
        along = centred @ axes.T
        left = float(centred.square().sum() - along.square().sum()) / len(vectors)
        weights, means, covariances = _mixed(along[:, :mixed].numpy(), len(self.means), smallest, seed)
        self.mean.copy_(centre)
        self.axes.copy_(axes)
        self.deviations.copy_((along[:, mixed:].square().mean(0) + smallest).sqrt())
        self.residual.fill_(math.sqrt(max(left, 0.0) / max(numbers - kept, 1) + smallest))
        self.log_weights.copy_(torch.from_numpy(np.log(weights)))
        self.means.copy_(torch.from_numpy(means))
        self.factors.copy_(torch.linalg.cholesky(torch.from_numpy(covariances)))

    def draw(self, noise: Noise) -> Tensor:
        """One vector for every row of noise, (noise.count, numbers)."""
        kept, numbers = self.axes.shape
        mixed = self.means.shape[1]
        chosen = torch.searchsorted(self.log_weights.exp().cumsum(0), noise.uniform()).clamp_max(len(self.means) - 1)
        normal = noise.normal(kept)
        along = torch.empty_like(normal)
        along[:, mixed:] = self.deviations * normal[:, mixed:]
        for component in chosen.unique().tolist():
            rows = chosen == component
            along[rows, :mixed] = self.means[component] + normal[rows, :mixed] @ self.factors[component].T
        if kept == numbers:
            return self.mean + along @ self.axes
        across = noise.normal(numbers)
        across = across - across @ self.axes.T @ self.axes
        return self.mean + along @ self.axes + self.residual * across

    def log_prob(self, vectors: Tensor) -> Tensor:
        """Log density in nats of vectors (N, numbers), (N,)."""
        kept, numbers = self.axes.shape
        mixed = self.means.shape[1]
        # In double precision: some directions are thousands of times narrower than others.
        axes, centred = self.axes.double(), vectors.double() - self.mean
        along = centred @ axes.T
        alone = normal_log_prob(along[:, mixed:], torch.zeros(()), 2 * self.deviations.double().log())
        # One component after the other: all at once would hold (N, components, axes) numbers.
        inside = [
            weight + _log_density(along[:, :mixed] - mean, factor)
            for weight, mean, factor in zip(
                self.log_weights.double(), self.means.double(), self.factors.double(), strict=True
            )
        ]
        density = torch.logsumexp(torch.stack(inside), 0) + alone
        if kept < numbers:
            squares = (centred - along @ axes).square().sum(1) / self.residual.double().square()
            density -= 0.5 * squares + (numbers - kept) * (self.residual.double().log() + 0.5 * math.log(2 * math.pi))
        return density


def _principal_axes(centred: Tensor, kept: int, seed: int) -> Tensor:
    """Orthonormal rows (kept, numbers) of falling variance."""
    if kept == centred.shape[1]:
        return torch.linalg.eigh(centred.T @ centred)[1].T.flip(0)
    from sklearn.decomposition import PCA  # only here: every command walks the models

    found = PCA(min(kept, *centred.shape), svd_solver="randomized", random_state=seed).fit(centred.float().numpy())
    axes = torch.from_numpy(found.components_).double()
    # Where there are fewer examples than axes, any further directions do.
    others = torch.randn(kept - len(axes), centred.shape[1], dtype=torch.float64)
    return torch.linalg.qr(torch.cat([axes, others]).T)[0].T


def _mixed(rows: Array, components: int, smallest: float, seed: int) -> tuple[Array, Array, Array]:
    """Weights, means and covariances of a mixture of normal distributions with full covariances."""
    if components == 1:
        covariance = np.cov(rows.T, bias=True).reshape(rows.shape[1], -1) + smallest * np.eye(rows.shape[1])
        return np.ones(1), rows.mean(0)[None], covariance[None]
    return fit_mixture(rows, components, covariance="full", smallest=smallest, iterations=_ITERATIONS, seed=seed)


def _log_density(centred: Tensor, factor: Tensor) -> Tensor:
    """Log density of a normal distribution around 0 whose covariance has this Cholesky factor, (N,)."""
    white = torch.linalg.solve_triangular(factor, centred.T, upper=False)
    volume = factor.diagonal().log().sum()
    return -0.5 * white.square().sum(0) - volume - 0.5 * len(factor) * math.log(2 * math.pi)
