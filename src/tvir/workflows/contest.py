"""Setting up a comparison: who takes part, and one run.json for every trial, alike in all that should be equal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch

from tvir.comparison.protocol import Trial
from tvir.contracts.data import Dataset, DataSpec
from tvir.contracts.errors import UsageError
from tvir.contracts.ranges import Range
from tvir.contracts.run import Precision, RunFolder, RunRecord
from tvir.models.catalogue import catalogue
from tvir.training.precision import decide_precision
from tvir.training.processes import Processes
from tvir.workflows.building import construct, find_method
from tvir.workflows.planning import PrecisionChoice, fixed_precision, plan_run


def read_contestants(models: Sequence[str]) -> dict[str, dict[str, str]]:
    """Settings by contestant, who is written as ``unbalanced-gan`` or ``unbalanced-gan:pretraining=none,width=16``.

    Raises:
        UsageError: There is no such model or setting, or two contestants are the same.
    """
    if len(set(models)) < len(models):
        raise UsageError("a model is named twice; name each once, or give one of them other settings")
    return {text: _settings(text) for text in models}


def controls_for(spec: DataSpec, contestants: Iterable[str]) -> dict[str, dict[str, str]]:
    """The controls that can learn such data and do not take part already, like ``read_contestants``."""
    able = [name for name, entry in catalogue().items() if entry.is_control and isinstance(spec, entry.specs)]
    taken = set(contestants)
    return {name: {} for name in able if name not in taken}


def ranges_for(contestants: Mapping[str, Mapping[str, Any]], dataset: Dataset) -> dict[str, dict[str, Range]]:
    """The settings of every contestant that are worth searching."""
    return {
        subject: find_method(name_of(subject), given, dataset.spec).ranges for subject, given in contestants.items()
    }


def plan_all(
    trials: Sequence[Trial], dataset: Dataset, budget: str, precision: PrecisionChoice | Precision, threads: int
) -> Precision:
    """Write a run.json for every trial that has none, and check those that are there.

    Args:
        trials: All trials; those of a comparison that was interrupted may be there already.
        dataset: What all learn from.
        budget: Of each trial.
        precision: Arithmetic of all networks; ``auto`` measures.
        threads: Of each trial.

    Returns:
        The arithmetic of every trial.

    Raises:
        UsageError: A folder holds a run that belongs to another comparison.
    """
    there = [RunFolder(trial.path).read() for trial in trials if RunFolder(trial.path).record_path.exists()]
    shared = fixed_precision(precision) or _settled(there) or _measured(trials, dataset, threads)
    wanted = {trial.path: _wanted(trial, dataset, budget, shared) for trial in trials}
    for trial in trials:
        if (folder := RunFolder(trial.path)).record_path.exists():
            _require_same(folder, wanted[trial.path])
    for trial in trials:
        if not RunFolder(trial.path).record_path.exists():
            plan_run(
                name_of(trial.model),
                dataset,
                budget=budget,
                seed=trial.seed,
                out=trial.path,
                config=trial.config,
                precision=shared,
            )
    return shared


def _settings(text: str) -> dict[str, str]:
    name, _, written = text.partition(":")
    settings = {}
    for part in filter(None, written.split(",")):
        key, _, value = part.partition("=")
        settings[key.strip().replace("-", "_")] = value.strip()
    find_method(name, settings)  # said before anything is read or trained
    return settings


def name_of(contestant: str) -> str:
    """The model or recipe of a contestant."""
    return contestant.partition(":")[0]


def _settled(records: Sequence[RunRecord]) -> Precision | None:
    return next((record.precision for record in records if record.precision is not None), None)


def _measured(trials: Sequence[Trial], dataset: Dataset, threads: int) -> Precision:
    """What is fastest for every model, else float32: a model must not win because of its arithmetic."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        found: dict[str, Precision] = {}
        for trial in {trial.model: trial for trial in reversed(trials)}.values():
            method = find_method(name_of(trial.model), trial.config, dataset.spec)
            model = construct(method.kind, dataset.spec, method.config, trial.seed)
            # What takes no step takes any arithmetic.
            if any(stage.phases for stage in model.stages()):
                found[trial.model] = decide_precision(model, dataset.train, Processes())
    finally:
        torch.set_num_threads(before)
    if not found:
        return Precision(decided_by="default: no model takes a step")
    if len({(precision.autocast, precision.memory_format) for precision in found.values()}) == 1:
        return next(iter(found.values()))
    return Precision(decided_by="default: models differ in what is fastest, and all must use the same")


def _wanted(trial: Trial, dataset: Dataset, budget: str, precision: Precision) -> dict[str, object]:
    method = find_method(name_of(trial.model), trial.config, dataset.spec)
    return {
        "model": method.model,
        "config": method.config.as_json(),
        "data": dataset.fingerprint,
        "budget": budget,
        "seed": trial.seed,
        "precision": (precision.autocast, precision.memory_format),
    }


def _require_same(folder: RunFolder, wanted: dict[str, object]) -> None:
    record = folder.read()
    planned_batch = record.config.get("batch_size", 1) * (2 if record.batch_halved else 1)
    there = {
        "model": record.model,
        "config": {**record.config, "batch_size": planned_batch},
        "data": record.data.fingerprint,
        "budget": record.budget,
        "seed": record.seed,
        "precision": record.precision and (record.precision.autocast, record.precision.memory_format),
    }
    if other := [what for what in wanted if wanted[what] != there[what]]:
        what = other[0]
        raise UsageError(
            f"{folder.path} holds a run with another {what}: {there[what]} is there, {wanted[what]} is asked for; "
            "choose another --out, or ask for the same"
        )
