"""Bidirectional GAN: the critic judges examples together with their latents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

import torch
import torch.nn.functional as F
from annotated_types import Ge
from torch import Tensor, nn

from tvir.contracts.data import DataSpec
from tvir.contracts.diagram import Arrow, Box, Diagram, Role
from tvir.contracts.errors import UsageError
from tvir.contracts.model import Adam, Batch, JudgesExamples, Losses, Phase, Player, Stage
from tvir.models.gan.duel import BETAS, Duel, DuelConfig
from tvir.models.hybrid.coding import CodesData, CodingConfig
from tvir.networks.building import networks_for
from tvir.networks.mlp import SLOPE, scaled
from tvir.networks.normalisation import BatchNormalised, Normalisation
from tvir.objectives.adversarial import AdversarialLoss, LeastSquares, RelativisticPaired
from tvir.objectives.penalties import Automatic, Regulariser


class PairCritic(nn.Module):
    """Reads an example and a latent, laid side by side in one row, to one logit.

    Args:
        spec: What an example is.
        latent: Numbers in a latent.
        width: The size dial.
    """

    def __init__(self, spec: DataSpec, latent: int, width: int) -> None:
        super().__init__()
        self.spec = spec
        self.latent = latent
        self.trunk = networks_for(spec, width).trunk()
        hidden = 4 * width
        self.of_latent = scaled(nn.Linear(latent, hidden))
        self.joint = scaled(nn.Linear(self.trunk.features + hidden, hidden))
        self.head = scaled(nn.Linear(hidden, 1))

    def forward(self, rows: Tensor) -> Tensor:
        examples, latents = rows.split([rows.shape[1] - self.latent, self.latent], 1)
        read = self.trunk(examples.reshape(-1, *self.spec.shape))
        known = F.leaky_relu(self.of_latent(latents), SLOPE)
        return self.head(F.leaky_relu(self.joint(torch.cat([read, known], 1)), SLOPE))


class Bigan(CodesData, JudgesExamples):
    """A generator and an encoder who together deceive a critic of pairs.

    The critic tells (x, E(x)) from (G(z), z). Where it cannot, the encoder inverts the generator, although neither
    ever sees a reconstruction.

    Args:
        spec: Images or vectors.
        config: The settings.

    Raises:
        UsageError: The loss does not say what it is to take the real for fake.

    Example:
        >>> from tvir.contracts.data import VectorSpec
        >>> bigan = Bigan(VectorSpec(features=2), Bigan.smallest())
        >>> bigan.reconstruct(bigan.sample(3)).shape
        torch.Size([3, 2])
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(CodingConfig, DuelConfig):
        """Settings of a BiGAN."""

        loss: AdversarialLoss = field(default_factory=RelativisticPaired)
        """What the players play for."""
        regulariser: Regulariser = field(default_factory=Automatic)
        """What keeps the critic smooth."""
        normalisation: Normalisation = field(default_factory=BatchNormalised)
        """Layer before each activation of the generator."""
        generator_warmup: Annotated[int, Ge(0)] = 200
        """Steps over which generator and encoder begin to move: they wait until the critic has something to say."""

    config: Config
    paper = (
        "Donahue et al. 2016, Adversarial Feature Learning, arXiv 1605.09782; "
        "Dumoulin et al. 2016, Adversarially Learned Inference, arXiv 1606.00704"
    )
    is_certain = True

    def __init__(self, spec: DataSpec, config: Config) -> None:
        super().__init__(spec, config)
        if isinstance(config.loss, LeastSquares):
            raise UsageError("least-squares aims at 0 and 1, which are no mirror images; use another --loss for bigan")
        if config.regulariser.normalises_weights:
            raise UsageError("the critic of pairs is not normalised by its spectrum; use --regulariser r1")
        self.discriminator = PairCritic(spec, config.latent, config.width)

    @classmethod
    def smallest(cls) -> Config:
        return cls.Config(width=2, latent=2, batch_size=4)

    def judge(self, examples: Tensor, condition: Tensor | None = None) -> Tensor:
        # Samples, too, get the latent they are encoded to: close to the one they were made from once it plays well.
        return self.discriminator(_pairs(examples, self.encoder(examples)))

    def stages(self) -> Sequence[Stage]:
        config = self.config
        duel = Duel(self.discriminator, config, self.spec)
        players = [
            Player(
                name=name,
                parameters=list(network.parameters()),
                optimiser=Adam(learning_rate=rate, betas=BETAS, warmup_steps=config.generator_warmup, final_share=0.1),
            )
            for name, network, rate in (
                ("generator", self.decoder, config.decoder_learning_rate),
                ("encoder", self.encoder, config.encoder_learning_rate),
            )
        ]

        def generator_loss(batch: Batch) -> Losses:
            return {"adversarial": duel.deceive(self._encoded(batch), self._generated(batch))}

        def encoder_loss(batch: Batch) -> Losses:
            # The encoder is the generator of the mirrored game, in which what is encoded is to be taken for generated.
            encoded = self.discriminator(self._encoded(batch)).float()
            with torch.no_grad():
                generated = self.discriminator(self._generated(batch)).float()
            return {"adversarial": duel.loss.generator(-generated, -encoded)}

        phases = [
            Phase(name=player.name, player=player, loss=loss)
            for player, loss in zip(players, (generator_loss, encoder_loss), strict=True)
        ]
        critic = duel.phase(lambda batch: (self._encoded(batch), self._generated(batch)))
        return [Stage(name="adversarial", phases=[*phases, critic])]

    def _encoded(self, batch: Batch) -> Tensor:
        return _pairs(batch.data, self.encoder(batch.data))

    def _generated(self, batch: Batch) -> Tensor:
        latents = self.sample_prior(batch.noise)
        return _pairs(self.decode(latents), latents)

    def diagram(self) -> Diagram:
        return Diagram(
            boxes=[
                Box(name="real data", role=Role.DATA),
                Box(name="encoder", role=Role.NETWORK, module=self.encoder),
                Box(name="latent of the real", role=Role.SAMPLE),
                Box(name="noise", role=Role.NOISE),
                Box(name="generator", role=Role.NETWORK, module=self.decoder),
                Box(name="fake", role=Role.SAMPLE),
                Box(name="discriminator of pairs", role=Role.NETWORK, module=self.discriminator),
                Box(name="encoded or generated?", role=Role.DECISION),
            ],
            arrows=[
                Arrow("real data", "encoder"),
                Arrow("encoder", "latent of the real"),
                Arrow("noise", "generator"),
                Arrow("generator", "fake"),
                Arrow("real data", "discriminator of pairs"),
                Arrow("latent of the real", "discriminator of pairs"),
                Arrow("fake", "discriminator of pairs"),
                Arrow("noise", "discriminator of pairs"),
                Arrow("discriminator of pairs", "encoded or generated?"),
            ],
        )


def _pairs(examples: Tensor, latents: Tensor) -> Tensor:
    return torch.cat([examples.flatten(1).float(), latents.float()], 1)
