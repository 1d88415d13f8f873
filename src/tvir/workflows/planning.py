"""Planning a run: everything that can be wrong is found before the first step, then written down as run.json."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any, Literal

import torch

import tvir
from tvir.contracts.budget import Budget
from tvir.contracts.data import Dataset
from tvir.contracts.errors import UsageError
from tvir.contracts.model import ModelConfig
from tvir.contracts.run import Precision, RunFolder, RunRecord
from tvir.workflows.building import construct, find_method
from tvir.workflows.requesting import record_data, short_name
from tvir.workflows.starting import Start

PrecisionChoice = Literal["auto", "float32", "bfloat16"]
_LARGEST_SEED = 2**63 - 1


def plan_run(
    model: str,
    dataset: Dataset,
    *,
    budget: str = "2m",
    seed: int = 0,
    out: Path | str | None = None,
    config: Mapping[str, Any] | ModelConfig | None = None,
    precision: PrecisionChoice | Precision = "auto",
    start: Start | None = None,
) -> RunFolder:
    """Write the run.json of a run that has not taken a step yet.

    Args:
        model: Name of a model or a recipe, as ``tvir models`` lists them.
        dataset: The data, opened.
        budget: As ``Budget.parse`` reads it.
        seed: Of weights, order and noise; 0 or more.
        out: Folder of the run, new or empty; ``runs/MODEL-DATA-seedN`` by default, numbered where that is taken.
        config: The model's settings; those left out keep their defaults.
        precision: ``auto`` is decided by a measurement at the start of training.
        start: Weights of another run to begin from.

    Raises:
        UsageError: The model, a setting, the budget, the folder or the weights are not usable.
    """
    Budget.parse(budget)
    if not 0 <= seed <= _LARGEST_SEED:
        raise UsageError(f"seed {seed} is not usable; choose a whole number from 0 to 2^63 - 1")
    method = find_method(model, config, dataset.spec)
    # Settings that cannot be built should leave no folder behind.
    if start is not None:
        start.refuse_other_data(dataset.spec, method.kind)
    built = construct(method.kind, dataset.spec, method.config, seed)
    if start is not None:
        start.give(built)
    folder = RunFolder(_claim(out, f"{model}-{short_name(dataset.reference)}-seed{seed}"))
    folder.write(
        RunRecord(
            model=method.model,
            config=method.config.as_json(),
            data=record_data(dataset),
            budget=budget,
            seed=seed,
            start=None if start is None else start.keep_in(folder),
            precision=fixed_precision(precision),
            versions={"tvir": tvir.__version__, "torch": str(torch.__version__), "python": platform.python_version()},
            findings=dataset.all_findings,
        )
    )
    return folder


def fixed_precision(precision: PrecisionChoice | Precision) -> Precision | None:
    """The arithmetic a person asked for; None leaves it to a measurement."""
    match precision:
        case Precision():
            return precision
        case "auto":
            return None
        case "float32":
            return Precision(autocast="none", decided_by="request")
        case "bfloat16":
            return Precision(autocast="bfloat16", memory_format="channels_last", decided_by="request")
    raise UsageError(f"there is no precision {precision!r}; choose one of: auto, float32, bfloat16")


def _claim(out: Path | str | None, name: str) -> Path:
    if out is not None:
        path = Path(out)
        _refuse_taken(path)
        return path
    for number in count(1):
        path = Path("runs") / (name if number == 1 else f"{name}-{number}")
        path.parent.mkdir(exist_ok=True)
        try:
            path.mkdir()  # making the folder is what claims the name, so two commands at once never share one
        except FileExistsError:
            continue
        return path
    raise AssertionError("unreachable")


def _refuse_taken(path: Path) -> None:
    if path.exists() and not path.is_dir():
        raise UsageError(f"{path} is a file; choose another --out")
    if RunFolder(path).record_path.exists():
        raise UsageError(f"{path} already holds a run; continue it with: tvir resume {path}, or choose another --out")
    if path.is_dir() and any(path.iterdir()):
        raise UsageError(f"{path} is a folder with other things in it; choose another --out")
