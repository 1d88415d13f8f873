"""A transformer that reads texts with gaps from both sides."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tvir.networks.transformer import Block

_SPREAD = 0.02
"""Standard deviation of embeddings at first: Radford et al. 2019, GPT-2."""


class MaskedTransformer(nn.Module):
    """Gives each token of a sequence a probability, given all that is not masked.

    It is not told how much is masked, for it sees that (Sahoo et al. 2024, arXiv 2406.07524, appendix E.5).

    Args:
        vocabulary: Number of tokens; ids are 0 ... vocabulary - 1, and ``vocabulary`` stands for a masked one.
        length: Tokens in a sequence.
        width: Features of a position; a multiple of ``heads``.
        layers: Number of blocks.
        heads: Attentions side by side.

    Example:
        >>> transformer = MaskedTransformer(vocabulary=5, length=4, width=8, layers=1, heads=2)
        >>> transformer(torch.tensor([[5, 1, 5, 0]])).shape
        torch.Size([1, 4, 5])
    """

    def __init__(self, vocabulary: int, length: int, width: int, layers: int, heads: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocabulary + 1, width)
        nn.init.normal_(self.embed.weight, std=_SPREAD)
        self.positions = nn.Parameter(_SPREAD * torch.randn(length, width))
        self.blocks = nn.ModuleList(Block(width, heads, causal=False) for _ in range(layers))
        self.normalise = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocabulary)

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits of the token at each place, (N, positions, vocabulary), from tokens with gaps (N, positions)."""
        features = self.embed(tokens) + self.positions[: tokens.shape[1]]
        for block in self.blocks:
            features = block(features)
        return self.head(self.normalise(features))
