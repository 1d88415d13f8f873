"""Lower bounds of the log likelihood. They know nothing of images, sentences or networks."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def evidence_bound(log_likelihood: Tensor, divergence: Tensor, beta: float | Tensor = 1.0) -> Tensor:
    """The evidence lower bound, log p(x|z) - beta KL(q(z|x) || p(z)), in nats.

    Kingma and Welling 2014, arXiv 1312.6114; beta: Higgins et al. 2017, beta-VAE. Only beta = 1 bounds the likelihood.

    Args:
        log_likelihood: log p(x|z) of one z drawn from the posterior, (N,).
        divergence: KL from posterior to prior, (N,).
        beta: Weight of the divergence.

    Returns:
        (N,).
    """
    return log_likelihood - beta * divergence


def importance_weighted_bound(log_weights: Tensor) -> Tensor:
    """Log mean_k w_k with log w = log p(x, z) - log q(z|x), in nats: tighter the more samples there are.

    Burda et al. 2016, Importance Weighted Autoencoders, arXiv 1509.00519.

    Args:
        log_weights: (K, N): one row for each latent drawn from the posterior.

    Returns:
        (N,).
    """
    return torch.logsumexp(log_weights, 0) - math.log(len(log_weights))


def normal_log_prob(values: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """Log density of a diagonal normal distribution, in nats.

    Args:
        values: (N, ...).
        mean: Broadcast to ``values``.
        log_variance: Broadcast to ``values``.

    Returns:
        Summed over all but the first dimension, (N,).
    """
    squared = (values - mean).square() * torch.exp(-log_variance)
    return -0.5 * (squared + log_variance + math.log(2 * math.pi)).flatten(1).sum(1)


def exponential_bound(bound: Tensor, sharpness: float = 2.0) -> Tensor:
    """exp(a * bound) / a: what an introspective encoder lowers for what was made, the more the likelier it still is.

    Daniel and Tamar 2021, Soft-IntroVAE, arXiv 2012.13253, equation 6. Its slope vanishes as the bound falls, so the
    encoder does not push the made ever further away.

    Args:
        bound: Of the log likelihood, scaled so that its size is near 1, (N,).
        sharpness: Called alpha in the paper, above 0.

    Returns:
        (N,).

    Example:
        >>> exponential_bound(torch.tensor([0.0, -1.0]))
        tensor([0.5000, 0.0677])
    """
    return torch.exp(sharpness * bound) / sharpness
