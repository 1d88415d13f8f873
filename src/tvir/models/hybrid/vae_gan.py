"""VAE/GAN: a VAE that reconstructs what a discriminator sees of an example."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

import torch
from annotated_types import Ge, Gt
from torch import Tensor, nn

from tvir.contracts.data import DataSpec
from tvir.contracts.diagram import Arrow, Box, Diagram, Role
from tvir.contracts.model import Adam, Batch, JudgesExamples, Losses, Phase, Player, Stage
from tvir.models.gan.duel import BETAS, Duel, DuelConfig
from tvir.models.hybrid.coding import CodesData, CodingConfig, squared_error
from tvir.models.vae.autoencoding import draw_latents
from tvir.networks.building import networks_for
from tvir.networks.normalisation import BatchNormalised, Normalisation
from tvir.objectives.divergences import normal_divergence


class VaeGan(CodesData, JudgesExamples):
    """Encoder, decoder and discriminator; the discriminator's features are what the decoder is to reconstruct.

    Each has a loss of its own (the paper's algorithm 1): the encoder the divergence and the reconstruction of features,
    the decoder gamma times that reconstruction and the game, the discriminator the game alone, in which decoded
    posteriors and decoded draws of the prior are both fakes.

    Args:
        spec: Images or vectors.
        config: The settings.

    Example:
        >>> from tvir.contracts.data import VectorSpec
        >>> vae_gan = VaeGan(VectorSpec(features=2), VaeGan.smallest())
        >>> vae_gan.reconstruct(vae_gan.sample(3)).shape
        torch.Size([3, 2])
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(CodingConfig, DuelConfig):
        """Settings of a VAE/GAN."""

        beta: Annotated[float, Ge(0)] = 1.0
        """Weight of the divergence from the prior."""
        gamma: Annotated[float, Gt(0)] = 0.1
        """Weight of the reconstruction beside the game, for the decoder."""
        normalisation: Normalisation = field(default_factory=BatchNormalised)
        """Layer before each activation of the decoder."""

    config: Config
    paper = "Larsen et al. 2016, Autoencoding beyond pixels using a learned similarity metric, arXiv 1512.09300"

    def __init__(self, spec: DataSpec, config: Config) -> None:
        super().__init__(spec, config)
        networks = networks_for(spec, config.width)
        self.discriminator = networks.discriminator(normalise_weights=config.regulariser.normalises_weights)

    @classmethod
    def smallest(cls) -> Config:
        return cls.Config(width=2, latent=2, batch_size=4)

    def judge(self, examples: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.discriminator(examples)

    def stages(self) -> Sequence[Stage]:
        config = self.config
        duel = Duel(self.discriminator, config, self.spec)
        encoder = self._player("encoder", self.encoder, config.encoder_learning_rate)
        decoder = self._player("decoder", self.decoder, config.decoder_learning_rate)

        def encoder_loss(batch: Batch) -> Losses:
            mean, log_variance = self.posterior(batch.data)
            latents = draw_latents(mean, log_variance, batch.noise.normal(config.latent))
            return {
                "reconstruction": self._feature_error(batch.data, self.decode(latents)),
                "divergence": config.beta * normal_divergence(mean, log_variance).mean(),
            }

        def decoder_loss(batch: Batch) -> Losses:
            reconstructions, draws = self._fakes(batch)
            adversarial = [duel.deceive(batch.data, fakes) for fakes in (reconstructions, draws)]
            return {
                "reconstruction": config.gamma * self._feature_error(batch.data, reconstructions),
                "adversarial": torch.stack(adversarial).mean(),
            }

        def sides(batch: Batch) -> tuple[Tensor, Tensor]:
            # Real examples stand twice against the two kinds of fakes, so that neither side outweighs the other.
            return torch.cat([batch.data, batch.data]), torch.cat(self._fakes(batch))

        phases = [
            Phase(name="encoder", player=encoder, loss=encoder_loss),
            Phase(name="decoder", player=decoder, loss=decoder_loss),
            duel.phase(sides),
        ]
        return [Stage(name="autoencoding", phases=phases)]

    def _fakes(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Decoded posteriors and decoded draws of the prior."""
        with torch.no_grad():
            mean, log_variance = self.posterior(batch.data)
            encoded = draw_latents(mean, log_variance, batch.noise.normal(self.config.latent))
        reconstructions, draws = self.decode(torch.cat([encoded, self.sample_prior(batch.noise)])).chunk(2)
        return reconstructions, draws

    def _feature_error(self, examples: Tensor, reconstructions: Tensor) -> Tensor:
        # Equation 7: a normal distribution with a variance of 1 over the discriminator's features.
        with torch.no_grad():
            aims = self.discriminator.trunk(examples)
        return squared_error(aims, self.discriminator.trunk(reconstructions)).mean()

    def _player(self, name: str, network: nn.Module, rate: float) -> Player:
        settings = Adam(learning_rate=rate, betas=BETAS, warmup_steps=50, final_share=0.1)
        return Player(name=name, parameters=list(network.parameters()), optimiser=settings)

    def diagram(self) -> Diagram:
        return Diagram(
            boxes=[
                Box(name="real data", role=Role.DATA),
                Box(name="encoder", role=Role.NETWORK, module=self.encoder),
                Box(name="posterior", role=Role.DISTRIBUTION),
                Box(name="noise", role=Role.NOISE),
                Box(name="decoder", role=Role.NETWORK, module=self.decoder),
                Box(name="fake", role=Role.SAMPLE),
                Box(name="discriminator", role=Role.NETWORK, module=self.discriminator),
                Box(name="same features?", role=Role.DECISION),
                Box(name="real or fake?", role=Role.DECISION),
            ],
            arrows=[
                Arrow("real data", "encoder"),
                Arrow("encoder", "posterior"),
                Arrow("posterior", "decoder"),
                Arrow("noise", "decoder"),
                Arrow("decoder", "fake"),
                Arrow("fake", "discriminator"),
                Arrow("real data", "discriminator"),
                Arrow("discriminator", "same features?"),
                Arrow("discriminator", "real or fake?"),
            ],
        )
