"""Fitting the small networks that metrics look through, always by the same recipe."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from tvir.contracts.data import Array
from tvir.evaluation.extractor import Report

_REPORT_EVERY = 10


def fit_network(
    network: nn.Module,
    loss: Callable[[Array], Tensor],
    *,
    count: int,
    batch: int,
    steps: int,
    learning_rate: float,
    drawing: np.random.Generator,
    report: Report,
    what: str,
) -> dict[str, Tensor]:
    """Minimise a loss of batches by AdamW with one cycle of the learning rate; returns the weights.

    Args:
        network: Changed in place.
        loss: From indices of examples (batch,) to what falls.
        count: Of examples; each is seen once before any is seen again, but for what does not fill a batch.
        batch: Examples per step, at most ``count``.
        steps: How many.
        learning_rate: The highest.
        drawing: Decides the order.
        report: Told how far it is.
        what: Is fitted, in words for the report.
    """
    optimiser = torch.optim.AdamW(network.parameters(), lr=learning_rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=learning_rate, total_steps=steps, pct_start=0.2)
    order = np.zeros(0, dtype=np.int64)
    network.train()
    for step in range(steps):
        if len(order) < batch:
            order = np.concatenate([order, drawing.permutation(count)])
        now, order = order[:batch], order[batch:]
        optimiser.zero_grad(set_to_none=True)
        loss(now).backward()
        optimiser.step()
        schedule.step()
        if step % _REPORT_EVERY == 0 or step == steps - 1:
            report(what, step + 1, steps)
    return {name: tensor.detach() for name, tensor in network.state_dict().items()}
