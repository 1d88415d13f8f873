"""A run as people hold it in Python: its record, its model, and what can be asked of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from tvir.contracts.data import Array, Dataset
from tvir.contracts.errors import UsageError
from tvir.contracts.metric import Scorecard
from tvir.contracts.model import (
    Conditional,
    DecodesLatents,
    EncodesData,
    GenerativeModel,
    SamplesInSteps,
    SamplesTokens,
    evaluating,
)
from tvir.contracts.noise import Noise
from tvir.contracts.run import RunFolder, RunRecord, SpecRecord
from tvir.models.catalogue import find_model
from tvir.models.resampling import LatentSampler
from tvir.training.checkpoint import load_weights
from tvir.workflows.building import build_model, read_config
from tvir.workflows.latents import fitted_latents
from tvir.workflows.requesting import DataRequest, Reading
from tvir.workflows.spherical import great_circle

_COLDEST, _HOTTEST = 0.01, 100.0
"""Temperatures at which tokens are drawn."""

_CHUNK = 256
"""Examples generated at once, which bounds memory."""


class Run:
    """One model trained on one dataset within one budget, in a folder.

    Args:
        path: The folder. Nothing is read from it before it is needed; ``load`` checks it first.

    Example:
        >>> import tvir
        >>> run = tvir.load("runs/vae-digits-seed0")  # doctest: +SKIP
        >>> rows = run.sample(16, seed=1)  # uint8 NHWC  # doctest: +SKIP
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.folder = RunFolder(self.path)

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    @property
    def record(self) -> RunRecord:
        """run.json as it is now."""
        return self.folder.read()

    @cached_property
    def model(self) -> GenerativeModel:
        """The model with the averaged weights of the newest checkpoint that verifies.

        Raises:
            UsageError: There is no such checkpoint, or its weights are not those of the model in run.json.
        """
        model = build_model(self.record)
        load_weights(self.folder, model, averaged=True)
        return model.eval()

    def dataset(self, *, allow_changed: bool = False, progress: Reading | None = None) -> Dataset:
        """The data the run learns from, read in the same way again.

        Args:
            allow_changed: Accept data whose content is no longer what the run began with.
            progress: Told while data is read.

        Raises:
            UsageError: The data is gone, has changed, or has another shape than the model was built for.
        """
        record = self.record.data
        dataset = DataRequest.of_record(record).open(progress)
        now = SpecRecord.of(dataset.spec)
        if now == replace(record.spec, pieces=now.pieces) and now != record.spec:
            raise UsageError(
                f"{record.reference} now has another vocabulary than {self.path} was built for; bring the old data "
                "back or start a new run"
            )
        if now != record.spec:
            raise UsageError(
                f"{record.reference} now holds {_described(now)}, and {self.path} was built for "
                f"{_described(record.spec)}; bring the old data back or start a new run"
            )
        if dataset.fingerprint != record.fingerprint and not allow_changed:
            raise UsageError(
                f"{record.reference} has changed since {self.path} began: its fingerprint was "
                f"{record.fingerprint[:12]} and is now {dataset.fingerprint[:12]}; bring the old data back, start a "
                "new run, or add --allow-changed-data"
            )
        return dataset

    def sample(
        self,
        count: int,
        *,
        seed: int = 0,
        condition: str | int | Array | None = None,
        steps: int | None = None,
        temperature: float | None = None,
        top_p: float | None = None,
        latent: str | LatentSampler | None = None,
    ) -> Array:
        """New examples as rows (count, *row_shape): uint8 NHWC for images. Row *i* of a seed is always the same.

        Args:
            count: How many, at least 0.
            seed: Which endless row of samples.
            condition: For a conditional model: a class by name or index, or one index per example.
            steps: For a model that samples in steps: how many; by default as it was configured.
            temperature: For a model that draws tokens: above 0, at most 100; by default 1.
            top_p: For a model that draws tokens: share of the probability that is drawn from, in (0, 1]; by default 1.
            latent: For a model that encodes: what latents are drawn from, ``prior``, ``mixture``, ``flow`` or
                ``kernel``. It is fitted to the latents of training examples and kept in the run.

        Raises:
            UsageError: The model cannot be asked for a class, for steps, for a temperature or for other latents, or
                there is no such class.
        """
        spec = self.record.data.spec.spec()
        with self.latents_from(latent):
            parts = list(
                self.batches(count, seed=seed, condition=condition, steps=steps, temperature=temperature, top_p=top_p)
            )
        return np.concatenate(parts) if parts else np.empty((0, *spec.row_shape), dtype=spec.row_dtype)

    def batches(
        self,
        count: int,
        *,
        seed: int = 0,
        condition: str | int | Array | None = None,
        steps: int | None = None,
        temperature: float | None = None,
        top_p: float | None = None,
    ) -> Iterator[Array]:
        """The rows of ``sample`` in pieces, for more of them than memory holds; ``latents_from`` stands around it."""
        if count < 0:
            raise UsageError(f"{count} samples cannot be drawn; ask for 0 or more")
        asked = self._condition(condition, count)
        for first in range(0, count, _CHUNK):
            size = min(_CHUNK, count - first)
            part = None if asked is None else asked[first : first + size]
            with self._sampling_in(steps), self._drawing_with(temperature, top_p):
                made = self.model.sample(size, condition=part, seed=seed, first=first, chunk=_CHUNK)
            yield self.model.spec.to_rows(made)

    def reconstruct(self, rows: Array) -> Array:
        """What the model makes of examples by encoding and decoding them, rows in and rows out.

        Raises:
            UsageError: The model does not encode, or the rows are not the kind of data it was built for.
        """
        model = self.model
        if not isinstance(model, EncodesData):
            raise UsageError(f"{self.record.model} does not encode data, so it cannot reconstruct; a VAE can")
        rows = np.asarray(rows)
        spec = model.spec
        if rows.shape[1:] != spec.row_shape or rows.dtype != spec.row_dtype:
            raise UsageError(
                f"rows of shape {rows.shape} and type {rows.dtype} cannot be reconstructed; "
                f"expected (N, {', '.join(map(str, spec.row_shape))}) of {spec.row_dtype}"
            )
        pieces = (rows[first : first + _CHUNK] for first in range(0, len(rows), _CHUNK))
        parts = [spec.to_rows(model.reconstruct(spec.to_model(piece).to(model.device))) for piece in pieces]
        return np.concatenate(parts) if parts else rows.copy()

    def interpolate(
        self,
        steps: int = 10,
        *,
        seeds: tuple[int, int] = (0, 1),
        count: int = 1,
        condition: str | int | Array | None = None,
    ) -> Array:
        """Walks from the latents of one seed to those of another along great circles.

        Args:
            steps: Examples on each walk, both ends included; at least 2.
            seeds: Where the walks begin and where they end.
            count: Number of walks.
            condition: For a conditional model: the class by name or index, or one index for each walk. A walk stays
                in its class; without a condition, each walk is in the class after that of the walk before.

        Returns:
            Rows (count, steps, *row_shape).

        Raises:
            UsageError: The model has no latents to walk through, cannot be asked for a class, or there is none such.
        """
        model = self.model
        if not isinstance(model, DecodesLatents):
            raise UsageError(f"{self.record.model} has no latents to walk through")
        if steps < 2 or count < 1:
            raise UsageError(f"{count} walks of {steps} steps cannot be drawn; ask for at least 1 walk of 2 steps")
        if condition is None and isinstance(model, Conditional) and model.spec.classes:
            condition = np.arange(count) % len(model.spec.classes)
        asked = self._condition(condition, count)
        with evaluating(model):
            begin, end = (model.sample_prior(Noise(seed, count=count, device=model.device)) for seed in seeds)
            path = great_circle(begin, end, steps)
            latents = path.flatten(0, 1).split(_CHUNK)
            classes = _repeated(asked, steps, len(latents), model.device)
            pieces = [model.decode(piece, label) for piece, label in zip(latents, classes, strict=True)]
            rows = np.concatenate([model.spec.to_rows(piece) for piece in pieces])
        return rows.reshape(count, steps, *model.spec.row_shape)

    def evaluate(self, *, limit: int = 10_000, seed: int = 0) -> Scorecard:
        """Judge the run against its own data; writes scorecard.json and report.html into its folder."""
        from tvir.workflows.evaluate import evaluate

        return evaluate(self, limit=limit, seed=seed)

    def latents_from(
        self, latent: str | LatentSampler | None, progress: Reading | None = None
    ) -> AbstractContextManager[None]:
        """Inside the block the model's latents come from a fitted distribution.

        Args:
            latent: ``prior``, ``mixture``, ``flow`` or ``kernel``, with settings after a colon; None for the prior.
            progress: Told while data is read.

        Raises:
            UsageError: There is no such distribution, or the model does not encode.
            MissingExtraError: It needs packages that are not installed.
        """
        sampler = LatentSampler.parse(latent) if isinstance(latent, str) else latent
        if sampler is None:
            return nullcontext()
        fitted = fitted_latents(self.folder, self.model, sampler, lambda: self.dataset(progress=progress).train)
        if fitted is None:
            return nullcontext()
        assert isinstance(self.model, EncodesData)
        shape = self.model.latent_shape
        return self.model.latents_from(lambda noise: fitted.draw(noise).unflatten(1, shape))

    def _sampling_in(self, steps: int | None) -> AbstractContextManager[None]:
        if steps is None:
            return nullcontext()
        if not isinstance(self.model, SamplesInSteps):
            raise UsageError(f"{self.record.model} does not sample in steps that can be chosen; leave --steps out")
        if steps < 1:
            raise UsageError(f"a sample cannot take {steps} steps; --steps must be 1 or more")
        return self.model.sampling_in(steps)

    def _drawing_with(self, temperature: float | None, top_p: float | None) -> AbstractContextManager[None]:
        if temperature is None and top_p is None:
            return nullcontext()
        if not isinstance(self.model, SamplesTokens):
            raise UsageError(f"{self.record.model} does not draw tokens; leave --temperature and --top-p out")
        temperature, top_p = 1.0 if temperature is None else temperature, 1.0 if top_p is None else top_p
        if not _COLDEST <= temperature <= _HOTTEST:
            raise UsageError(f"--temperature {temperature} is not possible; choose from {_COLDEST} to {_HOTTEST}")
        if not 0 < top_p <= 1:
            raise UsageError(f"--top-p {top_p} is not possible; choose above 0 and at most 1")
        return self.model.drawing_with(temperature, top_p)

    def _condition(self, condition: str | int | Array | None, count: int) -> Tensor | None:
        if condition is None:
            return None
        record = self.record
        if not isinstance(self.model, Conditional):
            raise UsageError(f"{record.model} cannot be asked for a class; leave the condition out")
        classes = record.data.spec.classes
        if isinstance(condition, np.ndarray):
            indices = torch.from_numpy(np.asarray(condition, dtype=np.int64))
        else:
            indices = torch.full((count,), _class_index(condition, classes))
        if indices.shape != (count,) or (count and not 0 <= int(indices.min()) <= int(indices.max()) < len(classes)):
            raise UsageError(f"the condition must be {count} class indices from 0 to {len(classes) - 1}")
        return indices


