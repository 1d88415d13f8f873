"""A mixture of normal distributions over latents."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tvir.contracts.data import Array
from tvir.contracts.noise import Noise
from tvir.models.mixing import fit_mixture

_SMALLEST_SHARE, _SMALLEST_VARIANCE = 1e-4, 1e-12


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
        # A share of their variance: an encoder that nothing holds to a scale may write its codes as small as it likes.
        smallest = max(_SMALLEST_SHARE * float(latents.var(0).mean()), _SMALLEST_VARIANCE)
        weights, means, variances = fit_mixture(latents, len(self.means), covariance="diag", smallest=smallest, seed=0)
        self.cumulative.copy_(torch.from_numpy(weights).cumsum(0))
        self.means.copy_(torch.from_numpy(means))
        self.deviations.copy_(torch.from_numpy(variances).sqrt())

    def draw(self, noise: Noise) -> Tensor:
        """One latent for every row of noise."""
        component = torch.searchsorted(self.cumulative, noise.uniform()).clamp_max(len(self.means) - 1)
        return self.means[component] + self.deviations[component] * noise.normal(self.means.shape[1])
