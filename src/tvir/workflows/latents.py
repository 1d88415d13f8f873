"""Fitting what latents are drawn from, once for each checkpoint: the result is kept in the run."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from tvir.contracts.data import Examples
from tvir.contracts.errors import UsageError
from tvir.contracts.model import DecodesLatents, EncodesData, GenerativeModel, evaluating
from tvir.contracts.noise import Noise, mix_seed
from tvir.contracts.run import RunFolder
from tvir.contracts.tensors import read_tensors, write_tensors
from tvir.models.resampling import FittedLatents, LatentSampler, Prior, fit_latents
from tvir.workflows.saving import replacing

_ENCODED = 10_000
"""Training examples, spread over the split, whose latents are fitted to."""

_CHUNK = 256

_RECIPE = 1
"""Goes up with every change of how latents are fitted: what was kept is then fitted again."""


def fitted_latents(
    folder: RunFolder, model: GenerativeModel, sampler: LatentSampler, train: Callable[[], Examples]
) -> FittedLatents | None:
    """What latents are drawn from, fitted to those of training examples; None for the model's own prior.

    Args:
        folder: Of the run, which keeps what was fitted.
        model: With the weights of the run.
        sampler: What is fitted.
        train: Opens the training examples; not asked where what was fitted before still holds.

    Raises:
        UsageError: The model has no latents, or does not encode.
        MissingExtraError: It needs packages that are not installed.
    """
    record = folder.read()
    if not isinstance(model, DecodesLatents):
        raise UsageError(f"{record.model} has no latents to draw; leave --latent out")
    if isinstance(sampler, Prior):
        return None
    if not isinstance(model, EncodesData):
        raise UsageError(
            f"{record.model} does not encode data, so there is nothing to fit {sampler.name} to; a VAE does"
        )
    weights = _key(_contents(model))
    settings = _key([repr((_RECIPE, sampler, record.data.fingerprint)).encode()])
    path = folder.path / "latents" / f"{weights}-{sampler.name}-{settings}.safetensors"
    fitted = _kept(path, sampler, math.prod(model.latent_shape))
    if fitted is None:
        fitted = fit_latents(sampler, latents_of(model, train()), record.seed)
        _keep(path, fitted, weights)
    return fitted.to(model.device)


def latents_of(model: EncodesData, examples: Examples) -> Tensor:
    """Flat latents of training examples, (N, numbers).

    They are draws from the posterior, not its means: the decoder of a VAE has learned from draws, and it is their
    distribution, the aggregated posterior, that a prior should have been (Ghosh et al. 2020, arXiv 1903.12436, section
    4). Where an example has one latent, that is it.
    """
    chosen = np.unique(np.linspace(0, len(examples) - 1, min(_ENCODED, len(examples))).astype(np.int64))
    with evaluating(model):
        return torch.cat([_drawn(model, examples, chosen, first).cpu() for first in range(0, len(chosen), _CHUNK)])


def _drawn(model: EncodesData, examples: Examples, chosen: np.ndarray, first: int) -> Tensor:
    part = chosen[first : first + _CHUNK]
    noise = Noise(mix_seed("latents"), count=len(part), first=first, device=model.device)
    posterior = model.encode(examples.spec.to_model(examples.take(part)).to(model.device))
    return (posterior.mean + posterior.stddev * noise.normal(*model.latent_shape)).flatten(1).float()


def _key(parts: Iterable[bytes]) -> str:
    digest = hashlib.blake2b(digest_size=6)
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def _contents(model: GenerativeModel) -> Iterator[bytes]:
    for name, tensor in model.state_dict().items():
        yield name.encode()
        yield tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes()


def _kept(path: Path, sampler: LatentSampler, numbers: int) -> FittedLatents | None:
    with torch.random.fork_rng(devices=[]):  # weights that are about to be overwritten
        fitted = sampler.unfitted(numbers)
    try:
        read_tensors(path, fitted.state_dict())
    except UsageError:
        return None
    return fitted.eval()


def _keep(path: Path, fitted: FittedLatents, weights: str) -> None:
    path.parent.mkdir(exist_ok=True)
    for other in path.parent.glob("*.safetensors"):
        if not other.name.startswith(f"{weights}-"):  # fitted before the run went on
            other.unlink(missing_ok=True)
    with replacing(path) as temporary:
        write_tensors(temporary, fitted.state_dict())
