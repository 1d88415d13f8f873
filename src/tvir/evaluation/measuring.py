"""Taking every measurement there is between two sets; what cannot be taken is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tvir.contracts.errors import TvirError
from tvir.contracts.metric import Context, Metric, ModelMetric, Points, Score
from tvir.contracts.model import GenerativeModel

Key = tuple[str, str]
"""Name of a value and space it was measured in."""

Progress = Callable[[int, int], None]
"""Told how many metrics are done, and how many there are."""

FAILURES = (ValueError, ArithmeticError, RuntimeError, TvirError)
"""What a metric may fail with: it is left out, and the others go on."""


@dataclass(frozen=True)
class Measurement:
    """One value and the metric that it comes from."""

    metric: Metric
    name: str
    space: str
    value: float

    @property
    def key(self) -> Key:
        return self.name, self.space


def measure_all(
    metrics: Sequence[Metric],
    real: Points,
    generated: Points,
    context: Context,
    findings: list[str],
    progress: Progress = lambda done, total: None,
) -> Iterator[Measurement]:
    """Every value that every metric yields; what fails or does not apply is added to ``findings``."""
    for number, metric in enumerate(metrics):
        progress(number, len(metrics))
        what = ", ".join(quantity.name for quantity in metric.quantities)
        if not metric.applies(real, context):
            if metric.needs:
                findings.append(f"{what}: left out, needs {metric.needs}")
            continue
        try:
            for name, space, value in metric.measure(real, generated, context):
                if np.isfinite(value):
                    yield Measurement(metric, name, space, float(value))
                else:
                    findings.append(f"{name} in {space}: left out, came out as {value}")
            findings += metric.doubts(real, generated, context)
        except FAILURES as error:
            findings.append(_left_out(what, error))
    progress(len(metrics), len(metrics))


def measure_model(
    metrics: Sequence[ModelMetric], model: GenerativeModel, real: Points, context: Context, findings: list[str]
) -> Iterator[Score]:
    """What is measured on the model itself; it has no floor, because nothing real is a model."""
    for metric in metrics:
        if not metric.applies(model, context):
            continue
        quantities = {quantity.name: quantity for quantity in metric.quantities}
        try:
            for name, space, value in metric.measure(model, real, context):
                if not np.isfinite(value):
                    raise ValueError(f"{name} came out as {value}")
                yield Score(
                    axis=quantities[name].axis, metric=name, space=space, value=value, better=quantities[name].better,
                    n_real=len(real), n_generated=len(real),
                )  # fmt: skip
            findings += metric.doubts(model, real, context)
        except FAILURES as error:
            findings.append(_left_out(", ".join(quantities), error))


def _left_out(what: str, error: Exception) -> str:
    return f"{what}: left out: {str(error).splitlines()[0] if str(error) else repr(error)}"
