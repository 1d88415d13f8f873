"""What tells written texts from made ones, token by token."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from tvir.networks.mlp import SLOPE, scaled

_WINDOWS = (2, 3, 4, 5)
"""Tokens that a convolution sees at once: Nie et al. 2019, RelGAN, appendix A."""


class TextCritic(nn.Module):
    """Several embeddings of a text, each read by the same convolutions and judged by itself.

    Nie, Narodytska and Patel 2019, RelGAN: Relational Generative Adversarial Networks for Text Generation, section 2.3:
    several views, of few numbers each, tell the generator more than one.

    Args:
        vocabulary: Number of tokens.
        length: Tokens of a text.
        embeddings: How many.
        width: Numbers of an embedded token.
        filters: Features of each convolution.
        normalise_weights: Whether weights are divided by their spectral norm.

    Example:
        >>> critic = TextCritic(vocabulary=5, length=4, embeddings=3, width=2, filters=2)
        >>> critic(torch.ones(6, 4, 5) / 5).shape
        torch.Size([6, 3])
    """

    def __init__(
        self,
        vocabulary: int,
        length: int,
        embeddings: int,
        width: int,
        filters: int,
        *,
        normalise_weights: bool = False,
    ) -> None:
        super().__init__()
        self.embeddings = embeddings
        self.embed = nn.Linear(vocabulary, embeddings * width, bias=False)
        # A token is one of many inputs that are 0: an embedded number then has a variance of 1.
        nn.init.normal_(self.embed.weight)
        self.windows = nn.ModuleList(
            nn.Conv1d(width, filters, size, padding=size - 1) for size in _WINDOWS if size <= length
        )
        self.layer = scaled(nn.Linear(filters * len(self.windows), 4 * filters))
        self.head = scaled(nn.Linear(4 * filters, 1))
        if normalise_weights:
            for layer in (self.embed, *self.windows, self.layer, self.head):
                spectral_norm(layer)

    def forward(self, texts: Tensor) -> Tensor:
        """Logits (N, embeddings) of texts of one-hot or relaxed tokens (N, length, vocabulary)."""
        count, length = texts.shape[:2]
        views = self.embed(texts).view(count, length, self.embeddings, -1).permute(0, 2, 3, 1).flatten(0, 1)
        found = torch.cat([F.leaky_relu(window(views), SLOPE).amax(2) for window in self.windows], 1)
        return self.head(F.leaky_relu(self.layer(found), SLOPE)).view(count, self.embeddings)
