"""An autoencoder of images with a critic of patches, and a prior of its latents: two stages."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated

import torch
from annotated_types import Ge, Gt, Interval
from torch import Tensor, nn

from tvir.contracts.data import Examples, ImageSpec
from tvir.contracts.diagram import Arrow, Box, Diagram, Role
from tvir.contracts.errors import UsageError
from tvir.contracts.model import Adam, Batch, JudgesReconstructions, Losses, Phase, Player, SizedConfig, Stage
from tvir.contracts.noise import Noise
from tvir.models.gan.duel import BETAS, Duel, DuelConfig
from tvir.networks.normalisation import Normalisation, Unnormalised
from tvir.networks.spatial import SpatialDecoder, SpatialReader, coarsest_size
from tvir.objectives.adversarial import AdversarialLoss, Hinge
from tvir.objectives.balance import adaptive_weight


@dataclass(frozen=True, kw_only=True)
class FirstStageConfig(DuelConfig, SizedConfig):
    """Settings of every model that learns to compress images first, and what is likely of the compressed second."""

    batch_size: Annotated[int, Ge(1)] = 32
    """Examples per step, over all processes."""
    latent: Annotated[int, Ge(1)] = 4
    """Numbers in a latent for each of its places."""
    normalisation: Normalisation = field(default_factory=Unnormalised)
    """Layer before each activation of the decoder."""
    autoencoder_learning_rate: Annotated[float, Gt(0)] = 1e-3
    """Step size of encoder and decoder."""
    loss: AdversarialLoss = field(default_factory=Hinge)
    """What the players play for."""
    adversarial_weight: Annotated[float, Ge(0)] = 0.5
    """Strength of the game beside the reconstruction, measured where they meet: at the decoder's last layer."""
    adversarial_start: Annotated[float, Interval(ge=0.0, le=1.0)] = 0.3
    """Share of the first stage after which the game begins."""
    first_stage_share: Annotated[float, Interval(gt=0.0, lt=1.0)] = 0.4
    """Share of the budget given to the autoencoder; the prior has the rest."""
    prior_learning_rate: Annotated[float, Gt(0)] = 2e-3
    """Step size of the prior."""


@dataclass(frozen=True, kw_only=True)
class WrittenPriorConfig(FirstStageConfig):
    """Settings of a prior that writes latents place by place."""

    prior_width: Annotated[int, Ge(1)] = 64
    """Features of a position of the prior's transformer; a multiple of its heads."""
    prior_layers: Annotated[int, Ge(1)] = 3
    """Blocks of the prior's transformer."""
    prior_heads: Annotated[int, Ge(1)] = 4
    """Attentions side by side in each block."""
    prior_corruption: Annotated[float, Interval(ge=0.0, lt=1.0)] = 0.2
    """Share of what the prior reads that is replaced at random while it learns, lest it learn examples by heart."""

    def check_heads(self) -> None:
        """Notice settings that make no transformer.

        Raises:
            UsageError: The heads do not divide the width.
        """
        if self.prior_width % self.prior_heads:
            raise UsageError(
                f"{self.prior_heads} heads do not divide a width of {self.prior_width}; change --prior-width or "
                "--prior-heads"
            )

    def corrupted(self, sequence: Tensor, replacement: Tensor, noise: Noise) -> Tensor:
        """A sequence (N, places, ...) with some of its places replaced by those of another."""
        places = noise.uniform(sequence.shape[1]) < self.prior_corruption
        return torch.where(places.view(*places.shape, *[1] * (sequence.dim() - 2)), replacement, sequence)


