"""Masked diffusion: a text is written by taking the masks off its tokens, in any order and several at once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from annotated_types import Ge, Gt
from torch import Tensor

from tvir.contracts.collectives import mean_over_processes
from tvir.contracts.data import END, TextSpec, written
from tvir.contracts.diagram import Arrow, Box, Diagram, Role
from tvir.contracts.errors import UsageError
from tvir.contracts.model import (
    Batch,
    ContinuesText,
    HasLikelihoodBound,
    Losses,
    Measure,
    ModelConfig,
    Phase,
    SamplesInSteps,
    Stage,
    evaluating,
)
from tvir.contracts.noise import Noise
from tvir.contracts.ranges import Logarithmic
from tvir.models.diffusion.denoising import denoising_player
from tvir.networks.masked_text import MaskedTransformer
from tvir.networks.transformer import nucleus
from tvir.objectives.masking import masked_places, masked_surprise, possible_ends


class MaskedDiffusion(HasLikelihoodBound, SamplesInSteps, ContinuesText):
    """Learns to find masked tokens from those around them, and writes a text beginning with nothing but masks.

    Each place loses its mask at a time of its own, uniform between 1 and 0; places whose times fall into the same step
    are written at once, none knowing of the others, so few steps cost coherence. A token that has been written stays.

    A text ends once: behind an end that is seen there is nothing else, and before a token that is seen there is no
    end. The network is not asked for what follows from that.

    Args:
        spec: Text.
        config: The settings.

    Raises:
        UsageError: The heads do not divide the width.

    Example:
        >>> model = MaskedDiffusion(TextSpec(vocabulary=5, length=8), MaskedDiffusion.smallest())
        >>> model.elbo(model.sample(3), Noise(0, count=3)).shape
        torch.Size([3])
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(ModelConfig):
        """Settings of masked diffusion."""

        batch_size: Annotated[int, Ge(1)] = 32
        """Examples per step, over all processes."""
        layers: Annotated[int, Ge(1)] = 4
        """Blocks of the transformer."""
        heads: Annotated[int, Ge(1)] = 4
        """Attentions side by side in each block."""
        width: Annotated[int, Ge(1)] = 128
        """Features of a position; a multiple of the heads."""
        steps: Annotated[int, Ge(1)] = 64
        """Steps that a sample takes; those in which nothing is written cost nothing."""
        learning_rate: Annotated[float, Gt(0), Logarithmic(5e-4, 5e-3)] = 2e-3
        """Step size of the network."""

    config: Config
    specs = (TextSpec,)
    paper = "Sahoo et al. 2024, Simple and Effective Masked Diffusion Language Models (MDLM), arXiv 2406.07524"

    def __init__(self, spec: TextSpec, config: Config) -> None:
        super().__init__(spec, config)
        if config.width % config.heads:
            raise UsageError(f"{config.heads} heads do not divide a width of {config.width}; change heads or width")
        self.steps = config.steps
        self.mask, self.length = spec.vocabulary, spec.length
        self.network = MaskedTransformer(spec.vocabulary, spec.length, config.width, config.layers, config.heads)

    @classmethod
    def smallest(cls) -> Config:
        return cls.Config(layers=1, heads=2, width=4, batch_size=4, steps=4)

    @property
    def measure(self) -> Measure:
        return Measure.PROBABILITY

    def logits(self, tokens: Tensor, masked: Tensor) -> Tensor:
        """Of the token at each place given those that are seen, (N, length, vocabulary)."""
        logits = self.network(tokens.masked_fill(masked, self.mask)).float()
        behind, before = possible_ends(tokens, masked, END)
        is_end = torch.arange(logits.shape[2], device=logits.device) == END
        impossible = (behind[:, :, None] & ~is_end) | ((before & ~behind)[:, :, None] & is_end)
        return logits.masked_fill(impossible, -torch.inf)

    def elbo(self, examples: Tensor, noise: Noise, samples: int = 1) -> Tensor:
        """A lower bound of the log probability per text in nats, (N,): the mean over draws of what is masked.

        No weights of importance can tighten this bound; several draws only take noise from it.
        """
        with evaluating(self):
            shares, ranks = noise.uniform(samples), noise.uniform(samples, self.length)
            # One draw from each of as many equal parts: the number of masked tokens is spread evenly.
            shares = (shares + torch.arange(samples, device=shares.device)) / samples
            draws = [self._surprise(examples, *draw) for draw in zip(shares.unbind(1), ranks.unbind(1), strict=True)]
            return -torch.stack(draws).mean(0)

    def generate(self, noise: Noise, condition: Tensor | None) -> Tensor:
        nothing = torch.zeros(noise.count, self.length, dtype=torch.int64, device=noise.device)
        return self.complete(nothing, torch.ones_like(nothing, dtype=torch.bool), noise)

    def continued(self, begun: Tensor, noise: Noise, condition: Tensor | None = None) -> Iterator[int]:
        tokens = torch.zeros(1, self.length, dtype=torch.int64, device=begun.device)
        tokens[0, : len(begun)] = begun
        masked = torch.arange(self.length, device=begun.device)[None] >= len(begun)
        with evaluating(self):
            found = self.complete(tokens, masked, noise)[0, len(begun) :].tolist()
        yield from itertools.takewhile(lambda token: token != END, found)

    def complete(self, tokens: Tensor, masked: Tensor, noise: Noise) -> Tensor:
        """Texts in which what was not masked stands as it was, up to an end that is written before it.

        Args:
            tokens: (N, length).
            masked: Which are to be written, (N, length) of bool.
            noise: One row for each text.

        Returns:
            (N, length).
        """
        times, shares = noise.uniform(self.length), noise.uniform(self.length)
        for step in range(self.steps, 0, -1):
            due = masked & (times >= (step - 1) / self.steps)
            rows = due.any(1).nonzero()[:, 0]
            if len(rows):
                drawn = self._drawn(tokens[rows], masked[rows], due[rows], shares[rows])
                tokens = tokens.masked_scatter(due, drawn)
                masked = masked & ~due
        return tokens.masked_fill(~written(tokens), END)

    def _drawn(self, tokens: Tensor, masked: Tensor, due: Tensor, shares: Tensor) -> Tensor:
        """Tokens for the places that are due, in order, (number of such places,)."""
        logits = self.logits(tokens, masked)[due]
        return nucleus(logits, shares[due][:, None], self.temperature, self.top_p)[:, 0]

    def _surprise(self, tokens: Tensor, shares: Tensor, ranks: Tensor) -> Tensor:
        """Nats of each text as one draw of what is masked tells them, (N,)."""
        masked = masked_places(ranks, shares)
        found = self.logits(tokens, masked).log_softmax(2).gather(2, tokens[:, :, None])[:, :, 0]
        return masked_surprise(-found.masked_fill(~masked, 0.0), masked)

    def stages(self) -> Sequence[Stage]:
        def loss(batch: Batch) -> Losses:
            count = mean_over_processes(written(batch.data).sum().float())
            draw = (self._spread_shares(batch.noise), batch.noise.uniform(self.length))
            return {"nats_per_token": self._surprise(batch.data, *draw).sum() / count}

        phase = Phase(name="unmasking", player=denoising_player(self.network, self.config.learning_rate), loss=loss)
        return [Stage(name="unmasking", phases=[phase])]

    def _spread_shares(self, noise: Noise) -> Tensor:
        """Uniform in [0, 1) for each example, spread evenly over a batch (arXiv 2107.00630, appendix I.1)."""
        places = (noise.first + torch.arange(noise.count, device=noise.device)) % self.config.batch_size
        return (places + noise.uniform()) / self.config.batch_size

    def diagram(self) -> Diagram:
        return Diagram(
            boxes=[
                Box(name="text", role=Role.DATA),
                Box(name="masks", role=Role.NOISE),
                Box(name="text with gaps", role=Role.SAMPLE),
                Box(name="network", role=Role.NETWORK, module=self.network),
                Box(name="masked tokens", role=Role.DISTRIBUTION),
            ],
            arrows=[
                Arrow("text", "text with gaps"),
                Arrow("masks", "text with gaps"),
                Arrow("text with gaps", "network"),
                Arrow("network", "masked tokens"),
                Arrow("masked tokens", "text with gaps"),
            ],
        )
