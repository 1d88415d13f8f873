"""One critic between what is real and what is made, wherever both come from: data, latents, or pairs of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

import torch
from annotated_types import Gt
from torch import Tensor, nn

from tvir.contracts.data import DataSpec
from tvir.contracts.model import Adam, Batch, Losses, ModelConfig, Phase, Player
from tvir.contracts.ranges import Logarithmic
from tvir.objectives.adversarial import AdversarialLoss, NonSaturating
from tvir.objectives.penalties import R1, Critic, Regulariser, squared_slopes, watched

BETAS = (0.5, 0.99)
"""Decay of Adam's moments for players who learn against each other."""


@dataclass(frozen=True, kw_only=True)
class DuelConfig(ModelConfig):
    """Settings of every model whose critic judges something of its own."""

    loss: AdversarialLoss = field(default_factory=NonSaturating)
    """What the players play for."""
    regulariser: Regulariser = field(default_factory=R1)
    """What keeps the critic smooth."""
    critic_learning_rate: Annotated[float, Gt(0), Logarithmic(3e-4, 3e-3)] = 1e-3
    """Step size of the critic."""


class SharedFakes:
    """Fakes that the generator's move has made, for the critic's move of the same step.

    That spares a pass through the generator. Nothing is kept from one step to the next.

    Args:
        generate: From a batch to fakes, differentiable in the generator's parameters.
    """

    def __init__(self, generate: Callable[[Batch], Tensor]) -> None:
        self.generate = generate
        self._made: tuple[int, Tensor] | None = None

    def make(self, batch: Batch) -> Tensor:
        """Fakes for the generator's move, with their gradient."""
        fakes = self.generate(batch)
        self._made = (batch.step, fakes.detach())
        return fakes

    def for_critic(self, batch: Batch) -> Tensor:
        """The same without a gradient; new ones where the generator has not moved in this step."""
        made, self._made = self._made, None
        if made and made[0] == batch.step and len(made[1]) == len(batch.data):
            return made[1]
        with torch.no_grad():
            return self.generate(batch)


class Duel:
    """What a critic and whoever deceives it minimise.

    ``deceive`` and ``judge`` look through the critic itself unless another view is given: that of the critic with the
    labels of a batch.

    Args:
        critic: From inputs (N, ...) to logits (N, any).
        config: The settings.
        spec: What the inputs are, for penalties that suit the data.
    """

    def __init__(self, critic: nn.Module, config: DuelConfig, spec: DataSpec) -> None:
        self.critic = critic
        self.loss = config.loss
        self.regulariser = config.regulariser.suited_to(spec)
        self.player = Player(
            name="critic",
            parameters=list(critic.parameters()),
            optimiser=Adam(learning_rate=config.critic_learning_rate, betas=BETAS, final_share=0.1),
        )

    def phase(self, sides: Callable[[Batch], tuple[Tensor, Tensor] | None]) -> Phase:
        """The critic's move.

        Args:
            sides: From a batch to real and made inputs, neither with a gradient; None where the critic rests.
        """

        def loss(batch: Batch) -> Losses:
            with torch.no_grad():
                judged = sides(batch)
            return {} if judged is None else self.judge(*judged, batch)

        return Phase(name="critic", player=self.player, loss=loss)

    def deceive(self, real: Tensor, made: Tensor, view: Critic | None = None) -> Tensor:
        """What falls as the critic takes the made for real."""
        critic = view or self.critic
        self.regulariser.constrain(self.player.parameters)
        real_logits = torch.empty(0)
        if self.loss.compares_with_real:
            with torch.no_grad():
                real_logits = critic(real).float()
        return self.loss.generator(real_logits, critic(made).float())

    def judge(
        self,
        real: Tensor,
        made: Tensor,
        batch: Batch,
        view: Critic | None = None,
        watch: Callable[[Critic, Tensor, Tensor], Losses] | None = None,
    ) -> Losses:
        """What the critic minimises. It sees both sides at once: the real rows, then the made ones.

        ``watch`` is told the critic, what it has seen and its logits; the losses that it names are added.

        There may be several rows on each side for every example of the batch, example by example within each part.
        """
        critic, regulariser = view or self.critic, self.regulariser
        regulariser.constrain(self.player.parameters)
        is_due, strength = regulariser.is_due(batch.step), regulariser.strength(batch.progress)
        watches = regulariser.watches_inputs and is_due
        both = torch.cat([real, made.to(real.dtype)])
        inputs = watched(both) if watches else both
        logits = critic(inputs).float()
        losses = {"adversarial": self.loss.critic(*logits.chunk(2))}
        if watch:
            losses |= watch(critic, both, logits)
        if watches:
            losses["penalty"] = strength * regulariser.of_inputs(*squared_slopes(logits, inputs).chunk(2))
        if regulariser.interpolates and is_due:
            parts = zip(real.split(batch.noise.count), made.to(real.dtype).split(batch.noise.count), strict=True)
            penalties = [regulariser.between(critic, *part, batch.noise) for part in parts]
            losses["penalty"] = strength * torch.stack(penalties).mean()
        return losses
