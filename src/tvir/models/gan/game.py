"""The game between a generator and a critic, for every model that plays it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from annotated_types import Ge, Gt, Interval
from torch import Tensor, nn

from tvir.contracts.data import DataSpec, VectorSpec
from tvir.contracts.errors import UsageError
from tvir.contracts.model import Adam, Batch, Losses, Phase, Player, SizedConfig
from tvir.contracts.ranges import Logarithmic
from tvir.models.gan.augmenting import Augmenter
from tvir.models.gan.duel import BETAS, Duel, DuelConfig, SharedFakes
from tvir.models.gan.steadying import Steadier
from tvir.networks.building import Architecture, Residual
from tvir.networks.normalisation import BatchNormalised, Normalisation
from tvir.objectives.adversarial import AdversarialLoss, RelativisticPaired
from tvir.objectives.augmentation import Augmentation, AutomaticAugmentation
from tvir.objectives.logit_penalties import LogitRegulariser, Unsteadied
from tvir.objectives.penalties import Automatic, Critic, Regulariser


@dataclass(frozen=True, kw_only=True)
class GameConfig(DuelConfig, SizedConfig):
    """Settings of every model that plays the game."""

    batch_size: Annotated[int, Ge(1)] = 32
    """Examples per step, over all processes."""
    latent: Annotated[int, Ge(1)] = 32
    """Numbers in a latent."""
    critic_width_share: Annotated[float, Interval(gt=0.0, le=1.0)] = 1.0
    """Width of the critic as a share of the generator's: 0.25 is the weak critic that unrolled GANs were tried on
    (arXiv 1611.02163)."""
    network: Architecture = field(default_factory=Residual)
    """Networks of both players for images."""
    loss: AdversarialLoss = field(default_factory=RelativisticPaired)
    """What the players play for."""
    regulariser: Regulariser = field(default_factory=Automatic)
    """What keeps the critic smooth."""
    logit_regulariser: LogitRegulariser = field(default_factory=Unsteadied)
    """What keeps the critic's logits steady, beside the regulariser."""
    augmentation: Augmentation = field(default_factory=AutomaticAugmentation)
    """What the critic sees images through, lest it learn few of them by heart."""
    normalisation: Normalisation = field(default_factory=BatchNormalised)
    """Layer before each activation of the generator."""
    generator_learning_rate: Annotated[float, Gt(0), Logarithmic(5e-4, 5e-3)] = 2e-3
    """Step size of the generator."""
    generator_warmup: Annotated[int, Ge(0)] = 200
    """Steps over which the generator's step size grows from 0: it waits until the critic has something to say."""
    critic_steps: Annotated[int, Ge(1)] = 1
    """Steps of the critic for each of the generator."""
    pack: Annotated[int, Ge(1)] = 1
    """Examples that the critic sees side by side and judges together; divides the batch (PacGAN, arXiv 1712.04086)."""

    def __post_init__(self) -> None:
        _require_whole_packs(self.batch_size, self.pack)

    @property
    def critic_width(self) -> int:
        """The size dial of the critic."""
        return max(1, round(self.critic_width_share * self.width))


def settings_for_game(spec: DataSpec) -> dict[str, Any]:
    """What lets a game on vectors find all of their modes, as measured on toys (docs/results/toys.md).

    A batch must show most modes at once, a latent larger than the data only folds, and batch normalisation lets the
    generator see its batch instead of its latents.
    """
    if not isinstance(spec, VectorSpec):
        return {}
    return {"batch_size": 256, "latent": min(32, spec.features), "normalisation": "none"}


def _require_whole_packs(examples: int, pack: int) -> None:
    if examples % max(1, pack):
        raise UsageError(
            f"packs of {pack} do not divide a batch of {examples} (on every process); choose --pack and --batch-size "
            "so that they do"
        )


def whole_packs(examples: Tensor, pack: int) -> Tensor:
    """Neighbours joined along their first dimension, (N // pack, ...); those that fill no pack are left out."""
    if pack == 1:
        return examples
    return examples[: len(examples) // pack * pack].unflatten(0, (-1, pack)).flatten(1, 2)


class Game:
    """The phases of two players.

    Both players see the same fakes where both move in a step.

    Args:
        generate: From a batch to fakes, differentiable in the generator's parameters.
        generator: Network of the first player.
        critic: Network of the second player, giving logits (N, 1) of packs of examples.
        config: The settings.
        spec: What is played about.
        augmenter: What the critic sees examples through.
        steadier: What its logits are held to.
        view: The critic as it looks at a batch, where it sees more than the examples; by default the critic itself.
    """

    def __init__(
        self,
        generate: Callable[[Batch], Tensor],
        generator: nn.Module,
        critic: nn.Module,
        config: GameConfig,
        spec: DataSpec,
        augmenter: Augmenter,
        steadier: Steadier,
        view: Callable[[Batch], Critic] | None = None,
    ) -> None:
        self.fakes = SharedFakes(generate)
        self.config = config
        self.augmenter, self.steadier = augmenter, steadier
        self.duel = Duel(critic, config, spec)
        self.view = view or (lambda batch: critic)
        self.generator_player = Player(
            name="generator",
            parameters=list(generator.parameters()),
            optimiser=Adam(
                learning_rate=config.generator_learning_rate,
                betas=BETAS,
                warmup_steps=config.generator_warmup,
                final_share=0.1,
            ),
        )

    def phases(self) -> Sequence[Phase]:
        """The generator's move, then the critic's."""
        return [
            Phase(
                name="generator", player=self.generator_player, loss=self.generator_loss, every=self.config.critic_steps
            ),
            Phase(name="critic", player=self.duel.player, loss=self.critic_loss),
        ]

    def generator_loss(self, batch: Batch) -> Losses:
        """The generator's move: to be taken for real."""
        return self.deceive(batch, self.make(batch))

    def make(self, batch: Batch) -> Tensor:
        """Fakes for the generator's move, with their gradient; the critic will be given the same."""
        return self.fakes.make(batch)

    def deceive(self, batch: Batch, fakes: Tensor) -> Losses:
        """What falls as the critic takes the fakes for real."""
        real, made = self._shown(batch.data, batch), self._shown(fakes, batch)
        return {"adversarial": self.duel.deceive(real, made, self.view(batch))}

    def critic_loss(self, batch: Batch) -> Losses:
        """The critic's move: to tell real from fake, without a steep slope."""
        fakes = self.fakes.for_critic(batch)
        real, made = self._shown(batch.data, batch), self._shown(fakes, batch)

        def watch(critic: Critic, inputs: Tensor, logits: Tensor) -> Losses:
            self.augmenter.watch(*logits.detach().chunk(2), relative=self.config.loss.compares_with_real)
            return self.steadier(critic, inputs, logits, batch.noise)

        return self.duel.judge(real, made, batch, self.view(batch), watch)

    def _shown(self, examples: Tensor, batch: Batch) -> Tensor:
        """What the critic sees of examples: changed, then joined to packs."""
        pack = self.config.pack
        _require_whole_packs(len(examples), pack)
        return whole_packs(self.augmenter(examples, batch.noise), pack)
