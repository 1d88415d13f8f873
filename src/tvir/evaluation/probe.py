"""A small classifier of features, for metrics that ask what can be told apart or learnt."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tvir.contracts.noise import mix_seed

_WIDTH = 64
_STEPS = 300
_BATCH = 256
_LEARNING_RATE = 3e-3


def fit_probe(features: Tensor, labels: Tensor, classes: int, *, seed: int = 0) -> Callable[[Tensor], Tensor]:
    """Train a perceptron with one hidden layer on standardised features; returns what predicts class indices.

    Always the same recipe: 300 steps of 256 points, a cosine to 0. The same seed and features give the same probe.

    Args:
        features: (N, D).
        labels: int64 (N,), 0 ... classes - 1.
        classes: At least 2.
        seed: Of weights and order.
    """
    mean, scale = features.double().mean(0), features.double().std(0).clamp_min(1e-6)

    def standardise(points: Tensor) -> Tensor:
        return ((points.double() - mean) / scale).float()

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(mix_seed(seed, "probe"))
        network = nn.Sequential(nn.Linear(features.shape[1], _WIDTH), nn.SiLU(), nn.Linear(_WIDTH, classes))
        batches = torch.randint(len(features), (_STEPS, min(_BATCH, len(features))))
    network.to(features.device)
    data = standardise(features)
    optimiser = torch.optim.AdamW(network.parameters(), lr=_LEARNING_RATE, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, _STEPS)
    for chosen in batches.to(features.device):
        optimiser.zero_grad(set_to_none=True)
        F.cross_entropy(network(data[chosen]), labels[chosen]).backward()
        optimiser.step()
        schedule.step()

    @torch.no_grad()
    def predict(points: Tensor) -> Tensor:
        return network(standardise(points)).argmax(1)

    return predict
