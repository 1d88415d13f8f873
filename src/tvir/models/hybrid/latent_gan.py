"""Latent GAN: texts are compressed first, and a game learns which of the compressed are likely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated

import torch
from annotated_types import Ge, Gt, Interval
from torch import Tensor
from torch.distributions import Independent

from tvir.contracts.data import Examples, TextSpec, VectorSpec
from tvir.contracts.diagram import Arrow, Box, Diagram, Role
from tvir.contracts.model import Adam, Batch, EncodesData, Losses, Phase, Player, SamplesTokens, Stage, evaluating
from tvir.contracts.noise import Noise
from tvir.contracts.ranges import Logarithmic
from tvir.models.gan.duel import BETAS, Duel, DuelConfig
from tvir.models.standardising import Standardiser
from tvir.models.vae.autoencoding import draw_latents
from tvir.models.vae.text_vae import Recurrent, TextVae
from tvir.networks.building import networks_for
from tvir.networks.normalisation import Unnormalised
from tvir.objectives.adversarial import AdversarialLoss, RelativisticPaired
from tvir.objectives.penalties import R1R2, Regulariser


class LatentGan(EncodesData, SamplesTokens):
    """An autoencoder of text is trained first; then a GAN learns how its latents are distributed.

    No gradient has to pass through words: the game is about vectors, on which it is fast and steady. The generator
    takes the place of the prior, so the divergence from a normal one can weigh little and latents say much of a text.
    What was learned in the first stage stays as it is; the critic sees its latents brought to mean 0 and variance 1.

    The latents of this model are those of the autoencoder: ``sample_prior`` draws them with the generator and
    ``encode`` finds those of a text. So a walk between two samples and one between two texts lead through the same
    space, and what is in between is decoded, not generated.

    Args:
        spec: Text.
        config: The settings.

    Raises:
        UsageError: The heads do not divide the width.

    Example:
        >>> gan = LatentGan(TextSpec(vocabulary=5, length=8), LatentGan.smallest())
        >>> gan.reconstruct(gan.sample(3)).shape
        torch.Size([3, 8])
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(TextVae.Config, DuelConfig):
        """Settings of a latent GAN."""

        beta: Annotated[float, Ge(0)] = 0.2
        """Weight of the divergence from a normal distribution, which no sample is drawn from."""
        autoencoder_start: Annotated[float, Interval(ge=0.0, lt=1.0)] = 0.0
        """Share of the first stage in which an autoencoder learns whose encoder is kept (arXiv 1909.00868)."""
        first_stage_share: Annotated[float, Interval(gt=0.0, lt=1.0)] = 0.8
        """Share of the budget given to the autoencoder; the game has the rest."""
        width: Annotated[int, Ge(1)] = 64
        """A quarter of the hidden units of the generator and of the critic."""
        noise: Annotated[int, Ge(1)] = 32
        """Numbers that the generator makes a latent from."""
        loss: AdversarialLoss = field(default_factory=RelativisticPaired)
        """What the players play for."""
        regulariser: Regulariser = field(default_factory=lambda: R1R2(weight=1.0))
        """What keeps the critic smooth."""
        generator_learning_rate: Annotated[float, Gt(0), Logarithmic(3e-4, 3e-3)] = 1e-3
        """Step size of the generator."""

    config: Config
    specs = (TextSpec,)
    paper = "Zhao et al. 2018, Adversarially Regularized Autoencoders, arXiv 1706.04223"

    def __init__(self, spec: TextSpec, config: Config) -> None:
        super().__init__(spec, config)
        self.autoencoder = TextVae(spec, config)
        self._latents = VectorSpec(features=config.latent)
        networks = networks_for(self._latents, config.width)
        self.unit = Standardiser(config.latent, places=0)
        self.generator = networks.decoder(config.noise, 1, Unnormalised())
        self.critic = networks.discriminator(normalise_weights=config.regulariser.normalises_weights)

    @classmethod
    def smallest(cls) -> Config:
        return cls.Config(latent=2, decoder=Recurrent(width=4), encoder_width=4, batch_size=4, width=2, noise=2)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return self.autoencoder.latent_shape

    def sample_prior(self, noise: Noise, condition: Tensor | None = None) -> Tensor:
        return self.unit.inverse(self._make(noise))

    def decode(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.autoencoder.decode(latents)

    def encode(self, examples: Tensor, condition: Tensor | None = None) -> Independent:
        return self.autoencoder.encode(examples)

    def generate(self, noise: Noise, condition: Tensor | None) -> Tensor:
        with (
            self.autoencoder.latents_from(self.latents_for),
            self.autoencoder.drawing_with(self.temperature, self.top_p),
        ):
            return self.autoencoder.generate(noise, condition)

    def stages(self) -> Sequence[Stage]:
        share = self.config.first_stage_share
        first = [replace(stage, share=share * stage.share) for stage in self.autoencoder.stages()]
        game = Stage(name="adversarial", share=1 - share, phases=self._game(), prepare=self._prepare_game)
        return [*first, game]

    def _game(self) -> Sequence[Phase]:
        duel = Duel(self.critic, self.config, self._latents)

        def generator_loss(batch: Batch) -> Losses:
            return {"adversarial": duel.deceive(self._encoded(batch), self._make(batch.noise))}

        generator = Player(
            name="generator",
            parameters=list(self.generator.parameters()),
            optimiser=Adam(
                learning_rate=self.config.generator_learning_rate, betas=BETAS, warmup_steps=100, final_share=0.1
            ),
        )
        return [
            Phase(name="generator", player=generator, loss=generator_loss),
            duel.phase(lambda batch: (self._encoded(batch), self._make(batch.noise))),
        ]

    def _make(self, noise: Noise) -> Tensor:
        """Latents as the generator writes them and the critic sees them, (noise.count, latent)."""
        return self.generator(noise.normal(self.config.noise))

    @torch.no_grad()
    def _encoded(self, batch: Batch) -> Tensor:
        """The latents of a batch as the critic sees them: draws, for the decoder has learned from draws."""
        mean, log_variance = self.autoencoder.posterior(batch.data)
        return self.unit(draw_latents(mean, log_variance, batch.noise.normal(self.config.latent)))

    def _prepare_game(self, examples: Examples) -> None:
        with evaluating(self):
            self.unit.measure(examples, lambda part: self.autoencoder.posterior(part)[0])

    def diagram(self) -> Diagram:
        return Diagram(
            boxes=[
                Box(name="text", role=Role.DATA),
                Box(name="encoder", role=Role.NETWORK, module=self.autoencoder.encoder),
                Box(name="latent", role=Role.SAMPLE),
                Box(name="decoder", role=Role.NETWORK, module=self.autoencoder.decoder),
                Box(name="next token", role=Role.DISTRIBUTION),
                Box(name="noise", role=Role.NOISE),
                Box(name="generator", role=Role.NETWORK, module=self.generator),
                Box(name="critic of latents", role=Role.NETWORK, module=self.critic),
                Box(name="encoded or generated?", role=Role.DECISION),
            ],
            arrows=[
                Arrow("text", "encoder"),
                Arrow("encoder", "latent"),
                Arrow("noise", "generator"),
                Arrow("generator", "latent"),
                Arrow("latent", "decoder"),
                Arrow("decoder", "next token"),
                Arrow("next token", "decoder"),
                Arrow("latent", "critic of latents"),
                Arrow("critic of latents", "encoded or generated?"),
            ],
        )
