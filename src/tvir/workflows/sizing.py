"""How large the networks of contestants are, and making them alike."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

import numpy as np

from tvir.comparison.matching import closest_width
from tvir.contracts.data import Dataset
from tvir.contracts.errors import UsageError
from tvir.contracts.flops import step_flops
from tvir.contracts.model import GenerativeModel, SizedConfig
from tvir.contracts.size import Size
from tvir.workflows.building import construct, find_method
from tvir.workflows.contest import name_of

Match = Literal["none", "parameters", "flops"]
"""In what the networks of a comparison are to be alike."""

Settings = Mapping[str, Mapping[str, Any]]

_COUNTED = 4


def match_sizes(contestants: Settings, dataset: Dataset, match: Match) -> dict[str, dict[str, Any]]:
    """Settings in which every contestant is as large as the first one, as nearly as its width allows.

    A contestant whose width a person has set keeps it, and so does one that has no width.

    Args:
        contestants: Settings by contestant.
        dataset: What they are to learn from.
        match: ``none`` leaves all as they are.

    Raises:
        UsageError: The first contestant has no networks to be compared with.
    """
    if match == "none":
        return {subject: dict(given) for subject, given in contestants.items()}
    first, *others = contestants
    wanted = _size(first, contestants[first], dataset, match)
    if not wanted:
        raise UsageError(f"{first} has no networks whose size others could be given; name another model first")
    found = {first: dict(contestants[first])}
    for subject in others:
        given = contestants[subject]
        method = find_method(name_of(subject), given, dataset.spec)
        found[subject] = dict(given)
        if isinstance(method.config, SizedConfig) and "width" not in given:
            size = cache(
                lambda width, subject=subject, given=given: _size(subject, {**given, "width": width}, dataset, match)
            )
            found[subject]["width"] = closest_width(size, wanted)
    return found


def measure_sizes(contestants: Settings, dataset: Dataset, match: Match) -> list[Size]:
    """How large every contestant is; operations are counted where they were to be alike."""
    sizes = []
    for subject, given in contestants.items():
        model = _model(subject, given, dataset)
        config = model.config
        sizes.append(
            Size(
                subject=subject,
                width=config.width if isinstance(config, SizedConfig) else None,
                parameters=_parameters(model),
                flops=_flops(model, dataset) if match == "flops" else None,
            )
        )
    return sizes


def _size(subject: str, given: Mapping[str, Any], dataset: Dataset, match: Match) -> float:
    model = _model(subject, given, dataset)
    return _flops(model, dataset) if match == "flops" else _parameters(model)


def _model(subject: str, given: Mapping[str, Any], dataset: Dataset) -> GenerativeModel:
    method = find_method(name_of(subject), given, dataset.spec)
    return construct(method.kind, dataset.spec, method.config, seed=0)


def _parameters(model: GenerativeModel) -> int:
    return sum(weight.numel() for weight in model.parameters() if weight.requires_grad)


def _flops(model: GenerativeModel, dataset: Dataset) -> float:
    """Operations of a training step for an example, the mean over the stages by their shares of the budget."""
    chosen = np.arange(_COUNTED) % len(dataset.train)
    data, labels = model.spec.to_model(dataset.train.take(chosen)), dataset.train.labels_at(chosen)
    shares = [stage.share if stage.phases else 0.0 for stage in model.stages()]
    total = sum(share * step_flops(model, stage, data, labels) for stage, share in enumerate(shares) if share)
    return total / model.config.batch_size