class FirstStage(JudgesReconstructions, ABC):
    """Compresses images to latents that keep their place, then learns which latents are likely.

    The reconstruction is judged by its absolute error and by a critic of patches, whose weight is found at every step
    (Esser et al. 2021, arXiv 2012.09841, equation 7). No features of a network trained elsewhere take part: there is
    nothing to download, and nothing the model has seen but its data.

    Args:
        spec: Images.
        config: The settings.
        outputs: Numbers that the encoder gives for each place.

    Raises:
        UsageError: The critic's weights are to be normalised, which this one's cannot be.
    """

    specs = (ImageSpec,)

    def __init__(self, spec: ImageSpec, config: FirstStageConfig, outputs: int) -> None:
        super().__init__(spec, config)
        self._settings = config
        if config.regulariser.normalises_weights:
            raise UsageError("the critic of patches is not normalised by its spectrum; use --regulariser r1")
        self.size = coarsest_size(spec)
        self.encoder = SpatialReader(spec, config.width, outputs)
        self.decoder = SpatialDecoder(spec, config.width, config.latent, config.normalisation)
        self.discriminator = SpatialReader(spec, config.width, 1)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self._settings.latent, *self.size)

    def decode(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.spec.bounded(self.decoder(latents))

    def judge(self, examples: Tensor, condition: Tensor | None = None) -> Tensor:
        # Patches of an image are judged apart; their mean is what the loss would move.
        return self.discriminator(examples).flatten(1).mean(1)

    @abstractmethod
    def compress(self, batch: Batch) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Latents of a batch and what they cost, differentiable in the encoder, while the autoencoder learns."""

    @abstractmethod
    def draw_latents(self, batch: Batch) -> Tensor:
        """Latents of a batch, of which nothing is learned."""

    @property
    @abstractmethod
    def prior(self) -> nn.Module:
        """The network that learns which latents are likely."""

    @abstractmethod
    def prior_loss(self, batch: Batch) -> Losses:
        """What the prior minimises."""

    def prepare_prior(self, examples: Examples) -> None:
        """Look at the training split before the prior learns."""

    def stages(self) -> Sequence[Stage]:
        config = self._settings
        duel = Duel(self.discriminator, config, self.spec)

        def autoencoder_loss(batch: Batch) -> Losses:
            latents, costs = self.compress(batch)
            reconstructions = self.decode(latents)
            losses = {"reconstruction": (batch.data - reconstructions).abs().mean(), **costs}
            if self._plays(batch):
                adversarial = duel.deceive(batch.data, reconstructions)
                weight = adaptive_weight(losses["reconstruction"], adversarial, self.decoder.last_layer)
                losses["adversarial"] = config.adversarial_weight * weight * adversarial
            return losses

        def sides(batch: Batch) -> tuple[Tensor, Tensor] | None:
            return (batch.data, self.decode(self.draw_latents(batch))) if self._plays(batch) else None

        autoencoder = Player(
            name="autoencoder",
            parameters=[*self.encoder.parameters(), *self.decoder.parameters()],
            optimiser=Adam(
                learning_rate=config.autoencoder_learning_rate, betas=BETAS, warmup_steps=50, final_share=0.1
            ),
        )
        prior = Player(
            name="prior",
            parameters=list(self.prior.parameters()),
            optimiser=Adam(learning_rate=config.prior_learning_rate, warmup_steps=100, final_share=0.05),
        )
        share = config.first_stage_share
        compression = [Phase(name="autoencoder", player=autoencoder, loss=autoencoder_loss), duel.phase(sides)]
        return [
            Stage(name="compression", share=share, phases=compression),
            Stage(
                name="prior",
                share=1 - share,
                phases=[Phase(name="prior", player=prior, loss=self.prior_loss)],
                prepare=self.prepare_prior,
            ),
        ]

    def _plays(self, batch: Batch) -> bool:
        return self._settings.adversarial_weight > 0 and batch.progress >= self._settings.adversarial_start

    def diagram(self) -> Diagram:
        return Diagram(
            boxes=[
                Box(name="real data", role=Role.DATA),
                Box(name="encoder", role=Role.NETWORK, module=self.encoder),
                Box(name="latent", role=Role.DISTRIBUTION),
                Box(name="noise", role=Role.NOISE),
                Box(name="prior", role=Role.NETWORK, module=self.prior),
                Box(name="decoder", role=Role.NETWORK, module=self.decoder),
                Box(name="reconstruction", role=Role.SAMPLE),
                Box(name="discriminator of patches", role=Role.NETWORK, module=self.discriminator),
                Box(name="real or reconstructed?", role=Role.DECISION),
            ],
            arrows=[
                Arrow("real data", "encoder"),
                Arrow("encoder", "latent"),
                Arrow("noise", "prior"),
                Arrow("prior", "latent"),
                Arrow("latent", "decoder"),
                Arrow("decoder", "reconstruction"),
                Arrow("reconstruction", "discriminator of patches"),
                Arrow("real data", "discriminator of patches"),
                Arrow("discriminator of patches", "real or reconstructed?"),
            ],
        )


def as_sequence(latents: Tensor) -> Tensor:
    """Latents (N, channels, height, width) row by row, (N, height * width, channels)."""
    return latents.flatten(2).transpose(1, 2)


def as_places(sequence: Tensor, size: tuple[int, int]) -> Tensor:
    """What ``as_sequence`` was made from."""
    return sequence.transpose(1, 2).unflatten(2, size)
