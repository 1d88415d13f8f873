"""An autoencoder against a critic of its latents, for every hybrid that holds its latents to the prior by a game."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import Ge
from torch import Tensor

from tvir.contracts.data import DataSpec, VectorSpec
from tvir.contracts.diagram import Arrow, Box, Diagram, Role
from tvir.contracts.model import Adam, Batch, Losses, Phase, Player, Stage
from tvir.models.gan.duel import Duel, DuelConfig
from tvir.models.hybrid.coding import CodesData, CodingConfig, squared_error
from tvir.networks.building import networks_for
from tvir.objectives.penalties import R1, Regulariser


@dataclass(frozen=True, kw_only=True)
class LatentGameConfig(CodingConfig, DuelConfig):
    """Settings of every autoencoder that plays against a critic of its latents."""

    latent: Annotated[int, Ge(1)] = 8
    """Numbers in a latent."""
    regulariser: Regulariser = field(default_factory=lambda: R1(weight=0.1))
    """What keeps the critic smooth."""
    adversarial_weight: Annotated[float, Ge(0)] = 10.0
    """Weight of the game beside the squared error of the reconstruction; called lambda where the game is a penalty."""


class LatentGame(CodesData, ABC):
    """An autoencoder whose latents a critic cannot tell from draws of the prior.

    The critic sees latents only, so the prior may be anything that can be drawn from, and no divergence needs a
    closed form.

    Args:
        spec: Images or vectors.
        config: The settings.
    """

    def __init__(self, spec: DataSpec, config: LatentGameConfig) -> None:
        super().__init__(spec, config)
        self._settings = config
        self._latents = VectorSpec(features=config.latent)
        networks = networks_for(self._latents, config.width)
        self.critic = networks.discriminator(normalise_weights=config.regulariser.normalises_weights)

    @abstractmethod
    def draw_posterior(self, batch: Batch) -> Tensor:
        """One latent for each example, (N, latent), differentiable in the encoder."""

    def stages(self) -> Sequence[Stage]:
        config = self._settings
        duel = Duel(self.critic, config, self._latents)

        def reconstruct(batch: Batch) -> Losses:
            latents = self.draw_posterior(batch)
            prior = self.sample_prior(batch.noise)
            return {
                "reconstruction": squared_error(batch.data, self.decode(latents)).mean(),
                "adversarial": config.adversarial_weight * duel.deceive(prior, latents),
            }

        player = Player(
            name="autoencoder",
            parameters=[*self.encoder.parameters(), *self.decoder.parameters()],
            optimiser=Adam(learning_rate=config.encoder_learning_rate, warmup_steps=50, final_share=0.1),
        )
        autoencoder = Phase(name="autoencoder", player=player, loss=reconstruct)
        critic = duel.phase(lambda batch: (self.sample_prior(batch.noise), self.draw_posterior(batch)))
        return [Stage(name="autoencoding", phases=[autoencoder, critic])]

    def diagram(self) -> Diagram:
        return Diagram(
            boxes=[
                Box(name="data", role=Role.DATA),
                Box(name="encoder", role=Role.NETWORK, module=self.encoder),
                Box(name="latent", role=Role.SAMPLE),
                Box(name="decoder", role=Role.NETWORK, module=self.decoder),
                Box(name="reconstruction", role=Role.SAMPLE),
                Box(name="prior", role=Role.NOISE),
                Box(name="critic of latents", role=Role.NETWORK, module=self.critic),
                Box(name="prior or encoded?", role=Role.DECISION),
            ],
            arrows=[
                Arrow("data", "encoder"),
                Arrow("encoder", "latent"),
                Arrow("latent", "decoder"),
                Arrow("decoder", "reconstruction"),
                Arrow("latent", "critic of latents"),
                Arrow("prior", "critic of latents"),
                Arrow("critic of latents", "prior or encoded?"),
            ],
        )
