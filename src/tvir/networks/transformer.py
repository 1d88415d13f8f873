"""A causal transformer: each position reads itself and what came before."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tvir.contracts.noise import Noise

_EXPANSION = 4
"""Hidden units of a block's perceptron for each of its inputs."""

_ROOM = 64
"""Positions that a memory has room for at first; it doubles when they are full."""

_SPREAD = 0.02
"""Standard deviation of embeddings at first: Radford et al. 2019, GPT-2."""


class Memory:
    """Keys and values of the positions that have been read, so that each is read once while a sequence grows.

    They are written over in place: no gradient passes through a memory.
    """

    def __init__(self) -> None:
        self.length = 0
        self._read: dict[nn.Module, _Room] = {}
        self._states: dict[nn.Module, tuple[Tensor, Tensor]] = {}

    def state(self, layer: nn.Module) -> tuple[Tensor, Tensor] | None:
        """What a recurrent layer has kept, or None at the beginning."""
        return self._states.get(layer)

    def keep(self, layer: nn.Module, state: tuple[Tensor, Tensor]) -> None:
        """What a recurrent layer goes on from."""
        self._states[layer] = state

    def extend(self, layer: nn.Module, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """All keys and values of a layer, the new ones last; (N, heads, positions, size)."""
        if layer not in self._read:
            self._read[layer] = _Room(keys, values)
        return self._read[layer].extend(keys, values)


class _Room:
    """Keys and values of a layer, in tensors with room for more: joining them at every token would copy all each time.

    Args:
        keys: Of the shape and kind of what is to come, (N, heads, positions, size).
        values: Likewise.
    """

    def __init__(self, keys: Tensor, values: Tensor) -> None:
        self._filled = 0
        self._keys, self._values = (part.new_empty(*part.shape[:2], _ROOM, part.shape[3]) for part in (keys, values))

    def extend(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        start, self._filled = self._filled, self._filled + keys.shape[2]
        while self._filled > self._keys.shape[2]:
            self._keys, self._values = (
                torch.cat([part, torch.empty_like(part)], 2) for part in (self._keys, self._values)
            )
        self._keys[:, :, start : self._filled] = keys
        self._values[:, :, start : self._filled] = values
        return self._keys[:, :, : self._filled], self._values[:, :, : self._filled]


class Attention(nn.Module):
    """Vaswani et al. 2017, Attention Is All You Need, arXiv 1706.03762, section 3.2.

    Args:
        width: Features of a position.
        heads: Attentions side by side.
        causal: Whether a position may not look at those after it.
    """

    def __init__(self, width: int, heads: int, *, causal: bool = True) -> None:
        super().__init__()
        self.heads = heads
        self.causal = causal
        # A bias of the keys would shift all logits of a position alike, which no gradient sees.
        self.project = nn.Linear(width, 3 * width, bias=False)
        self.output = nn.Linear(width, width)

    def forward(self, features: Tensor, memory: Memory | None = None) -> Tensor:
        count, positions, width = features.shape
        projected = self.project(features).view(count, positions, 3, self.heads, width // self.heads)
        queries, keys, values = projected.permute(2, 0, 3, 1, 4)
        if memory is not None:
            keys, values = memory.extend(self, keys, values)
        # With a memory, the one position that is read may look at all that is remembered.
        found = F.scaled_dot_product_attention(queries, keys, values, is_causal=self.causal and memory is None)
        return self.output(found.transpose(1, 2).reshape(count, positions, width))


class Block(nn.Module):
    """Attention, then a perceptron, each added to what it read after a normalisation.

    Args:
        width: Features of a position.
        heads: Attentions side by side.
        causal: Whether a position may not look at those after it.
    """

    def __init__(self, width: int, heads: int, *, causal: bool = True) -> None:
        super().__init__()
        self.normalise_attention = nn.LayerNorm(width)
        self.attend = Attention(width, heads, causal=causal)
        self.normalise_perceptron = nn.LayerNorm(width)
        hidden = _EXPANSION * width
        self.perceptron = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))

    def forward(self, features: Tensor, memory: Memory | None = None) -> Tensor:
        features = features + self.attend(self.normalise_attention(features), memory)
        return features + self.perceptron(self.normalise_perceptron(features))


class CausalTransformer(nn.Module):
    """From a sequence of features to one of the same shape, in which nothing depends on what comes later.

    Args:
        width: Features of a position; a multiple of ``heads``.
        layers: Number of blocks.
        heads: Attentions side by side.
        length: Most positions.
    """

    def __init__(self, width: int, layers: int, heads: int, length: int) -> None:
        super().__init__()
        self.positions = nn.Parameter(_SPREAD * torch.randn(length, width))
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.normalise = nn.LayerNorm(width)

    def forward(self, features: Tensor, memory: Memory | None = None) -> Tensor:
        """Read a whole sequence; or, with a memory, the one next position of each.

        Args:
            features: (N, positions, width).
            memory: What has been read, which this adds to.

        Returns:
            Like ``features``.
        """
        start = memory.length if memory else 0
        features = features + self.positions[start : start + features.shape[1]]
        for block in self.blocks:
            features = block(features, memory)
        if memory:
            memory.length += features.shape[1]
        return self.normalise(features)


def chosen(logits: Tensor, shares: Tensor) -> Tensor:
    """What lies at a given share of each distribution: a draw from it, where the share is uniform.

    Args:
        logits: (N, K).
        shares: (N, 1), in [0, 1).

    Returns:
        Indices (N, 1).

    Example:
        >>> chosen(torch.tensor([[0.0, 0.0]]), torch.tensor([[0.75]]))
        tensor([[1]])
    """
    cumulative = logits.double().softmax(1).cumsum(1)
    return torch.searchsorted(cumulative, shares.double(), right=True).clamp_max(logits.shape[1] - 1)


def nucleus(logits: Tensor, shares: Tensor, temperature: float = 1.0, top_p: float = 1.0) -> Tensor:
    """A draw from the fewest most probable tokens that together have the probability ``top_p``.

    Holtzman et al. 2020, The Curious Case of Neural Text Degeneration, arXiv 1904.09751.

    Args:
        logits: (N, K).
        shares: (N, 1), uniform in [0, 1).
        temperature: Divides the logits first; above 0.
        top_p: In (0, 1]; 1 draws from all.

    Returns:
        Indices (N, 1).
    """
    logits = logits.double() / temperature
    if top_p < 1:
        ordered, order = logits.softmax(1).sort(1, descending=True)
        # A token belongs to the nucleus if those before it do not fill it: the first always does.
        outside = ordered.cumsum(1) - ordered >= top_p
        logits = logits.masked_fill(torch.zeros_like(outside).scatter(1, order, outside), -torch.inf)
    return chosen(logits, shares)


def likeliest(logits: Tensor, shares: Tensor) -> Tensor:
    """The most probable index of each distribution, whatever the share: (N, K) to (N, 1)."""
    return logits.argmax(1, keepdim=True)


class ReadsTokens(nn.Module, ABC):
    """Gives each token of a sequence a probability, given those before it.

    Args:
        vocabulary: Number of tokens; ids are 0 ... vocabulary - 1.
        length: Tokens in a sequence.
        beginnings: What may stand before a sequence and says of which kind it is; there are ids for that many more.
    """

    def __init__(self, vocabulary: int, length: int, beginnings: int = 1) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self.length = length
        self.ids = vocabulary + beginnings

    @abstractmethod
    def forward(self, tokens: Tensor, memory: Memory | None = None, beginning: Tensor | None = None) -> Tensor:
        """Logits of each token given those before it; or, with a memory, of the next token.

        Args:
            tokens: (N, length), int64, the last not read; with a memory (N, 1), the one that was last written.
            memory: What has been read, which this adds to; an empty one begins a sequence, whatever is given.
            beginning: Which of the beginnings stands before each sequence, (N,) int64; None for the first.

        Returns:
            (N, length, vocabulary) or (N, 1, vocabulary).
        """

    def before(self, tokens: Tensor, memory: Memory | None, beginning: Tensor | None = None) -> Tensor:
        """What is read to give ``tokens`` their probabilities: an id from ``vocabulary`` on stands before them."""
        if memory is not None and memory.length:
            return tokens
        first = torch.full_like(tokens[:, :1], self.vocabulary)
        return torch.cat([first if beginning is None else first + beginning[:, None], tokens[:, :-1]], 1)

    def generate(
        self,
        noise: Noise,
        choose: Callable[[Tensor, Tensor], Tensor] = chosen,
        end: int | None = None,
    ) -> Tensor:
        """A sequence for every row of noise, (noise.count, length).

        Args:
            noise: One row for each sequence.
            choose: From logits (N, K) and uniform shares (N, 1) to tokens (N, 1).
            end: The token after which nothing but it is written; None where every sequence is full.
        """
        return write_tokens(self, noise.uniform(self.length), choose, end)


def write_tokens(
    read: Callable[[Tensor, Memory], Tensor],
    shares: Tensor,
    choose: Callable[[Tensor, Tensor], Tensor] = chosen,
    end: int | None = None,
) -> Tensor:
    """A sequence for every row of shares, token by token.

    Args:
        read: From the tokens last written (N, 1) and what was read before to the logits of the next, (N, 1, K).
        shares: Uniform in [0, 1), (N, length); or whatever else ``choose`` takes for each token, (N, length, ...).
        choose: From logits (N, K) and the shares of a token (N, 1, ...) to tokens (N, 1).
        end: The token after which nothing but it is written; None where every sequence is full.

    Returns:
        (N, length), int64.
    """
    count, length = shares.shape[:2]
    memory, last = Memory(), torch.zeros(count, 1, dtype=torch.int64, device=shares.device)
    tokens = torch.full((count, length), 0 if end is None else end, device=shares.device)
    done = torch.zeros(count, 1, dtype=torch.bool, device=shares.device)
    for position in range(length):
        last = choose(read(last, memory)[:, 0], shares[:, position : position + 1])
        if end is not None:
            last = last.masked_fill(done, end)
            done = done | (last == end)
        tokens[:, position : position + 1] = last
        if end is not None and bool(done.all()):
            break
    return tokens


def continued_tokens(
    read: Callable[[Tensor, Memory], Tensor],
    begun: Tensor,
    shares: Tensor,
    choose: Callable[[Tensor, Tensor], Tensor] = chosen,
    end: int | None = None,
) -> Iterator[int]:
    """One sequence, token by token; what ``write_tokens`` writes where nothing is begun.

    Args:
        read: From the token last written (1, 1) and what was read before to the logits of the next, (1, 1, K).
        begun: The first tokens, int64 (P,).
        shares: Uniform in [0, 1), (length,); those of the first P places are not used.
        choose: From logits (1, K) and shares (1, 1) to tokens (1, 1).
        end: The token at which it ends, which is not told; None where every sequence is full.
    """
    memory, last = Memory(), torch.zeros(1, 1, dtype=torch.int64, device=shares.device)
    for position, share in enumerate(shares):
        with torch.no_grad():
            logits = read(last, memory)[:, 0]
        if position < len(begun):
            last = begun[position].view(1, 1)
            continue
        last = choose(logits, share.view(1, 1))
        token = int(last)
        if token == end:
            return
        yield token


class TokenTransformer(ReadsTokens):
    """The probability of a sequence of tokens, one after the other.

    Args:
        vocabulary: Number of tokens; ids are 0 ... vocabulary - 1.
        length: Tokens in a sequence.
        width: Features of a position; a multiple of ``heads``.
        layers: Number of blocks.
        heads: Attentions side by side.
        beginnings: What may stand before a sequence.

    Example:
        >>> transformer = TokenTransformer(vocabulary=5, length=4, width=8, layers=1, heads=2)
        >>> tokens = transformer.generate(Noise(0, count=3))
        >>> tokens.shape, transformer(tokens).shape
        (torch.Size([3, 4]), torch.Size([3, 4, 5]))
    """

    def __init__(self, vocabulary: int, length: int, width: int, layers: int, heads: int, beginnings: int = 1) -> None:
        super().__init__(vocabulary, length, beginnings)
        self.embed = nn.Embedding(self.ids, width)
        nn.init.normal_(self.embed.weight, std=_SPREAD)
        self.transformer = CausalTransformer(width, layers, heads, length)
        self.head = nn.Linear(width, vocabulary)

    def forward(self, tokens: Tensor, memory: Memory | None = None, beginning: Tensor | None = None) -> Tensor:
        return self.head(self.transformer(self.embed(self.before(tokens, memory, beginning)), memory))

    def states(self, tokens: Tensor) -> Tensor:
        """The hidden states after each token has been read, (N, length, width)."""
        return self.transformer(self.embed(tokens))
