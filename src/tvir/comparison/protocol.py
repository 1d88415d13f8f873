"""The plan of an equal-budget comparison: which model is trained with which seed, and where."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tvir.contracts.errors import UsageError
from tvir.contracts.ranges import Range, draw_settings


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One run of a comparison.

    Args:
        model: Name of the model; settings may follow to tell two contestants apart.
        config: Settings that differ from the model's defaults, as text or numbers.
        seed: Of weights, order and noise; the same seeds serve every model.
        path: The run's folder.
    """

    model: str
    config: Mapping[str, Any] = field(default_factory=dict)
    seed: int
    path: Path


def plan_trials(
    models: Sequence[str], seeds: Sequence[int], out: Path, *, configs: Mapping[str, Mapping[str, Any]] | None = None
) -> list[Trial]:
    """Every model with every seed. Touches no disk.

    Seeds come first: a comparison that is stopped early has all models on its first seeds, not one on all of them.

    Args:
        models: Names of the contestants, in the order in which they are to be shown.
        seeds: Training seeds, the same for every model.
        out: Folder of the comparison; runs lie in ``out/NAME/seed-N``.
        configs: Settings by model, for those that differ from the defaults.

    Raises:
        UsageError: There is nothing to compare, or something is named twice.

    Example:
        >>> for trial in plan_trials(["vae", "gan"], [0, 1], Path("out")):
        ...     print(trial.path.as_posix())
        out/vae/seed-0
        out/gan/seed-0
        out/vae/seed-1
        out/gan/seed-1
    """
    configs = configs or {}
    _require_distinct(models, "model", "name at least one: tvir compare MODEL MODEL ...")
    _require_distinct(seeds, "seed", "ask for at least one: --seeds 3")
    if stray := [name for name in configs if name not in models]:
        raise UsageError(
            f"settings are given for {stray[0]!r}, which is not compared; compared are: {', '.join(models)}"
        )
    return [
        Trial(model=model, config=dict(configs.get(model, {})), seed=seed, path=out / _folder(model) / f"seed-{seed}")
        for seed in seeds
        for model in models
    ]


def plan_search(
    contestants: Mapping[str, Mapping[str, Any]],
    ranges: Mapping[str, Mapping[str, Range]],
    number: int,
    seed: int,
    out: Path,
) -> list[Trial]:
    """Settings to try for every contestant: as they stand, then random ones. Touches no disk.

    Settings come first: a search that is stopped early has tried as many for every contestant.

    Args:
        contestants: Settings that a person has given, by contestant; they are not searched.
        ranges: What may be tried, by contestant. One that has nothing to try is planned once.
        number: Settings for each.
        seed: Of all of them.
        out: Folder of the comparison; runs lie in ``out/NAME/setting-K``.
    """
    planned = []
    for index in range(number):
        for subject, given in contestants.items():
            free = {name: found for name, found in ranges[subject].items() if name not in given}
            if index == 0 or free:
                config = {**draw_settings(free, index), **given}
                planned.append(
                    Trial(model=subject, config=config, seed=seed, path=out / _folder(subject) / f"setting-{index}")
                )
    return planned


def _require_distinct(values: Sequence[str] | Sequence[int], noun: str, mending: str) -> None:
    if not values:
        raise UsageError(f"a comparison needs a {noun}; {mending}")
    if twice := [value for value in values if list(values).count(value) > 1]:
        raise UsageError(f"the {noun} {twice[0]} is named twice; name each once")


def _folder(model: str) -> str:
    """A contestant's name as that of a folder: a colon is not allowed everywhere."""
    return re.sub(r"[^\w.,=+-]", "-", model)
