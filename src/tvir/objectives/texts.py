"""How surprising the tokens of texts are."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from tvir.contracts.data import written


def token_surprise(logits: Tensor, tokens: Tensor) -> Tensor:
    """Nats of each token that belongs to a text or ends it, 0 after that.

    Args:
        logits: Of each token given those before it, (N, length, vocabulary).
        tokens: (N, length).

    Returns:
        (N, length).

    Example:
        >>> token_surprise(torch.zeros(1, 3, 4), torch.tensor([[2, 0, 0]]))
        tensor([[1.3863, 1.3863, 0.0000]])
    """
    return F.cross_entropy(logits.float().transpose(1, 2), tokens, reduction="none") * written(tokens)


def gumbel(shares: Tensor) -> Tensor:
    """Gumbel noise: the largest of logits with it is a draw from their distribution.

    Maddison et al. 2017, The Concrete Distribution, arXiv 1611.00712, section 2.2.

    Args:
        shares: Uniform in [0, 1), of any shape.
    """
    tiny = torch.finfo(shares.dtype).tiny
    return -(-shares.clamp_min(tiny).log()).clamp_min(tiny).log()


def relaxed_tokens(logits: Tensor, noise: Tensor, tokens: Tensor, sharpness: float) -> Tensor:
    """Nearly one token at each place, differentiable in the logits: softmax(sharpness (logits + noise)).

    Jang et al. 2017, Categorical Reparameterization with Gumbel-Softmax, arXiv 1611.01144, equation 2. Behind the end
    of a text stands the end and nothing else.

    Args:
        logits: (N, length, vocabulary).
        noise: Gumbel noise, like ``logits``.
        tokens: The largest of both together at each place up to the end, (N, length).
        sharpness: Inverse temperature, above 0.

    Returns:
        Like ``logits``; each place adds up to 1.
    """
    relaxed = torch.softmax(sharpness * (logits.float() + noise), 2)
    return torch.where(written(tokens)[:, :, None], relaxed, one_hot(tokens, logits.shape[2]))


def one_hot(tokens: Tensor, vocabulary: int) -> Tensor:
    """Tokens (N, length) as float vectors (N, length, vocabulary) that are 1 at the token."""
    return F.one_hot(tokens, vocabulary).float()
