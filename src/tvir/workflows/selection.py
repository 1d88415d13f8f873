"""Choosing the settings of every contestant on the validation split, before the test split is looked at."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tvir.comparison.protocol import Trial
from tvir.comparison.search import expected_best
from tvir.contracts.attempt import Attempt
from tvir.contracts.data import Dataset
from tvir.contracts.errors import TvirError
from tvir.contracts.metric import Direction
from tvir.contracts.noise import mix_seed
from tvir.contracts.run import RunFolder, write_atomically
from tvir.evaluation.extractor import FeatureExtractor, find_extractors
from tvir.evaluation.metrics.mmd_rbf import MmdRbf
from tvir.evaluation.scorecard import Judge, to_json
from tvir.workflows.requesting import Reading
from tvir.workflows.run import Run

SELECTS = MmdRbf()
"""What settings are selected by, the same for every model: it sees more than two moments and has no bias."""


def select(
    trials: Sequence[Trial],
    reasons: Mapping[Path, str],
    dataset: Dataset,
    place: Path,
    limit: int,
    progress: Reading | None,
) -> tuple[dict[str, dict[str, Any]], list[Attempt]]:
    """Judge the trials of a search on the validation split, and choose the best settings of every contestant.

    Args:
        trials: Of the search, trained as far as they could be.
        reasons: Why some were not.
        dataset: What they learned from.
        place: Folder of the comparison.
        limit: The most real and generated examples that are compared.
        progress: Told how far the judging has come.

    Returns:
        The settings of every contestant, and everything that was tried.

    Raises:
        TvirError: No setting of a contestant finished.
    """
    # The training split plays the honest generator: the test split is not touched.
    held_back = replace(dataset, test=dataset.validation, validation=dataset.train)
    selector: Judge | None = None
    attempts = []
    for done, trial in enumerate(trials, 1):
        value = None
        if trial.path not in reasons:
            card_path = trial.path / "scorecard-validation.json"
            if not card_path.exists():
                selector = selector or _selector(held_back, limit)
                _judge(selector, Run(trial.path), card_path)
            value = _value(card_path)
        attempts.append(_attempt(trial, value, reasons.get(trial.path), place))
        if progress:
            progress("selecting settings on the validation split", done, len(trials))
    chosen = {subject: _best(subject, trials, attempts) for subject in dict.fromkeys(trial.model for trial in trials)}
    return chosen, attempts


def _selector(dataset: Dataset, limit: int) -> Judge:
    return Judge(
        dataset,
        limit=limit,
        extractors=[_extractor(dataset)],
        metrics=[SELECTS],
        reference=f"{dataset.reference} validation split @{dataset.fingerprint[:12]}",
    )


def _extractor(dataset: Dataset) -> FeatureExtractor:
    """What is learnt from the training split where that can be, else the examples themselves."""
    for found in reversed([found for found in find_extractors() if found.level <= 1]):
        if (extractor := found.prepare(dataset, seed=0, report=lambda description, done, total: None)) is not None:
            return extractor
    raise TvirError(f"there is nothing to look at {dataset.reference} through; settings cannot be selected")


def _judge(selector: Judge, run: Run, path: Path) -> None:
    rows = run.sample(selector.sample_count, seed=mix_seed(0, "selected"))
    write_atomically(path, to_json(selector.judge(rows, subject=str(run.path))))


def _value(card: Path) -> float | None:
    scores = json.loads(card.read_text("utf-8"))["scores"]
    return scores[0]["value"] if scores else None


def _attempt(trial: Trial, value: float | None, reason: str | None, place: Path) -> Attempt:
    usable = value is not None and math.isfinite(value)
    return Attempt(
        subject=trial.model,
        settings=dict(trial.config),
        path=str(trial.path.relative_to(place)),
        status=RunFolder(trial.path).read().status,
        value=value if usable else None,
        reason=reason or (None if usable else "its samples could not be judged"),
    )


def _best(subject: str, trials: Sequence[Trial], attempts: Sequence[Attempt]) -> dict[str, Any]:
    (quantity,) = SELECTS.quantities
    sign = 1 if quantity.better is Direction.LOWER else -1
    tried = [
        (sign * attempt.value, number)
        for number, (trial, attempt) in enumerate(zip(trials, attempts, strict=True))
        if trial.model == subject and attempt.value is not None
    ]
    if not tried:
        raise TvirError(f"no setting of {subject} finished; the first says: {_first_reason(subject, attempts)}")
    return dict(trials[min(tried)[1]].config)


def _first_reason(subject: str, attempts: Sequence[Attempt]) -> str | None:
    return next((attempt.reason for attempt in attempts if attempt.subject == subject), None)


def expected_bests(attempts: Sequence[Attempt]) -> dict[str, list[float]]:
    """The expected best of n settings by contestant; an attempt that failed counts as the worst that anybody's did."""
    (quantity,) = SELECTS.quantities
    known = [attempt.value for attempt in attempts if attempt.value is not None]
    worst = max(known) if quantity.better is Direction.LOWER else min(known)
    tried: dict[str, list[float]] = {}
    for attempt in attempts:
        tried.setdefault(attempt.subject, []).append(worst if attempt.value is None else attempt.value)
    return {subject: expected_best(values, quantity.better) for subject, values in tried.items()}
