"""How surprising the tokens of texts are."""

from __future__ import annotations

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
        >>> import torch
        >>> token_surprise(torch.zeros(1, 3, 4), torch.tensor([[2, 0, 0]]))
        tensor([[1.3863, 1.3863, 0.0000]])
    """
    return F.cross_entropy(logits.float().transpose(1, 2), tokens, reduction="none") * written(tokens)
