"""Absorbing diffusion of tokens: which are masked, and what the bound of a text is made of."""

from __future__ import annotations

from torch import Tensor


def masked_places(ranks: Tensor, share: Tensor) -> Tensor:
    """The places that are masked: as many as a share of them, at least one.

    Where a time t is uniform and each place is masked with probability t (the log-linear schedule of Sahoo et al.
    2024, arXiv 2406.07524), every number of masked places from 0 to the length is equally probable, and all sets of
    one size are.

    Args:
        ranks: Uniform in [0, 1), (N, length): the lowest are masked first.
        share: Uniform in [0, 1), (N,).

    Returns:
        (N, length) of bool.

    Example:
        >>> import torch
        >>> masked_places(torch.tensor([[0.3, 0.1, 0.9]]), torch.tensor([0.5]))
        tensor([[ True,  True, False]])
    """
    length = ranks.shape[1]
    count = 1 + (share * length).long().clamp_max(length - 1)
    return ranks.argsort(1).argsort(1) < count[:, None]


def masked_surprise(surprise: Tensor, masked: Tensor) -> Tensor:
    """Nats of whole texts as far as one draw of ``masked_places`` tells: its mean over draws bounds them from above.

    The continuous-time bound of arXiv 2406.07524, equation 10, E_t[sum over masked places of nats / t], with the time
    integrated out: given that k of L places are masked, 1 / t becomes L / k (Hoogeboom et al. 2022, arXiv 2110.02037,
    equation 3). That is the same number with less noise. A model whose conditionals are all true reaches it.

    Args:
        surprise: Nats of the token at each place, (N, length).
        masked: Which places the network did not see, (N, length) of bool, at least one of each text.

    Returns:
        (N,).

    Example:
        >>> import torch
        >>> masked_surprise(torch.tensor([[1.0, 2.0]]), torch.tensor([[False, True]]))
        tensor([4.])
    """
    return surprise.shape[1] / masked.sum(1) * (surprise * masked).sum(1)


def possible_ends(tokens: Tensor, masked: Tensor, end: int) -> tuple[Tensor, Tensor]:
    """Where a text must have ended, and where it cannot end, as far as it is seen.

    Args:
        tokens: (N, length).
        masked: Which are not seen, (N, length) of bool.
        end: The token that ends a text and fills what is left after it.

    Returns:
        Places behind an end that is seen, and places before a token that is seen and no end; (N, length) of bool.

    Example:
        >>> import torch
        >>> tokens = torch.tensor([[1, 1, 1, 0, 0]])
        >>> masked = torch.tensor([[True, False, True, False, True]])
        >>> behind, before = possible_ends(tokens, masked, end=0)
        >>> behind.int(), before.int()
        (tensor([[0, 0, 0, 0, 1]], dtype=torch.int32), tensor([[1, 0, 0, 0, 0]], dtype=torch.int32))
    """
    ended = ~masked & (tokens == end)
    going_on = ~masked & (tokens != end)
    behind = (ended.cumsum(1) - ended.long()) > 0
    before = (going_on.flip(1).cumsum(1).flip(1) - going_on.long()) > 0
    return behind, before
