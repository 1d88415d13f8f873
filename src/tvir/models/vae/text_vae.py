"""A variational autoencoder of text, with what is known to keep its latents in use."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated

import torch
from annotated_types import Ge, Gt, Lt
from torch import Tensor
from torch.distributions import Independent

from tvir.contracts.choice import Choice
from tvir.contracts.data import Examples, TextSpec
from tvir.contracts.diagram import Arrow, Box, Diagram, Role
from tvir.contracts.errors import UsageError
from tvir.contracts.model import (
    Batch,
    EncodesData,
    HasLikelihoodBound,
    Losses,
    ModelConfig,
    Phase,
    Player,
    Stage,
    evaluating,
)
from tvir.contracts.noise import Noise, mix_seed
from tvir.contracts.ranges import Logarithmic
from tvir.models.vae.autoencoding import draw_latents, lower_bound, mean_and_log_variance, normal_distribution
from tvir.models.vae.latent_writing import WritesFromLatents, reading_optimiser
from tvir.networks.latent_text import AttentiveDecoder, LatentDecoder, RecurrentDecoder, TextEncoder
from tvir.objectives.divergences import normal_divergence

_RISING = 0.5
"""Share of a cycle over which beta grows: Fu et al. 2019, arXiv 1903.10145, R."""


class TextDecoder(Choice):
    """What writes a text that a latent is told."""

    @abstractmethod
    def build(self, vocabulary: int, length: int, latent: int) -> LatentDecoder:
        """The network for a vocabulary, a length and latents of a size."""


@dataclass(frozen=True, kw_only=True)
class Recurrent(TextDecoder):
    """LSTMs, each of which is told the latent at every token."""

    layers: Annotated[int, Ge(1)] = 1
    width: Annotated[int, Ge(1)] = 256

    def build(self, vocabulary: int, length: int, latent: int) -> LatentDecoder:
        return RecurrentDecoder(vocabulary, latent, self.width, self.layers)


@dataclass(frozen=True, kw_only=True)
class Attentive(TextDecoder):
    """A causal transformer, each layer of which is told the latent."""

    layers: Annotated[int, Ge(1)] = 3
    heads: Annotated[int, Ge(1)] = 4
    width: Annotated[int, Ge(1)] = 128

    def build(self, vocabulary: int, length: int, latent: int) -> LatentDecoder:
        if self.width % self.heads:
            raise UsageError(f"{self.heads} heads do not divide a width of {self.width}; change heads or width")
        return AttentiveDecoder(vocabulary, length, latent, self.width, self.layers, self.heads)


class TextVae(WritesFromLatents, EncodesData, HasLikelihoodBound):
    """Encodes a text into a latent and writes it again token by token, each given the latent and all before it.

    A decoder that reads what it has written can do without its latent, and the posterior then collapses to the prior.
    The settings hold the known remedies. By default encoder and decoder learn as an autoencoder first; then the decoder
    begins anew, beside an encoder that already says something, and each latent number has a few free bits.

    Args:
        spec: Text.
        config: The settings.

    Raises:
        UsageError: The heads do not divide the width.

    Example:
        >>> vae = TextVae(TextSpec(vocabulary=5, length=8), TextVae.smallest())
        >>> vae.reconstruct(vae.sample(3)).shape
        torch.Size([3, 8])
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(ModelConfig):
        """Settings of a VAE of text."""

        batch_size: Annotated[int, Ge(1)] = 32
        """Examples per step, over all processes."""
        latent: Annotated[int, Ge(1)] = 32
        """Numbers in a latent."""
        decoder: TextDecoder = field(default_factory=Recurrent)
        """What writes a text."""
        encoder_width: Annotated[int, Ge(1)] = 256
        """Features of the encoder's LSTM."""
        pooled: bool = True
        """Encode the maximum over all states of the encoder, not the last one (arXiv 1911.03976)."""
        beta: Annotated[float, Ge(0)] = 1.0
        """Weight of the divergence from the prior; with 1 the loss bounds the likelihood."""
        cycles: Annotated[int, Ge(0)] = 1
        """How often beta grows from 0 anew, over half of each cycle (arXiv 1903.10145); 0 for never."""
        free_bits: Annotated[float, Ge(0)] = 0.15
        """Nats of divergence that each latent number has for nothing (arXiv 1606.04934, section 8)."""
        word_dropout: Annotated[float, Ge(0), Lt(1)] = 0.0
        """Share of tokens that those after them do not see in training (arXiv 1511.06349)."""
        autoencoder_start: Annotated[float, Ge(0), Lt(1)] = 0.3
        """Share of the budget in which an autoencoder learns whose encoder is kept (arXiv 1909.00868)."""
        learning_rate: Annotated[float, Gt(0), Logarithmic(5e-4, 5e-3)] = 2e-3
        """Step size of encoder and decoder."""
        weight_decay: Annotated[float, Ge(0)] = 0.01
        """Decoupled weight decay."""

    config: Config
    paper = "Bowman et al. 2016, Generating Sentences from a Continuous Space, arXiv 1511.06349"

    def __init__(self, spec: TextSpec, config: Config) -> None:
        super().__init__(spec, config)
        self.encoder = TextEncoder(spec.vocabulary, config.encoder_width, 2 * config.latent, pooled=config.pooled)
        self.decoder = self._new_decoder()

    @classmethod
    def smallest(cls) -> Config:
        return cls.Config(latent=2, decoder=Recurrent(width=4), encoder_width=4, batch_size=4)

    @property
    def writing_network(self) -> LatentDecoder:
        return self.decoder

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.latent,)

    def encode(self, examples: Tensor, condition: Tensor | None = None) -> Independent:
        return normal_distribution(*self.posterior(examples))

    def posterior(self, examples: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of q(z|x), (N, latent) each."""
        return mean_and_log_variance(self.encoder(examples))

    def elbo(self, examples: Tensor, noise: Noise, samples: int = 1) -> Tensor:
        with evaluating(self):
            mean, log_variance = self.posterior(examples)
            draws = noise.normal(samples, self.config.latent)
            return lower_bound(partial(self.log_likelihood, examples), mean, log_variance, draws)

    def stages(self) -> Sequence[Stage]:
        share = self.config.autoencoder_start
        if not share:
            return [Stage(name="variational", phases=[self._phase("variational", variational=True)])]
        return [
            Stage(name="autoencoding", share=share, phases=[self._phase("autoencoding", variational=False)]),
            Stage(
                name="variational",
                share=1 - share,
                phases=[self._phase("variational", variational=True)],
                prepare=self._begin_decoder_anew,
            ),
        ]

    def diagram(self) -> Diagram:
        return Diagram(
            boxes=[
                Box(name="text", role=Role.DATA),
                Box(name="encoder", role=Role.NETWORK, module=self.encoder),
                Box(name="posterior", role=Role.DISTRIBUTION),
                Box(name="latent", role=Role.SAMPLE),
                Box(name="decoder", role=Role.NETWORK, module=self.decoder),
                Box(name="next token", role=Role.DISTRIBUTION),
            ],
            arrows=[
                Arrow("text", "encoder"),
                Arrow("encoder", "posterior"),
                Arrow("posterior", "latent"),
                Arrow("latent", "decoder"),
                Arrow("decoder", "next token"),
                Arrow("next token", "decoder"),
            ],
        )

    def _new_decoder(self) -> LatentDecoder:
        return self.config.decoder.build(self.spec.vocabulary, self.spec.length, self.config.latent)

    def _begin_decoder_anew(self, examples: Examples) -> None:
        del examples
        # Of the same weights in every process, without moving the generator that belongs to others.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(mix_seed("decoder"))
            self.decoder.load_state_dict(self._new_decoder().state_dict())

    def _phase(self, name: str, *, variational: bool) -> Phase:
        player = Player(
            name="autoencoder",
            parameters=list(self.parameters()),
            optimiser=reading_optimiser(self.config.learning_rate, self.config.weight_decay),
        )
        return Phase(name=name, player=player, loss=self._variational_loss if variational else self._plain_loss)

    def _plain_loss(self, batch: Batch) -> Losses:
        """Reconstruction alone, through the posterior mean: an ordinary autoencoder."""
        mean, _ = self.posterior(batch.data)
        return {"reconstruction": -self.log_likelihood(batch.data, mean, self._hidden(batch)).mean()}

    def _variational_loss(self, batch: Batch) -> Losses:
        mean, log_variance = self.posterior(batch.data)
        latents = draw_latents(mean, log_variance, batch.noise.normal(self.config.latent))
        # Kingma et al. 2016, arXiv 1606.04934, equation 15: free for the mean over a batch, number by number.
        by_number = normal_divergence(mean.T[:, :, None], log_variance.T[:, :, None]) / len(mean)
        return {
            "reconstruction": -self.log_likelihood(batch.data, latents, self._hidden(batch)).mean(),
            "divergence": self._beta(batch.progress) * by_number.clamp_min(self.config.free_bits).sum(),
        }

    def _hidden(self, batch: Batch) -> Tensor | None:
        share = self.config.word_dropout
        return batch.noise.uniform(self.spec.length) < share if share else None

    def _beta(self, progress: float) -> float:
        cycles = self.config.cycles
        within = (progress * cycles) % 1.0 if progress < 1 else 1.0
        return self.config.beta * (min(1.0, within / _RISING) if cycles else 1.0)