def load(path: Path | str) -> Run:
    """Open a run, from anyone: run.json is checked, and nothing found in it is imported or executed.

    Raises:
        UsageError: It is no run, or names a model, a setting or a shape that does not exist.
        MissingExtraError: Its model needs packages that are not installed.
    """
    run = Run(path)
    record = run.record
    record.data.spec.spec()
    DataRequest.of_record(record.data)
    read_config(find_model(record.model), record.config)
    return run


def _repeated(asked: Tensor | None, steps: int, pieces: int, device: torch.device) -> Sequence[Tensor | None]:
    """The class of every step of every walk, in pieces as long as those of the latents."""
    if asked is None:
        return [None] * pieces
    return asked.to(device).repeat_interleave(steps).split(_CHUNK)


def _class_index(condition: str | int, classes: tuple[str, ...]) -> int:
    if isinstance(condition, str) and condition in classes:
        return classes.index(condition)
    try:
        index = int(condition)
    except ValueError:
        index = -1
    if not 0 <= index < len(classes):
        shown = ", ".join(classes[:20]) + (", ..." if len(classes) > 20 else "")
        raise UsageError(f"there is no class {condition!r}; the classes are: {shown or 'none'}")
    return index


def _described(spec: SpecRecord) -> str:
    size = "x".join(map(str, spec.size))
    return f"{spec.kind} data of size {size} with {len(spec.classes)} classes"
