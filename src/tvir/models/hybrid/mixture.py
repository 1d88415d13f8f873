"""A mixture of normal distributions over latents."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from torch import Tensor, nn

from tvir.contracts.data import Array
from tvir.contracts.noise import Noise


class Mixture(nn.Module):
    """A mixture of diagonal normal distributions; standard normal until it is fitted.

    Args:
        components: How many distributions are mixed.
        latent: Numbers in a latent.
    """

    cumulative: Tensor
    means: Tensor
    deviations: Tensor

    def __init__(self, components: int, latent: int) -> None:
        super().__init__()
        self.register_buffer("cumulative", torch.linspace(1 / components, 1, components))
        self.register_buffer("means", torch.zeros(components, latent))
        self.register_buffer("deviations", torch.ones(components, latent))

    def fit(self, latents: Array) -> None:
        """Fit by expectation maximisation, the same for the same latents.

        Args:
            latents: (N, latent); repeated where there are fewer than components.
        """
        # Only here: every command walks the models, and this takes half a second and 150 MB.
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.mixture import GaussianMixture

        rows = np.resize(latents, (max(len(latents), len(self.means)), latents.shape[1])).astype(np.float64)
        mixture = GaussianMixture(
            len(self.means), covariance_type="diag", reg_covar=1e-4, init_params="k-means++", random_state=0
        )
        with warnings.catch_warnings():
            # A mixture that would still move a little is as good a prior.
            warnings.simplefilter("ignore", ConvergenceWarning)
            mixture.fit(rows)
        self.cumulative.copy_(torch.as_tensor(mixture.weights_).cumsum(0))
        self.means.copy_(torch.as_tensor(mixture.means_))
        self.deviations.copy_(torch.as_tensor(mixture.covariances_).sqrt())

    def draw(self, noise: Noise) -> Tensor:
        """One latent for every row of noise."""
        component = torch.searchsorted(self.cumulative, noise.uniform()).clamp_max(len(self.means) - 1)
        return self.means[component] + self.deviations[component] * noise.normal(self.means.shape[1])
