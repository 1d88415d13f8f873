"""What a score is, what a metric sees, and what a scorecard holds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, ClassVar, Literal
from weakref import ReferenceType, ref

import numpy as np
from pydantic import ConfigDict, Field, with_config

from tvir.contracts.data import Array, DataSpec, Modes
from tvir.contracts.model import GenerativeModel
from tvir.contracts.run import RunRecord

SCHEMA = 1
"""Version of the scorecard's JSON form."""


class Axis(StrEnum):
    """What a score speaks of. Models are ranked within an axis, never across."""

    FIDELITY = "fidelity"
    DIVERSITY = "diversity"
    STRUCTURE = "structure"
    MEMORISATION = "memorisation"
    LIKELIHOOD = "likelihood"
    COST = "cost"


class Direction(StrEnum):
    """Which way a score is better."""

    LOWER = "lower"
    HIGHER = "higher"


@dataclass(frozen=True, eq=False)
class Origin:
    """Where a subset was taken from: the points, as long as they live, and the rows that were taken."""

    points: ReferenceType[Points]
    indices: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class Points:
    """A set of examples as metrics see it. Compared by identity, so that what is computed from it can be remembered.

    Args:
        rows: Boundary rows (N, *row_shape).
        features: float64 or float32 matrices (N, D), one per space, by the space's full name
            (extractor@hash). The first space is the pixels or the vector itself.
        labels: Class indices (N,) that came with the examples, or None.
        predicted: Class indices (N,) that a classifier trained on the training split sees, or None.
        origin: What these points are a subset of, or None.
    """

    rows: Array
    features: Mapping[str, Array]
    labels: Array | None = None
    predicted: Array | None = None
    origin: Origin | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def subset(self, indices: Array) -> Points:
        """The points at the given indices."""
        return Points(
            rows=self.rows[indices],
            features={space: matrix[indices] for space, matrix in self.features.items()},
            labels=None if self.labels is None else self.labels[indices],
            predicted=None if self.predicted is None else self.predicted[indices],
            origin=Origin(ref(self), indices),
        )


@dataclass(frozen=True, kw_only=True)
class Context:
    """What metrics may know besides the two sets that they compare.

    Args:
        spec: What an example is.
        train: The training split: the reference for copies, never for anything else.
        held_out: Real points that are neither train nor the reference: what an honest generator looks like.
        modes: The truth of a toy, or None.
        seed: For metrics that draw.
        run: The record of the run whose model is judged, or None.
    """

    spec: DataSpec
    train: Points
    held_out: Points
    modes: Modes | None = None
    seed: int = 0
    run: RunRecord | None = None


@with_config(ConfigDict(extra="forbid", allow_inf_nan=False))
@dataclass(frozen=True, kw_only=True)
class Score:
    """One measured value, never to be shown without its floor.

    Args:
        axis: What it speaks of.
        metric: Name, as in the scorecard's vocabulary.
        space: Extractor@hash the metric looked through; "-" where it looks at the examples themselves.
        value: The measurement.
        interval: 95 % interval, or None where there is nothing to take it over.
        floor: The same metric between two real sets of the same sizes, or None where that has no meaning.
        better: Direction.
        n_real: Points of the real set.
        n_generated: Points of the generated set.
    """

    axis: Axis
    metric: str
    space: str
    value: float
    interval: tuple[float, float] | None = None
    floor: float | None = None
    better: Direction
    n_real: Annotated[int, Field(ge=0)]
    n_generated: Annotated[int, Field(ge=0)]


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, kw_only=True)
class Scorecard:
    """All scores of one subject against one reference.

    Args:
        subject: What was judged (a run, a folder of samples, a model over seeds).
        reference: What it was judged against, with the fingerprint.
        scores: Every score.
        findings: What was left out or fell back, in words.
    """

    schema: Literal[1] = 1
    subject: str
    reference: str
    scores: tuple[Score, ...] = ()
    findings: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Quantity:
    """A value that a metric can yield.

    Args:
        name: As in the scorecard's vocabulary.
        axis: What it speaks of.
        better: Direction.
        ranked: Whether models may be ranked on it; what is only shown misleads or cannot be compared.
    """

    name: str
    axis: Axis
    better: Direction
    ranked: bool = True


class Metric(ABC):
    """One way of judging. One file under ``evaluation/metrics`` holds one final metric.

    The docstring of a metric states its formula, its reference, the sample size it needs and how it is known to fail.
    """

    quantities: ClassVar[tuple[Quantity, ...]]
    """The values that ``measure`` can yield."""
    has_floor: ClassVar[bool] = True
    """Whether the same measurement between two real sets means something."""
    needs: ClassVar[str] = ""
    """What is missing where the metric does not apply, for the findings; empty where nothing is missed."""
    in_blocks: ClassVar[bool] = True
    """Whether the spread over disjoint blocks is worth its time, where ``standard_error`` does not know better."""
    error_source: ClassVar[str] = ""
    """What ``standard_error`` is taken from, for the findings."""

    @abstractmethod
    def applies(self, real: Points, context: Context) -> bool:
        """Whether the metric has what it needs (labels, images, a known truth)."""

    @abstractmethod
    def measure(self, real: Points, generated: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        """Yield (name, space, value)."""

    def standard_error(self, name: str, space: str, value: float, real: Points, generated: Points) -> float | None:
        """The standard error of a value just measured, where a formula gives it; None takes disjoint blocks."""
        return None

    def doubts(self, real: Points, generated: Points, context: Context) -> Iterator[str]:
        """Say in words why a value should be read with care; nothing by default."""
        yield from ()


class ModelMetric(ABC):
    """One way of judging a model itself rather than its samples. Found in the same folder as every other metric.

    It has no floor: nothing real is a model.
    """

    quantities: ClassVar[tuple[Quantity, ...]]
    """The values that ``measure`` can yield."""

    @abstractmethod
    def applies(self, model: GenerativeModel, context: Context) -> bool:
        """Whether the model has the capability, and the context the facts, that are needed."""

    @abstractmethod
    def measure(self, model: GenerativeModel, real: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        """Yield (name, space, value); ``real`` is the reference."""

    def doubts(self, model: GenerativeModel, real: Points, context: Context) -> Iterator[str]:
        """Say in words why a value is missing or should be read with care; nothing by default."""
        yield from ()


def finite_or_raise(matrix: Array, what: str) -> None:
    """Refuse NaN and infinity before they can turn into a number.

    Raises:
        ValueError: ``matrix`` holds a value that is not finite.
    """
    if not np.isfinite(matrix).all():
        bad = int((~np.isfinite(matrix)).any(axis=tuple(range(1, matrix.ndim))).sum())
        raise ValueError(f"{what}: {bad} of {len(matrix)} rows hold NaN or infinity")
