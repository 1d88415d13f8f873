"""Adam in one fused kernel for each player."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from tvir.contracts.model import Adam

_EPSILON = 1e-8


class FusedAdam:
    """Adam with decoupled weight decay (Kingma and Ba 2015, arXiv 1412.6980; Loshchilov and Hutter, 1711.05101).

    The same kernel as ``torch.optim.AdamW(fused=True)``, called directly: constructing an optimiser of torch.optim
    imports its compiler, which takes over a second and 70 MB, and its ``step`` walks over the parameters in Python.

    Args:
        parameters: What is optimised, float32.
        settings: How.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], settings: Adam) -> None:
        self.parameters = list(parameters)
        self.settings = settings
        self.first_moments = [torch.zeros_like(parameter) for parameter in self.parameters]
        self.second_moments = [torch.zeros_like(parameter) for parameter in self.parameters]
        self.steps = torch.zeros((), dtype=torch.float32, device=self.parameters[0].device)

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor], learning_rate: float) -> None:
        """Move the parameters.

        Args:
            gradients: One for every parameter, laid out in memory like it (see ``laid_out_like``).
            learning_rate: Step size.
        """
        self.steps += 1
        torch._fused_adamw_(  # pyright: ignore[reportPrivateImportUsage]
            list[Tensor](self.parameters),
            list(gradients),
            self.first_moments,
            self.second_moments,
            [],
            [self.steps] * len(self.parameters),
            lr=learning_rate,
            beta1=self.settings.betas[0],
            beta2=self.settings.betas[1],
            weight_decay=self.settings.weight_decay,
            eps=_EPSILON,
            amsgrad=False,
            maximize=False,
        )

    def tensors(self, names: Mapping[nn.Parameter, str]) -> dict[str, Tensor]:
        """The state, by the names of the parameters."""
        state = {"steps": self.steps}
        for parameter, first, second in zip(self.parameters, self.first_moments, self.second_moments, strict=True):
            state[f"{names[parameter]}/first_moment"] = first
            state[f"{names[parameter]}/second_moment"] = second
        return state


def learning_rate(settings: Adam, step: int, progress: float) -> float:
    """The step size after a linear warm-up, along a cosine to its final share (arXiv 1608.03983, equation 5).

    Args:
        settings: Of the player.
        step: Steps taken since the stage began.
        progress: Share of the stage's budget that is spent, 0 to 1.

    Example:
        >>> settings = Adam(learning_rate=1.0, warmup_steps=4, final_share=0.1)
        >>> learning_rate(settings, 0, 0.0), round(learning_rate(settings, 9, 1.0), 6)
        (0.25, 0.1)
    """
    warmup = min(1.0, (step + 1) / settings.warmup_steps) if settings.warmup_steps else 1.0
    cosine = 0.5 + 0.5 * math.cos(math.pi * progress)
    return settings.learning_rate * warmup * (settings.final_share + (1 - settings.final_share) * cosine)


def laid_out_like(gradient: Tensor, parameter: Tensor) -> Tensor:
    """The gradient in the parameter's memory layout: the fused kernel on a CPU walks over memory, not over indices."""
    if gradient.stride() == parameter.stride():
        return gradient
    return torch.empty_like(parameter, dtype=gradient.dtype).copy_(gradient)
