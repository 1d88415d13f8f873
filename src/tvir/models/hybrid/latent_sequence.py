"""The density of a sequence of vectors, one after the other."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tvir.contracts.noise import Noise
from tvir.networks.transformer import CausalTransformer, Memory, chosen
from tvir.objectives.elbo import normal_log_prob

_SMALLEST_LOG_SCALE = -4.0
"""Of a component, in units of the data's standard deviation: a density must not grow without bound."""


class VectorTransformer(nn.Module):
    """A mixture of normal distributions for each vector, given those before it.

    Tschannen et al. 2023, GIVT: Generative Infinite-Vocabulary Transformers, arXiv 2312.02116.

    Args:
        size: Numbers in a vector.
        length: Vectors in a sequence.
        width: Features of a position; a multiple of ``heads``.
        layers: Number of blocks.
        heads: Attentions side by side.
        components: Normal distributions that are mixed.

    Example:
        >>> transformer = VectorTransformer(size=2, length=4, width=8, layers=1, heads=2, components=3)
        >>> vectors = transformer.generate(Noise(0, count=5))
        >>> vectors.shape, transformer.log_prob(vectors).shape
        (torch.Size([5, 4, 2]), torch.Size([5]))
    """

    def __init__(self, size: int, length: int, width: int, layers: int, heads: int, components: int) -> None:
        super().__init__()
        self.size = size
        self.length = length
        self.components = components
        self.embed = nn.Linear(size, width)
        self.transformer = CausalTransformer(width, layers, heads, length)
        self.head = nn.Linear(width, components * (1 + 2 * size))

    def log_prob(self, sequences: Tensor, read: Tensor | None = None) -> Tensor:
        """Log density in nats, (N,).

        Args:
            sequences: (N, length, size).
            read: What is read in place of the sequences, of the same shape; themselves by default.
        """
        read = sequences if read is None else read
        before = torch.cat([self._start(len(read), read.device), read[:, :-1]], 1)
        logits, means, log_scales = self(before)
        of_components = normal_log_prob(
            sequences[:, :, None].expand_as(means).flatten(0, 2), means.flatten(0, 2), 2 * log_scales.flatten(0, 2)
        )
        weighted = logits.log_softmax(2) + of_components.view(logits.shape)
        return weighted.logsumexp(2).sum(1)

    def generate(self, noise: Noise) -> Tensor:
        """A sequence for every row of noise, (noise.count, length, size)."""
        shares, draws = noise.uniform(self.length), noise.normal(self.length, self.size)
        memory, vectors = Memory(), [self._start(noise.count, draws.device)]
        for position in range(self.length):
            logits, means, log_scales = self(vectors[-1], memory)
            component = chosen(logits[:, 0], shares[:, position : position + 1])
            index = component[:, :, None].expand(-1, 1, self.size)
            mean, log_scale = (of_all[:, 0].gather(1, index) for of_all in (means, log_scales))
            vectors.append(mean + log_scale.exp() * draws[:, position : position + 1])
        return torch.cat(vectors[1:], 1)

    def forward(self, before: Tensor, memory: Memory | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """The mixtures of what follows.

        Args:
            before: (N, L, size); with a memory (N, 1, size), the vector that was last written.
            memory: What has been read, which this adds to.

        Returns:
            Logits (N, L, components); means and log scales (N, L, components, size).
        """
        output = self.head(self.transformer(self.embed(before), memory)).float()
        logits, rest = output.split([self.components, 2 * self.components * self.size], 2)
        means, log_scales = rest.unflatten(2, (self.components, 2 * self.size)).chunk(2, 3)
        return logits, means, _SMALLEST_LOG_SCALE + F.softplus(log_scales - _SMALLEST_LOG_SCALE)

    def _start(self, count: int, device: torch.device) -> Tensor:
        # The position says that nothing came before.
        return torch.zeros(count, 1, self.size, device=device)
