"""Judging a run: its scorecard and its report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from tvir.contracts.data import Array, Dataset
from tvir.contracts.errors import UsageError
from tvir.contracts.evidence import Evidence
from tvir.contracts.metric import Scorecard
from tvir.contracts.model import Conditional
from tvir.contracts.noise import mix_seed
from tvir.contracts.run import SpecRecord, write_atomically
from tvir.evaluation.scorecard import Judge, Judgement, to_json
from tvir.reports.content import RunReport
from tvir.reports.html import write_report
from tvir.workflows.reporting import film_strip, run_entry, sample_grid
from tvir.workflows.requesting import DataRequest, Reading, short_name
from tvir.workflows.run import Run, load


def evaluate(
    run: Run | Path | str,
    *,
    data: str | None = None,
    limit: int = 10_000,
    weights: Sequence[Path] = (),
    seed: int = 0,
    latent: str | None = None,
    allow_changed_data: bool = False,
    language: str = "en",
    show_training_examples: bool = True,
    progress: Reading | None = None,
) -> Scorecard:
    """Judge a run against the test split of its data; writes ``scorecard.json`` and ``report.html`` into the run.

    Args:
        run: A run or its folder.
        data: Judge it against other data of the same shape; the files are then named after that data.
        limit: The most real and generated examples that are compared.
        weights: Files of pretrained weights to look through as well (DINOv2, CLIP, Inception).
        seed: Of the samples that are judged and of metrics that draw.
        latent: For models that encode: what latents are drawn from, as ``Run.sample`` takes it; the files are then
            named after it.
        allow_changed_data: Go on although the data is no longer what the run began with.
        language: Of the report: ``en`` or ``uk``.
        show_training_examples: Show the nearest training examples beside the most suspicious samples in the report.
        progress: Told what is being done, how much of it is done and how much there is.

    Raises:
        UsageError: The run has no weights yet, or the data is gone, has changed or has another shape.
    """
    run = run if isinstance(run, Run) else load(run)
    if run.record.status == "planned":
        raise UsageError(f"{run.path} has not been trained yet; begin it with: tvir resume {run.path}")
    dataset = _dataset(run, data, allow_changed_data, progress)
    judge = Judge(dataset, limit=limit, seed=seed, weights=weights, progress=progress)
    with run.latents_from(latent, progress):
        judgement = judge_run(judge, run, dataset, seed=seed, latent=latent)
        save_card(
            run,
            judgement.card,
            evidence=judgement.evidence(),
            suffix=_suffix(data, latent),
            language=language,
            show_training_examples=show_training_examples,
        )
    return judgement.card


def judge_run(judge: Judge, run: Run, dataset: Dataset, *, seed: int = 0, latent: str | None = None) -> Judgement:
    """The scorecard of one run; the samples depend on the run and on ``seed`` alone.

    ``latent`` names what latents are drawn from, where that is not the prior: ``Run.latents_from`` stands around it.
    """
    count = judge.sample_count
    labels = _asked_labels(run, dataset, count)
    rows = run.sample(count, seed=mix_seed(seed, "judged"), condition=labels)
    return judge.judged(rows, subject=subject_of(run, latent), labels=labels, model=run.model, run=run.record)


def subject_of(run: Run, latent: str | None = None) -> str:
    """What a run is called in tables."""
    record = run.record
    source = "" if latent is None else f", latents: {latent}"
    return f"{record.model} on {record.data.reference}, seed {record.seed}{source}"


def save_card(
    run: Run,
    card: Scorecard,
    *,
    evidence: Evidence | None = None,
    suffix: str = "",
    language: str = "en",
    show_training_examples: bool = True,
) -> None:
    """Write a scorecard and the report around it into the folder of its run."""
    write_atomically(run.path / f"scorecard{suffix}.json", to_json(card))
    report = RunReport(
        run=run_entry(run, run.path),
        card=card,
        evidence=evidence,
        grids=[sample_grid(run)],
        strip=film_strip(run),
        show_training_examples=show_training_examples,
    )
    write_report(run.path / f"report{suffix}.html", report, language)


def _suffix(data: str | None, latent: str | None) -> str:
    """Of the files that a judgement is written to."""
    parts = [short_name(data) if data else "", latent.partition(":")[0] if latent else ""]
    return "".join(f"-{part}" for part in parts if part)


def _dataset(run: Run, data: str | None, allow_changed: bool, progress: Reading | None) -> Dataset:
    if data is None:
        return run.dataset(allow_changed=allow_changed, progress=progress)
    record = run.record.data
    dataset = replace(DataRequest.of_record(record), reference=data).open(progress)
    given, built = SpecRecord.of(dataset.spec), record.spec
    if (given.kind, given.size) != (built.kind, built.size):
        raise UsageError(
            f"{data} holds {given.kind} data of size {given.size}, and {run.path} was built for {built.kind} data of "
            f"size {built.size}; choose data of the same shape"
        )
    if given.pieces != built.pieces:
        raise UsageError(
            f"{data} has another vocabulary than the data {run.path} was built for; only text of the same vocabulary "
            "can take its place"
        )
    return dataset


def _asked_labels(run: Run, dataset: Dataset, count: int) -> Array | None:
    """Classes for a conditional model to be asked for, as frequent as in the data it is judged against."""
    if not isinstance(run.model, Conditional) or dataset.test.labels is None:
        return None
    labels = np.asarray(dataset.test.labels, dtype=np.int64)
    known = labels[labels >= 0]
    return np.random.default_rng(0).choice(known, size=count) if len(known) else None
