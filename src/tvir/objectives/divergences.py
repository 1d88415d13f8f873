"""How far a posterior is from its prior."""

from __future__ import annotations

from torch import Tensor


def normal_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, diag exp log_variance) || N(0, I)) in nats, exact.

    Kingma and Welling 2014, Auto-Encoding Variational Bayes, arXiv 1312.6114, appendix B.

    Args:
        mean: (N, ...).
        log_variance: Like ``mean``.

    Returns:
        One number per example, (N,).

    Example:
        >>> import torch
        >>> normal_divergence(torch.tensor([[1.0, 2.0]]), torch.zeros(1, 2))
        tensor([2.5000])
    """
    mean, log_variance = mean.float(), log_variance.float()
    return 0.5 * (mean.square() + log_variance.expm1() - log_variance).flatten(1).sum(1)
