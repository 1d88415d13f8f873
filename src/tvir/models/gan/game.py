"""The game between a generator and a critic, for every model that plays it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated

import torch
from annotated_types import Ge, Gt
from torch import Tensor, nn

from tvir.contracts.data import DataSpec
from tvir.contracts.errors import UsageError
from tvir.contracts.model import Adam, Batch, Losses, ModelConfig, Phase, Player
from tvir.contracts.noise import Noise
from tvir.networks.building import Architecture, Residual
from tvir.networks.normalisation import BatchNormalised, Normalisation
from tvir.objectives.adversarial import AdversarialLoss, RelativisticPaired
from tvir.objectives.penalties import Automatic, Regulariser, squared_slopes, watched


@dataclass(frozen=True, kw_only=True)
class GameConfig(ModelConfig):
    """Settings of every model that plays the game."""

    batch_size: Annotated[int, Ge(1)] = 32
    """Examples per step, over all processes."""
    width: Annotated[int, Ge(1)] = 32
    """Size of the networks: channels of features 16 pixels wide, a quarter of the hidden units of perceptrons."""
    latent: Annotated[int, Ge(1)] = 32
    """Numbers in a latent."""
    network: Architecture = field(default_factory=Residual)
    """Networks of both players for images."""
    loss: AdversarialLoss = field(default_factory=RelativisticPaired)
    """What the players play for."""
    regulariser: Regulariser = field(default_factory=Automatic)
    """What keeps the critic smooth."""
    normalisation: Normalisation = field(default_factory=BatchNormalised)
    """Layer before each activation of the generator."""
    generator_learning_rate: Annotated[float, Gt(0)] = 2e-3
    """Step size of the generator."""
    generator_warmup: Annotated[int, Ge(0)] = 200
    """Steps over which the generator's step size grows from 0: it waits until the critic has something to say."""
    critic_learning_rate: Annotated[float, Gt(0)] = 1e-3
    """Step size of the critic."""
    critic_steps: Annotated[int, Ge(1)] = 1
    """Steps of the critic for each of the generator."""
    pack: Annotated[int, Ge(1)] = 1
    """Examples that the critic sees side by side and judges together; divides the batch (PacGAN, arXiv 1712.04086)."""

    def __post_init__(self) -> None:
        _require_whole_packs(self.batch_size, self.pack)


def _require_whole_packs(examples: int, pack: int) -> None:
    if examples % max(1, pack):
        raise UsageError(
            f"packs of {pack} do not divide a batch of {examples} (on every process); choose --pack and --batch-size "
            "so that they do"
        )


class Game:
    """The phases of two players.

    Both players see the same fakes where both move in a step: the critic is given those that the generator made,
    which spares a pass through the generator. Nothing is kept from one step to the next.

    Args:
        generate: From noise to fakes, differentiable in the generator's parameters.
        generator: Network of the first player.
        critic: Network of the second player, giving logits (N, 1) of packs of examples.
        config: The settings.
        spec: What is played about.
    """

    def __init__(
        self,
        generate: Callable[[Noise], Tensor],
        generator: nn.Module,
        critic: nn.Module,
        config: GameConfig,
        spec: DataSpec,
    ) -> None:
        self.generate = generate
        self.critic = critic
        self.config = config
        self.regulariser = config.regulariser.suited_to(spec)
        betas = (0.5, 0.99)
        self.generator_player = Player(
            name="generator",
            parameters=list(generator.parameters()),
            optimiser=Adam(
                learning_rate=config.generator_learning_rate,
                betas=betas,
                warmup_steps=config.generator_warmup,
                final_share=0.1,
            ),
        )
        self.critic_player = Player(
            name="critic",
            parameters=list(critic.parameters()),
            optimiser=Adam(learning_rate=config.critic_learning_rate, betas=betas, final_share=0.1),
        )
        self._made: tuple[int, Tensor] | None = None

    def phases(self) -> Sequence[Phase]:
        """The generator's move, then the critic's."""
        return [
            Phase(
                name="generator", player=self.generator_player, loss=self.generator_loss, every=self.config.critic_steps
            ),
            Phase(name="critic", player=self.critic_player, loss=self.critic_loss),
        ]

    def generator_loss(self, batch: Batch) -> Losses:
        """The generator's move: to be taken for real."""
        loss = self.config.loss
        self.regulariser.constrain(self.critic_player.parameters)
        fakes = self.generate(batch.noise)
        self._made = (batch.step, fakes.detach())
        fake_logits = self.critic(self._packed(fakes)).float()
        real_logits = torch.empty(0)
        if loss.compares_with_real:
            with torch.no_grad():
                real_logits = self.critic(self._packed(batch.data)).float()
        return {"adversarial": loss.generator(real_logits, fake_logits)}

    def critic_loss(self, batch: Batch) -> Losses:
        """The critic's move: to tell real from fake, without a steep slope."""
        regulariser = self.regulariser
        regulariser.constrain(self.critic_player.parameters)
        fakes = self._fakes(batch)
        is_due, strength = regulariser.is_due(batch.step), regulariser.strength(batch.progress)
        watches = regulariser.watches_inputs and is_due
        examples = torch.cat([self._packed(batch.data), self._packed(fakes.to(batch.data.dtype))])
        inputs = watched(examples) if watches else examples
        logits = self.critic(inputs).float()
        real_logits, fake_logits = logits.chunk(2)
        losses = {"adversarial": self.config.loss.critic(real_logits, fake_logits)}
        if watches:
            real_slopes, fake_slopes = squared_slopes(logits, inputs).chunk(2)
            losses["penalty"] = strength * regulariser.of_inputs(real_slopes, fake_slopes)
        if regulariser.interpolates and is_due:
            real, fake = examples.chunk(2)
            losses["penalty"] = strength * regulariser.between(self.critic, real, fake, batch.noise)
        return losses

    def _packed(self, examples: Tensor) -> Tensor:
        """Neighbours joined along their first dimension: channels of images, features of vectors."""
        pack = self.config.pack
        if pack == 1:
            return examples
        _require_whole_packs(len(examples), pack)
        return examples.unflatten(0, (-1, pack)).flatten(1, 2)

    def _fakes(self, batch: Batch) -> Tensor:
        made, self._made = self._made, None
        if made and made[0] == batch.step and len(made[1]) == len(batch.data):
            return made[1]
        with torch.no_grad():
            return self.generate(batch.noise)
