"""Flow matching: straight paths from noise to data, and how they are followed."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from tvir.contracts.choice import Choice
from tvir.contracts.collectives import own_rows, rows_of_processes

Velocity = Callable[[Tensor, Tensor], Tensor]
"""From points (N, ...) and their times (N,), 0 at the noise and 1 at the data, to velocities (N, ...)."""


def flow_matching_loss(velocity: Velocity, noise: Tensor, data: Tensor, times: Tensor) -> Tensor:
    """Mean squared error of the velocity along straight paths, a scalar.

    Lipman et al. 2023, Flow Matching for Generative Modeling, arXiv 2210.02747, equation 23 with sigma_min = 0; Liu et
    al. 2023, Rectified Flow, arXiv 2209.03003, equation 1.

    Args:
        velocity: Of the network.
        noise: Where paths begin, (N, ...).
        data: Where they end, (N, ...).
        times: How far along each path is looked at, (N,), 0 to 1.
    """
    points = torch.lerp(noise, data, times.view(-1, *[1] * (data.dim() - 1)))
    return (velocity(points, times).float() - (data - noise)).square().mean()


class Coupling(Choice):
    """Which noise becomes which example."""

    @abstractmethod
    def pair(self, noise: Tensor, data: Tensor) -> Tensor:
        """The noise (N, ...) in another order: row by row what becomes the data (N, ...)."""


@dataclass(frozen=True, kw_only=True)
class Independent(Coupling):
    """Any with any."""

    def pair(self, noise: Tensor, data: Tensor) -> Tensor:
        return noise


@dataclass(frozen=True, kw_only=True)
class OptimalTransport(Coupling):
    """So that the paths of a whole batch are as short as can be, which makes them straighter.

    Tong et al. 2024, Improving and Generalizing Flow-Based Generative Models with Minibatch Optimal Transport, arXiv
    2302.00482, section 3.2.4. The batch is that of all processes.
    """

    @torch.no_grad()
    def pair(self, noise: Tensor, data: Tensor) -> Tensor:
        from scipy.optimize import linear_sum_assignment

        all_noise = rows_of_processes(noise)
        costs = torch.cdist(rows_of_processes(data).flatten(1).double(), all_noise.flatten(1).double()).square()
        _, chosen = linear_sum_assignment(costs.cpu().numpy())
        return own_rows(all_noise[torch.from_numpy(chosen).to(noise.device)])


class Solver(Choice):
    """How a path is followed, in steps of equal length."""

    method: ClassVar[str]
    """As torchdiffeq calls it."""

    def follow(self, velocity: Velocity, start: Tensor, steps: int) -> Tensor:
        """Where points (N, ...) of time 0 are at time 1."""
        from torchdiffeq import odeint

        def slope(time: Tensor, points: Tensor) -> Tensor:
            return velocity(points, time.expand(len(points))).to(points.dtype)

        times = torch.linspace(0, 1, steps + 1, dtype=start.dtype, device=start.device)
        # Steps of fixed length alone: one that is fitted to the error of a batch would tie its samples together.
        path: Any = odeint(slope, start, times, method=self.method)
        return path[-1]


@dataclass(frozen=True, kw_only=True)
class Euler(Solver):
    """Along the slope at the beginning of a step: one call."""

    method = "euler"


@dataclass(frozen=True, kw_only=True)
class Midpoint(Solver):
    """Along the slope in the middle of a step: two calls."""

    method = "midpoint"


@dataclass(frozen=True, kw_only=True)
class RungeKutta(Solver):
    """Along a mean of four slopes: four calls."""

    method = "rk4"
