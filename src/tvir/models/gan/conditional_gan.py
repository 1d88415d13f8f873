"""A GAN that can be asked for a class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from tvir.contracts.data import DataSpec, Examples, ImageSpec, VectorSpec
from tvir.contracts.diagram import Arrow, Box, Diagram, Role
from tvir.contracts.errors import UsageError
from tvir.contracts.model import NO_SETTINGS, Batch, Conditional, DecodesLatents, JudgesExamples, Losses, Phase, Stage
from tvir.contracts.noise import Noise
from tvir.models.classes import ClassFrequencies
from tvir.models.gan.augmenting import Augmenter
from tvir.models.gan.conditioning import Conditioning, Projection
from tvir.models.gan.game import Game, GameConfig, settings_for_game
from tvir.models.gan.steadying import Steadier
from tvir.networks.building import networks_for
from tvir.objectives.penalties import Critic


class ConditionalGan(DecodesLatents, Conditional, JudgesExamples):
    """The generator is given a class beside its latent, and the critic is told which class a fake is said to be of.

    Fakes are asked for the classes of the real examples they stand beside. Where an example has no label, both players
    are told that its class is not known. Without a class, samples are of classes as frequent as in the data.

    Args:
        spec: Images or vectors with classes.
        config: The settings.

    Raises:
        UsageError: The data has no classes, or packs are asked for.

    Example:
        >>> gan = ConditionalGan(VectorSpec(features=2, classes=("a", "b")), ConditionalGan.smallest())
        >>> gan.sample(2, condition=torch.tensor([0, 1])).shape
        torch.Size([2, 2])
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(GameConfig):
        """Settings of a conditional GAN."""

        conditioning: Conditioning = field(default_factory=Projection)
        """How the critic is told the class."""

    config: Config
    paper = "Mirza and Osindero 2014, Conditional Generative Adversarial Nets, arXiv 1411.1784"
    specs = (ImageSpec, VectorSpec)

    def __init__(self, spec: DataSpec, config: Config) -> None:
        super().__init__(spec, config)
        self.frequencies = ClassFrequencies(spec, instead="gan")
        if config.pack > 1:
            raise UsageError(f"a pack of {config.pack} examples is of no one class: use --pack 1 or the model gan")
        networks = networks_for(spec, config.width, config.network)
        classes = self.frequencies.classes
        self.embedding = nn.Embedding(classes + 1, config.latent)
        self.decoder = networks.decoder(2 * config.latent, 1, config.normalisation.given(config.latent))
        reader = networks_for(spec, config.critic_width, config.network).discriminator(
            normalise_weights=config.regulariser.normalises_weights
        )
        self.discriminator = config.conditioning.critic(reader, classes)
        self.augmenter = Augmenter(config.augmentation, spec, config.batch_size)
        self.steadier = Steadier(config.logit_regulariser, spec)

    @classmethod
    def settings_for(cls, spec: DataSpec, asked: Mapping[str, Any] = NO_SETTINGS) -> Mapping[str, Any]:
        return settings_for_game(spec)

    @classmethod
    def smallest(cls) -> Config:
        return cls.Config(width=2, latent=2, batch_size=4)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.latent,)

    def sample_prior(self, noise: Noise, condition: Tensor | None = None) -> Tensor:
        return noise.normal(*self.latent_shape)

    def decode(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
        embedded = self.embedding(self.frequencies.known(condition, latents))
        return self.spec.bounded(self.decoder(torch.cat([latents, embedded], 1), embedded))

    def generate(self, noise: Noise, condition: Tensor | None) -> Tensor:
        latents = self.latents_for(noise)
        return self.decode(latents, self.frequencies.asked(condition, noise))

    def judge(self, examples: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.discriminator(examples, self.frequencies.known(condition, examples))

    def _prepare(self, examples: Examples) -> None:
        self.augmenter.prepare(examples)
        self.frequencies.prepare(examples)

    def stages(self) -> Sequence[Stage]:
        def view(batch: Batch) -> Critic:
            labels = self.frequencies.known(batch.labels, batch.data)
            # The critic may be shown real and fake examples at once: both sides are of the same classes.
            return lambda inputs: self.discriminator(inputs, labels.repeat(len(inputs) // len(labels)))

        game = Game(
            lambda batch: self.decode(self.sample_prior(batch.noise), self.frequencies.known(batch.labels, batch.data)),
            nn.ModuleList([self.embedding, self.decoder]),
            self.discriminator,
            self.config,
            self.spec,
            self.augmenter,
            self.steadier,
            view,
        )

        def named(losses: Losses, examples: Tensor, batch: Batch) -> Losses:
            naming = self.discriminator.class_loss(examples, self.frequencies.known(batch.labels, examples))
            return losses if naming is None else {**losses, "classes": naming}

        def generator_loss(batch: Batch) -> Losses:
            fakes = game.make(batch)
            return named(game.deceive(batch, fakes), fakes, batch)

        def critic_loss(batch: Batch) -> Losses:
            return named(game.critic_loss(batch), batch.data, batch)

        generator, critic = game.phases()
        phases = [
            Phase(name=generator.name, player=generator.player, loss=generator_loss, every=generator.every),
            Phase(name=critic.name, player=critic.player, loss=critic_loss),
        ]
        return [Stage(name="adversarial", phases=phases, prepare=self._prepare)]

    def diagram(self) -> Diagram:
        return Diagram(
            boxes=[
                Box(name="class", role=Role.DATA),
                Box(name="embedding", role=Role.NETWORK, module=self.embedding),
                Box(name="noise", role=Role.NOISE),
                Box(name="generator", role=Role.NETWORK, module=self.decoder),
                Box(name="fake", role=Role.SAMPLE),
                Box(name="real data", role=Role.DATA),
                Box(name="discriminator", role=Role.NETWORK, module=self.discriminator),
                Box(name="real or fake?", role=Role.DECISION),
            ],
            arrows=[
                Arrow("class", "embedding"),
                Arrow("embedding", "generator"),
                Arrow("noise", "generator"),
                Arrow("generator", "fake"),
                Arrow("fake", "discriminator"),
                Arrow("real data", "discriminator"),
                Arrow("class", "discriminator"),
                Arrow("discriminator", "real or fake?"),
            ],
        )
