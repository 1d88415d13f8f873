"""Generative adversarial network: loss x regulariser x network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from tvir.contracts.data import DataSpec, ImageSpec, VectorSpec
from tvir.contracts.diagram import Arrow, Box, Diagram, Role
from tvir.contracts.model import NO_SETTINGS, DecodesLatents, JudgesExamples, Stage
from tvir.contracts.noise import Noise
from tvir.models.gan.augmenting import Augmenter
from tvir.models.gan.game import Game, GameConfig, settings_for_game, whole_packs
from tvir.models.gan.steadying import Steadier
from tvir.networks.building import networks_for


class Gan(DecodesLatents, JudgesExamples):
    """A generator learns to make what a discriminator takes for real.

    By default the relativistic game of R3GAN (Huang et al. 2024, The GAN is dead; long live the GAN!, arXiv
    2501.05441); the settings also give the original GAN, LSGAN, hinge GAN, WGAN-GP and SNGAN.

    Args:
        spec: Images or vectors.
        config: The settings.

    Example:
        >>> gan = Gan(VectorSpec(features=2), Gan.smallest())
        >>> gan.sample(3).shape
        torch.Size([3, 2])
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(GameConfig):
        """Settings of a GAN."""

    config: Config
    paper = "Goodfellow et al. 2014, Generative Adversarial Nets, arXiv 1406.2661"
    specs = (ImageSpec, VectorSpec)

    def __init__(self, spec: DataSpec, config: Config) -> None:
        super().__init__(spec, config)
        networks = networks_for(spec, config.width, config.network)
        self.generator = networks.decoder(config.latent, 1, config.normalisation)
        self.discriminator = networks_for(spec, config.critic_width, config.network).discriminator(
            normalise_weights=config.regulariser.normalises_weights, pack=config.pack
        )
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
        return self.spec.bounded(self.generator(latents))

    def judge(self, examples: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.discriminator(whole_packs(examples, self.config.pack))

    def stages(self) -> Sequence[Stage]:
        game = Game(
            lambda batch: self.generate(batch.noise, None),
            self.generator,
            self.discriminator,
            self.config,
            self.spec,
            self.augmenter,
            self.steadier,
        )
        return [Stage(name="adversarial", phases=game.phases(), prepare=self.augmenter.prepare)]

    def diagram(self) -> Diagram:
        return Diagram(
            boxes=[
                Box(name="noise", role=Role.NOISE),
                Box(name="generator", role=Role.NETWORK, module=self.generator),
                Box(name="fake", role=Role.SAMPLE),
                Box(name="real data", role=Role.DATA),
                Box(name="discriminator", role=Role.NETWORK, module=self.discriminator),
                Box(name="real or fake?", role=Role.DECISION),
            ],
            arrows=[
                Arrow("noise", "generator"),
                Arrow("generator", "fake"),
                Arrow("fake", "discriminator"),
                Arrow("real data", "discriminator"),
                Arrow("discriminator", "real or fake?"),
            ],
        )
