"""What the posteriors of a variational model say of each latent."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tvir.contracts.model import Conditional, EncodesData
from tvir.health.check import Case

ACTIVE = 0.01
"""Variance of the posterior mean over examples above which a latent is active (Burda et al., arXiv 1509.00519)."""


@dataclass(frozen=True, kw_only=True)
class Latents:
    """Of every latent (D,): Var_x(E[z|x]), and KL(q(z|x) || N(0, 1)) in nats, the mean over held-out examples."""

    variance: Tensor
    divergence: Tensor

    @property
    def active(self) -> int:
        """How many carry something of the example."""
        return int((self.variance > ACTIVE).sum())


def latents_of(case: Case) -> Latents | None:
    """The latents of a model that learns, or has learnt, with a divergence from the prior; None for every other."""
    model = case.model
    variational = any(term.endswith("/divergence") for term in case.history.terms)
    if not isinstance(model, EncodesData) or not variational:
        return None
    examples, labels = case.held_out
    asked = labels if isinstance(model, Conditional) else None
    posterior = model.encode(examples, asked)
    mean, variance = posterior.mean.flatten(1).double(), posterior.variance.flatten(1).double()
    divergence = 0.5 * (mean.square() + variance - 1 - variance.log())
    if not torch.isfinite(divergence).all():
        raise ValueError("a posterior has no finite divergence from the prior")
    return Latents(variance=mean.var(0), divergence=divergence.mean(0))
