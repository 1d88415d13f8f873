"""GAN of text: relaxed tokens let a critic's gradient through, and the generator has learned to write before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated, Literal

import numpy as np
import torch
from annotated_types import Ge, Gt, Interval
from torch import Tensor

from tvir.contracts.collectives import mean_over_processes
from tvir.contracts.data import Examples, TextSpec
from tvir.contracts.diagram import Arrow, Box, Diagram, Role
from tvir.contracts.model import (
    Adam,
    Batch,
    HasLikelihoodBound,
    JudgesExamples,
    Losses,
    Phase,
    Player,
    Stage,
    evaluating,
)
from tvir.contracts.noise import Noise
from tvir.contracts.ranges import Logarithmic, OneOf
from tvir.models.gan.duel import BETAS, Duel, DuelConfig, SharedFakes
from tvir.models.vae.autoencoding import lower_bound
from tvir.models.vae.latent_writing import WritesFromLatents, reading_optimiser
from tvir.models.vae.text_vae import Recurrent, TextVae
from tvir.networks.latent_text import LatentDecoder
from tvir.networks.text_critic import TextCritic
from tvir.objectives.adversarial import AdversarialLoss, RelativisticPaired
from tvir.objectives.penalties import Regulariser, Unregularised
from tvir.objectives.texts import gumbel, one_hot, relaxed_tokens

_REMEMBERED = 512
"""Training texts, spread over the split, whose probability is noted as the game begins."""


class TextGan(WritesFromLatents, HasLikelihoodBound, JudgesExamples):
    """A generator writes token by token, and a critic of whole texts tells it where it is not believed.

    A token is the largest of the logits with Gumbel noise, and the generator reads on from it; the critic is shown a
    softmax of the same numbers, through which its gradient passes. That softmax grows sharper by a constant factor
    per share of the game. So the texts of a step are written without gradients and read once more at a time with them.

    The generator does not learn to write in the game. With ``pretraining="mle"`` it is first a language model, told
    latents that mean nothing to it; with ``vae`` it is first the decoder of a VAE of text, to which latents mean
    something in every layer: the unbalanced form. What that takes of the budget the game does not have.

    A game has no loss that shows how far the generator has gone from the data. So the model keeps how probable training
    texts were to it as the game began, and the doctor can say what became of that.

    Args:
        spec: Text.
        config: The settings.

    Raises:
        UsageError: The heads do not divide the width.

    Example:
        >>> gan = TextGan(TextSpec(vocabulary=5, length=8), TextGan.smallest())
        >>> gan.judge(gan.sample(3)).shape
        torch.Size([3])
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(TextVae.Config, DuelConfig):
        """Settings of a GAN of text; those of a VAE are for a generator that begins as one."""

        pretraining: Literal["none", "mle", "vae"] = "mle"
        """What the generator is first: nothing, a language model, or the decoder of a VAE of text."""
        pretraining_share: Annotated[float, Interval(gt=0.0, lt=1.0), OneOf(0.5, 0.7, 0.9)] = 0.7
        """Share of the budget given to that."""
        autoencoder_start: Annotated[float, Interval(ge=0.0, lt=1.0)] = 0.0
        """Share of the VAE's stretch in which an autoencoder learns whose encoder is kept (arXiv 1909.00868); what its
        decoder has learned is thrown away, and the game goes on from a decoder."""
        embeddings: Annotated[int, Ge(1)] = 16
        """Views of a text that the critic judges apart."""
        embedding_width: Annotated[int, Ge(1)] = 4
        """Numbers of a token in each of them."""
        filters: Annotated[int, Ge(1)] = 32
        """Features of each convolution of the critic."""
        sharpness: Annotated[float, Ge(1)] = 100.0
        """Inverse temperature of relaxed tokens at the end of the game; it begins as 1."""
        loss: AdversarialLoss = field(default_factory=RelativisticPaired)
        """What the players play for."""
        regulariser: Regulariser = field(default_factory=Unregularised)
        """What keeps the critic smooth; penalties of slopes among one-hot tokens blind it (docs/log.md)."""
        critic_learning_rate: Annotated[float, Gt(0), Logarithmic(1e-4, 1e-3)] = 2e-4
        """Step size of the critic."""
        generator_learning_rate: Annotated[float, Gt(0), Logarithmic(3e-5, 3e-4)] = 1e-4
        """Step size of the generator in the game."""

    config: Config
    paper = (
        "Nie, Narodytska and Patel 2019, RelGAN: Relational Generative Adversarial Networks for Text Generation; "
        "begun as a VAE: Ham, Jun and Kim 2020, arXiv 2002.02112"
    )

    start_surprise: Tensor

    def __init__(self, spec: TextSpec, config: Config) -> None:
        super().__init__(spec, config)
        from_vae = config.pretraining == "vae"
        self.autoencoder = TextVae(spec, config) if from_vae else None
        self.writer = None if from_vae else config.decoder.build(spec.vocabulary, spec.length, config.latent)
        self.critic = TextCritic(
            spec.vocabulary,
            spec.length,
            config.embeddings,
            config.embedding_width,
            config.filters,
            normalise_weights=config.regulariser.normalises_weights,
        )
        self.register_buffer("start_surprise", torch.zeros(()))

    @classmethod
    def smallest(cls) -> Config:
        return cls.Config(
            latent=2,
            decoder=Recurrent(width=4),
            encoder_width=4,
            batch_size=4,
            embeddings=2,
            filters=2,
            pretraining="vae",
        )

    @property
    def writing_network(self) -> LatentDecoder:
        """The generator: the VAE's decoder where there is one."""
        writer = self.writer if self.autoencoder is None else self.autoencoder.decoder
        assert writer is not None
        return writer

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.latent,)

    def judge(self, examples: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.critic(one_hot(examples, self.spec.vocabulary)).mean(1)

    def elbo(self, examples: Tensor, noise: Noise, samples: int = 1) -> Tensor:
        """A lower bound of the log probability per text in nats, (N,), with latents from where they are known best.

        That is the encoder of the VAE, else the prior; several samples give the importance-weighted bound.
        """
        if self.autoencoder is not None:
            return self.autoencoder.elbo(examples, noise, samples)
        with evaluating(self):
            nothing = torch.zeros(len(examples), self.config.latent, device=examples.device)
            draws = noise.normal(samples, self.config.latent)
            return lower_bound(partial(self.log_likelihood, examples), nothing, nothing, draws)

    def stages(self) -> Sequence[Stage]:
        share = 0.0 if self.config.pretraining == "none" else self.config.pretraining_share
        first = [Stage(name="reading", phases=[self._reading()])] if self.writer else []
        if self.autoencoder is not None:
            first = list(self.autoencoder.stages())
        game = Stage(name="adversarial", share=1 - share, phases=self._game(), prepare=self._note_surprise)
        return [*[replace(stage, share=share * stage.share) for stage in first if share], game]

    def _reading(self) -> Phase:
        def loss(batch: Batch) -> Losses:
            latents = self.sample_prior(batch.noise)
            return {"reconstruction": -self.log_likelihood(batch.data, latents).mean()}

        optimiser = reading_optimiser(self.config.learning_rate, self.config.weight_decay)
        return Phase(name="reading", player=self._player(optimiser), loss=loss)

    def _game(self) -> Sequence[Phase]:
        duel, fakes = Duel(self.critic, self.config, self.spec), SharedFakes(self._relaxed)

        def real(batch: Batch) -> Tensor:
            return one_hot(batch.data, self.spec.vocabulary)

        def generator_loss(batch: Batch) -> Losses:
            return {"adversarial": duel.deceive(real(batch), fakes.make(batch))}

        optimiser = Adam(
            learning_rate=self.config.generator_learning_rate, betas=BETAS, warmup_steps=100, final_share=0.1
        )
        return [
            Phase(name="generator", player=self._player(optimiser), loss=generator_loss),
            duel.phase(lambda batch: (real(batch), fakes.for_critic(batch))),
        ]

    def _player(self, optimiser: Adam) -> Player:
        return Player(name="generator", parameters=list(self.writing_network.parameters()), optimiser=optimiser)

    def _relaxed(self, batch: Batch) -> Tensor:
        """Texts of relaxed tokens (N, length, vocabulary), differentiable in the generator."""
        latents = self.sample_prior(batch.noise)
        noise = gumbel(batch.noise.uniform(self.spec.length, self.spec.vocabulary))
        with torch.no_grad():
            tokens = self.writing_network.write(latents, noise, _largest)
        return relaxed_tokens(
            self.writing_network(tokens, latents), noise, tokens, self.config.sharpness**batch.progress
        )

    def _note_surprise(self, examples: Examples) -> None:
        """Nats of a training text as the game begins."""
        chosen = np.unique(np.linspace(0, len(examples) - 1, min(_REMEMBERED, len(examples))).astype(np.int64))
        texts = self.spec.to_model(examples.take(chosen)).to(self.device)
        self.start_surprise.copy_(mean_over_processes(self.surprise(texts)))

    def surprise(self, texts: Tensor) -> Tensor:
        """Nats of a text (N, length), at most, on average."""
        return -self.elbo(texts, Noise(0, count=len(texts), device=texts.device)).mean()

    def diagram(self) -> Diagram:
        encoding = [] if self.autoencoder is None else [
            Box(name="encoder", role=Role.NETWORK, module=self.autoencoder.encoder),
            Box(name="posterior", role=Role.DISTRIBUTION),
        ]  # fmt: skip
        encoded = [Arrow("text", "encoder"), Arrow("encoder", "posterior"), Arrow("posterior", "generator")]
        return Diagram(
            boxes=[
                Box(name="text", role=Role.DATA),
                *encoding,
                Box(name="noise", role=Role.NOISE),
                Box(name="generator", role=Role.NETWORK, module=self.writing_network),
                Box(name="relaxed tokens", role=Role.SAMPLE),
                Box(name="critic", role=Role.NETWORK, module=self.critic),
                Box(name="written or made?", role=Role.DECISION),
            ],
            arrows=[
                *(encoded if encoding else []),
                Arrow("noise", "generator"),
                Arrow("generator", "relaxed tokens"),
                Arrow("relaxed tokens", "generator"),
                Arrow("relaxed tokens", "critic"),
                Arrow("text", "critic"),
                Arrow("critic", "written or made?"),
            ],
        )


def _largest(logits: Tensor, noise: Tensor) -> Tensor:
    """A draw from the distribution of logits (N, K), given Gumbel noise (N, 1, K); (N, 1)."""
    return (logits.float() + noise[:, 0]).argmax(1, keepdim=True)
