"""Networks between texts and latents: what reads a text into features, and what writes one that a latent is told."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from tvir.contracts.data import END, written
from tvir.networks.transformer import Block, Memory, likeliest, write_tokens

_SPREAD = 0.02
"""Standard deviation of the embeddings of a transformer at first: Radford et al. 2019, GPT-2."""


class TextEncoder(nn.Module):
    """Reads a text with an LSTM and gives what is left of it: the maximum over its states, or the last state.

    Long et al. 2019, Preventing Posterior Collapse in Sequence VAEs with Pooling, arXiv 1911.03976: all words then have
    an equally short way to the latent.

    Args:
        vocabulary: Number of tokens.
        width: Features of a state.
        outputs: Numbers that are given.
        pooled: Whether the maximum is taken.

    Example:
        >>> TextEncoder(vocabulary=5, width=8, outputs=4, pooled=True)(torch.tensor([[1, 2, 0, 0]])).shape
        torch.Size([1, 4])
    """

    def __init__(self, vocabulary: int, width: int, outputs: int, *, pooled: bool) -> None:
        super().__init__()
        self.pooled = pooled
        self.embed = nn.Embedding(vocabulary, width)
        self.lstm = nn.LSTM(width, width, batch_first=True)
        self.head = nn.Linear(width, outputs)

    def forward(self, tokens: Tensor) -> Tensor:
        read = written(tokens)
        states, _ = self.lstm(self.embed(tokens))
        if self.pooled:
            return self.head(states.masked_fill(~read[:, :, None], -torch.inf).amax(1))
        last = (read.sum(1) - 1)[:, None, None].expand(-1, 1, states.shape[2])
        return self.head(states.gather(1, last)[:, 0])


class LatentDecoder(nn.Module, ABC):
    """Gives each token of a text a probability, given those before it and a latent.

    Args:
        vocabulary: Number of tokens; ids are 0 ... vocabulary - 1.
        latent: Numbers in a latent.
    """

    def __init__(self, vocabulary: int, latent: int) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self.latent = latent

    @property
    def begin(self) -> int:
        """The id that stands before every text."""
        return self.vocabulary

    @property
    def hidden(self) -> int:
        """The id that stands for a token which may not be seen."""
        return self.vocabulary + 1

    @abstractmethod
    def read(self, before: Tensor, latents: Tensor, memory: Memory | None = None) -> Tensor:
        """Logits of what follows each token.

        Args:
            before: (N, length), int64: what stands before each token; with a memory (N, 1), the last one.
            latents: (N, latent).
            memory: What has been read, which this adds to.

        Returns:
            (N, length, vocabulary) or (N, 1, vocabulary).
        """

    def forward(self, tokens: Tensor, latents: Tensor, hide: Tensor | None = None) -> Tensor:
        """Logits of each token of whole texts given those before it.

        Args:
            tokens: (N, length).
            latents: (N, latent).
            hide: Which tokens are not seen by those after them, (N, length) of bool; none by default.
        """
        seen = tokens if hide is None else tokens.masked_fill(hide, self.hidden)
        before = torch.cat([torch.full_like(tokens[:, :1], self.begin), seen[:, :-1]], 1)
        return self.read(before, latents)

    def following(self, latents: Tensor, last: Tensor, memory: Memory) -> Tensor:
        """Logits of the next token, (N, 1, vocabulary), after the last one (N, 1); the first follows no token."""
        return self.read(last if memory.length else torch.full_like(last, self.begin), latents, memory)

    def write(self, latents: Tensor, shares: Tensor, choose: Callable[[Tensor, Tensor], Tensor] = likeliest) -> Tensor:
        """Texts of latents (N, latent), token by token until each has ended: (N, length), int64.

        Args:
            latents: (N, latent).
            shares: What ``choose`` takes for each token, (N, length, ...).
            choose: From logits (N, vocabulary) and the shares of a token to tokens (N, 1).
        """
        return write_tokens(partial(self.following, latents), shares, choose, END)


class RecurrentDecoder(LatentDecoder):
    """LSTMs one above the other, each of which is told the latent at every token and begins from it.

    Args:
        vocabulary: Number of tokens.
        latent: Numbers in a latent.
        width: Features of a state.
        layers: LSTMs.
    """

    def __init__(self, vocabulary: int, latent: int, width: int, layers: int) -> None:
        super().__init__(vocabulary, latent)
        self.embed = nn.Embedding(vocabulary + 2, width)
        self.layers = nn.ModuleList(nn.LSTM(width + latent, width, batch_first=True) for _ in range(layers))
        self.begins = nn.ModuleList(nn.Linear(latent, 2 * width) for _ in range(layers))
        self.head = nn.Linear(width, vocabulary)

    def read(self, before: Tensor, latents: Tensor, memory: Memory | None = None) -> Tensor:
        features = self.embed(before)
        told = latents[:, None].expand(-1, before.shape[1], -1)
        for layer, begin in zip(self.layers, self.begins, strict=True):
            state = None if memory is None else memory.state(layer)
            if state is None:
                hidden, cell = begin(latents).chunk(2, 1)
                state = (hidden.tanh()[None].contiguous(), cell[None].contiguous())
            features, state = layer(torch.cat([features, told], 2), state)
            if memory is not None:
                memory.keep(layer, state)
        if memory is not None:
            memory.length += before.shape[1]
        return self.head(features)


class AttentiveDecoder(LatentDecoder):
    """A causal transformer to which the latent is added before every block.

    Args:
        vocabulary: Number of tokens.
        length: Tokens of a text.
        latent: Numbers in a latent.
        width: Features of a position; a multiple of ``heads``.
        layers: Blocks.
        heads: Attentions side by side.
    """

    def __init__(self, vocabulary: int, length: int, latent: int, width: int, layers: int, heads: int) -> None:
        super().__init__(vocabulary, latent)
        self.embed = nn.Embedding(vocabulary + 2, width)
        nn.init.normal_(self.embed.weight, std=_SPREAD)
        self.positions = nn.Parameter(_SPREAD * torch.randn(length, width))
        self.tell = nn.ModuleList(nn.Linear(latent, width) for _ in range(layers))
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.normalise = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocabulary)

    def read(self, before: Tensor, latents: Tensor, memory: Memory | None = None) -> Tensor:
        start = memory.length if memory is not None else 0
        features = self.embed(before) + self.positions[start : start + before.shape[1]]
        for tell, block in zip(self.tell, self.blocks, strict=True):
            features = block(features + tell(latents)[:, None], memory)
        if memory is not None:
            memory.length += before.shape[1]
        return self.head(self.normalise(features))
