"""Whether a bound of the likelihood is far below the likelihood."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from tvir.contracts.data import ImageSpec
from tvir.contracts.metric import Axis, Context, Direction, ModelMetric, Points, Quantity
from tvir.contracts.model import GenerativeModel, HasLatentDensity, Measure, evaluating
from tvir.contracts.noise import Noise, mix_seed
from tvir.evaluation.subsampling import drawn_indices

_POINTS, _CHAINS, _TEMPERATURES, _LEAPS = 8, 8, 100, 4
_LARGEST_DATA, _LARGEST_LATENT = 64, 64
_FIRST_STEP, _WANTED = 0.1, 0.65
"""Step size to begin with, and the share of proposals that should be accepted."""


class AisSpotCheck(ModelMetric):
    """Bits per dimension of eight reference examples by annealed importance sampling.

    Chains go from the prior to the posterior through p(z) p(x|z)^t, t in 100 steps from 0 to 1, by Hamiltonian Monte
    Carlo; log mean exp of the sums of (t_i - t_{i-1}) log p(x|z_{i-1}) over eight chains is a stochastic lower bound of
    log p(x) that does not depend on the encoder. Much below ``bits_per_dim`` of the same model it says that the encoder
    is at fault, not the decoder.

    Reference:
        On the Quantitative Analysis of Decoder-Based Generative Models, arXiv 1611.04273.

    Sample size:
        Eight points: a spot check, never a ranking. Models of at most 64 numbers and 64 latents, for its cost.

    Known failure:
        Too few temperatures leave the bound loose; between separated modes of the posterior chains do not move.
    """

    quantities = (Quantity("ais_spot_check", Axis.LIKELIHOOD, Direction.LOWER, ranked=False),)

    def applies(self, model: GenerativeModel, context: Context) -> bool:
        return (
            isinstance(model, HasLatentDensity)
            and math.prod(model.spec.shape) <= _LARGEST_DATA
            and math.prod(model.latent_shape) <= _LARGEST_LATENT
            and not (isinstance(model.spec, ImageSpec) and model.measure is not Measure.PROBABILITY)
        )

    def measure(self, model: GenerativeModel, real: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        assert isinstance(model, HasLatentDensity)
        rows = np.array(real.rows[drawn_indices(len(real), _POINTS, context.seed)])
        found = annealed_log_likelihood(model, model.spec.to_model(rows).to(model.device), seed=context.seed)
        bits = -float(found.mean()) / (math.prod(model.spec.shape) * math.log(2))
        yield "ais_spot_check", f"ais-{_TEMPERATURES} bound", bits


def annealed_log_likelihood(
    model: HasLatentDensity,
    examples: Tensor,
    *,
    chains: int = _CHAINS,
    temperatures: int = _TEMPERATURES,
    seed: int = 0,
) -> Tensor:
    """The bound in nats for every example, (N,)."""
    repeated = examples.repeat(chains, *[1] * (examples.dim() - 1))
    noise = Noise(mix_seed(seed, "annealing"), count=len(repeated), device=examples.device)
    with evaluating(model):
        latents = model.sample_prior(noise)
        step = torch.full((len(latents),), _FIRST_STEP, device=examples.device)
        weights = torch.zeros(len(latents), dtype=torch.float64, device=examples.device)
        draws = noise.normal(temperatures, *model.latent_shape).unbind(1)
        chances = noise.uniform(temperatures).unbind(1)
        for index, (draw, chance) in enumerate(zip(draws, chances, strict=True)):
            weights += model.log_likelihood(repeated, latents).double() / temperatures
            temperature = (index + 1) / temperatures
            moved, gain = _leapfrog(model, repeated, latents, draw, step, temperature)
            accepted = chance.log() < gain
            latents = torch.where(accepted.view(-1, *[1] * (latents.dim() - 1)), moved, latents)
            step = torch.where(accepted, step * 1.02, step * 1.02 ** (-_WANTED / (1 - _WANTED)))
    return torch.logsumexp(weights.view(chains, -1), 0) - math.log(chains)


def _leapfrog(
    model: HasLatentDensity, examples: Tensor, start: Tensor, momentum: Tensor, step: Tensor, temperature: float
) -> tuple[Tensor, Tensor]:
    """A Hamiltonian proposal, and the logarithm of how likely it is to be accepted."""
    wide = step.view(-1, *[1] * (start.dim() - 1))
    latents = start
    before, slope = _energy(model, examples, latents, temperature)
    kinetic = 0.5 * momentum.square().flatten(1).sum(1)
    after = before
    for _ in range(_LEAPS):
        momentum = momentum + 0.5 * wide * slope
        latents = latents + wide * momentum
        after, slope = _energy(model, examples, latents, temperature)
        momentum = momentum + 0.5 * wide * slope
    return latents, after - before + kinetic - 0.5 * momentum.square().flatten(1).sum(1)


def _energy(model: HasLatentDensity, examples: Tensor, latents: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """Log of the annealed density, and its slope in the latents."""
    with torch.enable_grad():
        free = latents.detach().requires_grad_()
        value = model.log_prior(free) + temperature * model.log_likelihood(examples, free)
        (slope,) = torch.autograd.grad(value.sum(), free)
    return value.detach(), slope
