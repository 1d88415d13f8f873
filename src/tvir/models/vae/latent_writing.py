"""Text that is written token by token by a decoder which is told a latent."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial

import torch
from torch import Tensor

from tvir.contracts.data import TextSpec, shortened
from tvir.contracts.model import Adam, DecodesLatents, Measure, SamplesTokens
from tvir.contracts.noise import Noise
from tvir.networks.latent_text import LatentDecoder
from tvir.networks.transformer import nucleus
from tvir.objectives.texts import token_surprise


class WritesFromLatents(DecodesLatents, SamplesTokens, ABC):
    """A standard normal latent, and the tokens one after the other, each given the latent and all before it.

    What ``decode`` gives is the likeliest next token at each place; samples are drawn.
    """

    spec: TextSpec
    specs = (TextSpec,)

    @property
    @abstractmethod
    def writing_network(self) -> LatentDecoder:
        """What finds the next token."""

    @property
    def measure(self) -> Measure:
        return Measure.PROBABILITY

    def sample_prior(self, noise: Noise, condition: Tensor | None = None) -> Tensor:
        return noise.normal(*self.latent_shape)

    def decode(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.writing_network.write(latents, torch.zeros(len(latents), self.spec.length, device=latents.device))

    def generate(self, noise: Noise, condition: Tensor | None) -> Tensor:
        choose = partial(nucleus, temperature=self.temperature, top_p=self.top_p)
        return self.writing_network.write(self.latents_for(noise, condition), noise.uniform(self.spec.length), choose)

    def log_likelihood(self, examples: Tensor, latents: Tensor, hide: Tensor | None = None) -> Tensor:
        """Log p(x|z) of the text and its end in nats, (N,).

        Args:
            examples: (N, length).
            latents: (N, latent).
            hide: Which tokens are not seen by those after them, (N, length) of bool; none by default.
        """
        tokens = shortened(examples)
        logits = self.writing_network(tokens, latents, None if hide is None else hide[:, : tokens.shape[1]])
        return -token_surprise(logits, tokens).sum(1)


def reading_optimiser(learning_rate: float, weight_decay: float) -> Adam:
    """What learns from texts as they are read."""
    return Adam(learning_rate=learning_rate, weight_decay=weight_decay, warmup_steps=50, final_share=0.05)
