"""Unbalanced GAN: a VAE's decoder becomes the generator of a GAN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import torch
from annotated_types import Ge, Interval
from torch import Tensor
from torch.distributions import Independent

from tvir.contracts.data import DataSpec, Examples, ImageSpec, VectorSpec
from tvir.contracts.diagram import Arrow, Box, Diagram, Role
from tvir.contracts.errors import UsageError
from tvir.contracts.model import NO_SETTINGS, EncodesData, JudgesExamples, Stage, evaluating
from tvir.contracts.noise import Noise
from tvir.contracts.ranges import OneOf
from tvir.models.gan.augmenting import Augmenter
from tvir.models.gan.game import Game, GameConfig, settings_for_game, whole_packs
from tvir.models.gan.steadying import Steadier
from tvir.models.hybrid.mixture import Mixture
from tvir.models.vae.autoencoding import Autoencoder, AutoencodingConfig
from tvir.networks.building import copy_weights, networks_for

_FITTED = 10_000
"""Examples, spread over the training split, whose posterior means the prior is fitted to."""


class UnbalancedGan(EncodesData, JudgesExamples):
    """A VAE is trained first; its decoder goes on as the generator of a GAN.

    The generator knows the data before the discriminator does, which steadies the game and keeps its modes. The
    encoder is kept as the first stage left it, so it maps examples to the latents that they had then; the generator
    moves little enough that reconstructions stay close.

    With ``pretraining="none"`` it is a plain GAN, and its encoder never learns.

    Args:
        spec: Images or vectors.
        config: The settings.

    Raises:
        UsageError: The settings ask for what an untrained encoder cannot give, or the likelihood does not describe
            such data.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(GameConfig, AutoencodingConfig):
        """Settings of an Unbalanced GAN."""

        pretraining: Literal["vae", "ae", "none"] = "vae"
        """What is trained first: a variational autoencoder, an ordinary one, or nothing."""
        pretraining_share: Annotated[float, Interval(ge=0.0, lt=1.0), OneOf(0.1, 0.2, 0.3)] = 0.2
        """Share of the budget given to it."""
        transfer: Literal["decoder", "decoder+encoder"] = "decoder"
        """What goes on to the GAN; the encoder's trunk goes to the discriminator."""
        prior: Literal["auto", "normal", "aggregated"] = "auto"
        """Where the GAN's latents come from: the VAE's prior, or a mixture fitted to its posterior means, which auto
        takes where there is an encoder to fit it to."""
        prior_components: Annotated[int, Ge(1)] = 20
        """Normal distributions in the aggregated prior."""

        @property
        def aggregates(self) -> bool:
            """Whether latents come from a mixture fitted to posterior means."""
            return self.prior == "aggregated" or (self.prior == "auto" and self.pretraining != "none")

    config: Config
    paper = "Ham, Jun and Kim 2020, Unbalanced GANs: Pre-training the Generator of GAN using VAE, arXiv 2002.02112"
    specs = (ImageSpec, VectorSpec)

    def __init__(self, spec: DataSpec, config: Config) -> None:
        super().__init__(spec, config)
        if config.pretraining == "none" and (config.prior == "aggregated" or config.transfer == "decoder+encoder"):
            raise UsageError("without pretraining there is no trained encoder: use prior=normal and transfer=decoder")
        if config.transfer == "decoder+encoder" and config.pack > 1:
            raise UsageError(
                f"a critic of packs of {config.pack} cannot begin as an encoder of single examples: use --pack 1 or "
                "--transfer decoder"
            )
        if config.transfer == "decoder+encoder" and config.critic_width != config.width:
            raise UsageError(
                f"a critic of width {config.critic_width} cannot begin as an encoder of width {config.width}: "
                "use --critic-width-share 1 or --transfer decoder"
            )
        networks = networks_for(spec, config.width, config.network)
        decoder = networks.decoder(config.latent, config.likelihood.outputs, config.normalisation)
        self.discriminator = networks_for(spec, config.critic_width, config.network).discriminator(
            normalise_weights=config.regulariser.normalises_weights, pack=config.pack
        )
        self.augmenter = Augmenter(config.augmentation, spec, config.batch_size)
        self.steadier = Steadier(config.logit_regulariser, spec)
        self.autoencoder = Autoencoder(spec, networks, decoder, config)
        self.mixture = Mixture(config.prior_components, config.latent) if config.aggregates else None

    @classmethod
    def settings_for(cls, spec: DataSpec, asked: Mapping[str, Any] = NO_SETTINGS) -> Mapping[str, Any]:
        suited = settings_for_game(spec)
        if not isinstance(spec, VectorSpec) or asked.get("pretraining") == "none":
            return suited
        return {
            **suited,
            # A VAE blurs a mode into its neighbours, which a mixture of many components over plain codes does not.
            "pretraining": "ae",
            "prior_components": 50,
            # What the decoder knows is lost in large steps, and Adam makes as much of a critic that knows nothing yet.
            "generator_learning_rate": 1e-4,
            "generator_warmup": 1000,
            "regulariser": "r1-r2:weight=0.1,final_share=0.03",
        }

    @classmethod
    def smallest(cls) -> Config:
        return cls.Config(width=2, latent=2, batch_size=4, prior_components=2)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.latent,)

    def sample_prior(self, noise: Noise, condition: Tensor | None = None) -> Tensor:
        return self.mixture.draw(noise) if self.mixture else noise.normal(*self.latent_shape)

    def decode(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.autoencoder.decode(latents)

    def encode(self, examples: Tensor, condition: Tensor | None = None) -> Independent:
        return self.autoencoder.encode(examples)

    def judge(self, examples: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.discriminator(whole_packs(examples, self.config.pack))

    def stages(self) -> Sequence[Stage]:
        config = self.config
        share = 0.0 if config.pretraining == "none" else config.pretraining_share
        game = Game(
            lambda batch: self.generate(batch.noise, None),
            self.autoencoder.decoder,
            self.discriminator,
            config,
            self.spec,
            self.augmenter,
            self.steadier,
        )
        adversarial = Stage(name="adversarial", share=1 - share, phases=game.phases(), prepare=self._prepare_game)
        if share == 0:
            return [adversarial]
        autoencoding = self.autoencoder.phase(variational=config.pretraining == "vae")
        return [Stage(name="autoencoding", share=share, phases=[autoencoding]), adversarial]

    def _prepare_game(self, examples: Examples) -> None:
        self.augmenter.prepare(examples)
        # The decoder itself, buffers included, is the generator; only the trunk and the prior are to be carried over.
        if self.config.transfer == "decoder+encoder":
            copy_weights(self.autoencoder.encoder.trunk, self.discriminator.trunk)
        if self.mixture:
            self.mixture.fit(self._posterior_means(examples))

    def _posterior_means(self, examples: Examples, chunk: int = 256) -> np.ndarray:
        chosen = np.unique(np.linspace(0, len(examples) - 1, min(_FITTED, len(examples))).astype(np.int64))
        with evaluating(self):
            means = [
                self.autoencoder.posterior(self.spec.to_model(examples.take(indices)).to(self.device))[0]
                for indices in np.array_split(chosen, -(-len(chosen) // chunk))
            ]
        return torch.cat(means).cpu().numpy()

    def diagram(self) -> Diagram:
        return Diagram(
            boxes=[
                Box(name="real data", role=Role.DATA),
                Box(name="encoder", role=Role.NETWORK, module=self.autoencoder.encoder),
                Box(name="posterior", role=Role.DISTRIBUTION),
                Box(name="noise", role=Role.NOISE),
                Box(name="generator (the VAE's decoder)", role=Role.NETWORK, module=self.autoencoder.decoder),
                Box(name="fake", role=Role.SAMPLE),
                Box(name="discriminator", role=Role.NETWORK, module=self.discriminator),
                Box(name="real or fake?", role=Role.DECISION),
            ],
            arrows=[
                Arrow("real data", "encoder"),
                Arrow("encoder", "posterior"),
                Arrow("posterior", "generator (the VAE's decoder)"),
                Arrow("noise", "generator (the VAE's decoder)"),
                Arrow("generator (the VAE's decoder)", "fake"),
                Arrow("fake", "discriminator"),
                Arrow("real data", "discriminator"),
                Arrow("discriminator", "real or fake?"),
            ],
        )
