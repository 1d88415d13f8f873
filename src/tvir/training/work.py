"""A stage at work: an optimiser for each player, and averaged weights."""

from __future__ import annotations

from torch import Tensor, nn

from tvir.contracts.model import Phase, Player, Stage
from tvir.training.averaging import Averaging
from tvir.training.moves import Move
from tvir.training.optimiser import FusedAdam, learning_rate


class StageWork:
    """What learning a stage needs besides the model; made afresh when the stage begins.

    Args:
        model: The model.
        stage: The stage.
        half_life: Of the averaged weights, in examples.

    Raises:
        ValueError: The model's stages are not what the contract says.
    """

    def __init__(self, model: nn.Module, stage: Stage, half_life: float) -> None:
        self._names = {parameter: name for name, parameter in model.named_parameters()}
        self.optimisers: dict[str, FusedAdam] = {}
        players: dict[str, Player] = {}
        for phase in stage.phases:
            player = phase.player
            if players.setdefault(player.name, player) is not player:
                raise ValueError(f"stage {stage.name!r} has two players called {player.name!r}")
            if player.name not in self.optimisers:
                self.optimisers[player.name] = FusedAdam(self._learnable(player), player.optimiser)
        learnt = {parameter: None for used in self.optimisers.values() for parameter in used.parameters}
        self.averaging = Averaging(list(learnt), half_life)

    def parameters(self, phase: Phase) -> list[nn.Parameter]:
        """What a phase's loss is differentiated with respect to."""
        return self.optimisers[phase.player.name].parameters

    def rate(self, phase: Phase, step: int, progress: float, scale: float) -> float:
        """The learning rate of a phase's player."""
        return scale * learning_rate(phase.player.optimiser, step, progress)

    def apply(self, phase: Phase, move: Move, rate: float) -> None:
        """Make a move."""
        self.optimisers[phase.player.name].step(move.gradients, rate)

    def optimiser_tensors(self) -> dict[str, Tensor]:
        """The state of all optimisers, ``player/parameter/moment``."""
        return {
            f"{player}/{name}": tensor
            for player, optimiser in self.optimisers.items()
            for name, tensor in optimiser.tensors(self._names).items()
        }

    def _learnable(self, player: Player) -> list[nn.Parameter]:
        found = [parameter for parameter in player.parameters if parameter.requires_grad]
        if not found:
            raise ValueError(f"player {player.name!r} has no parameters to learn")
        if any(parameter not in self._names for parameter in found):
            raise ValueError(f"player {player.name!r} has parameters that are not the model's; they would not be saved")
        return found
