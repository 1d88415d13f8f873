"""Judging generated examples: all metrics in all spaces, each beside its floor."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter, ValidationError

from tvir.contracts.data import Array, Dataset, Examples, ImageSpec
from tvir.contracts.discovery import discover
from tvir.contracts.errors import TvirError, UsageError
from tvir.contracts.evidence import Evidence
from tvir.contracts.faults import first_fault
from tvir.contracts.metric import Context, Metric, ModelMetric, Points, Score, Scorecard
from tvir.contracts.model import GenerativeModel
from tvir.contracts.noise import mix_seed
from tvir.contracts.run import RunRecord
from tvir.evaluation import metrics
from tvir.evaluation.evidence import gather_evidence
from tvir.evaluation.extractor import ClassifiesFeatures, FeatureExtractor, LazyFeatures, find_extractors
from tvir.evaluation.intervals import about_intervals, standard_errors
from tvir.evaluation.measuring import Key, Measurement, measure_all, measure_model
from tvir.evaluation.pretrained import NeedsWeights, wanted

_SCORECARD = TypeAdapter(Scorecard)


def to_json(card: Scorecard) -> bytes:
    """A scorecard as indented JSON, in the documented shape."""
    return _SCORECARD.dump_json(card, indent=2) + b"\n"


def from_json(content: bytes) -> Scorecard:
    """Read what ``to_json`` wrote.

    Raises:
        UsageError: The content is no scorecard, or holds a number that is not finite.
    """
    try:
        return _SCORECARD.validate_json(content)
    except ValidationError as error:
        raise UsageError(f"this cannot be read as a scorecard: {first_fault(error)}") from None


def json_schema() -> bytes:
    """The JSON schema of ``to_json``, as kept in docs/scorecard.schema.json."""
    schema = _SCORECARD.json_schema(mode="serialization")
    described = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "A scorecard of tvir",
    }
    return json.dumps(described, indent=2).encode() + b"\n"


def find_metrics() -> list[Metric]:
    """Every metric there is, by walking ``evaluation/metrics``."""
    finals: Iterator[type[Metric]] = discover(metrics, Metric)
    return [final() for final in finals]


def find_model_metrics() -> list[ModelMetric]:
    """Every metric of models themselves, by walking ``evaluation/metrics``."""
    finals: Iterator[type[ModelMetric]] = discover(metrics, ModelMetric)
    return [final() for final in finals]


@cache
def shown_only() -> frozenset[str]:
    """Names of the values that are shown and never ranked on."""
    found = [*find_metrics(), *find_model_metrics()]
    return frozenset(quantity.name for metric in found for quantity in metric.quantities if not quantity.ranked)


@dataclass(frozen=True, kw_only=True)
class RealSide:
    """What is prepared once for a number of points: two real sets of that size, and the floors between them."""

    reference: Points
    context: Context
    floors: Mapping[Key, Measurement]


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A scorecard and the points that it speaks of, for figures; None where nothing could be measured."""

    card: Scorecard
    real: Points | None = None
    generated: Points | None = None
    context: Context | None = None

    def evidence(self) -> Evidence | None:
        """What lies behind the scores, for figures."""
        if self.real is None or self.generated is None or self.context is None:
            return None
        return gather_evidence(self.real, self.generated, self.context)


class Judge:
    """Judges generated examples against a dataset.

    The reference is the test split. The validation split plays an honest generator: what it scores against the
    reference, at the same sizes, is the floor. The training split serves extractors and the search for copies.

    Args:
        dataset: What the generators have learnt from.
        limit: Examples on either side at most.
        seed: Draws the examples and trains the classifier.
        weights: Files of pretrained weights to look through as well.
        progress: Called with (description, done, total).
        extractors: What to look through instead of all that there is.
        metrics: What to measure on samples instead of all that there is.
        reference: What the scorecard calls the reference, or None for the test split.
        copies: Whether the training split is what generators may have copied from. Otherwise it serves the extractors
            alone, and there is no axis of memorisation.
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        limit: int = 10_000,
        seed: int = 0,
        weights: Sequence[Path] = (),
        progress: Callable[[str, int, int], None] | None = None,
        extractors: Sequence[FeatureExtractor] | None = None,
        metrics: Sequence[Metric] | None = None,
        reference: str | None = None,
        copies: bool = True,
    ) -> None:
        self._dataset = dataset
        self._weights = tuple(weights)
        self._reference = reference or f"{dataset.reference} test split @{dataset.fingerprint[:12]}"
        self._seed = seed
        self._report = progress or (lambda description, done, total: None)
        self._findings: list[str] = []
        self._metrics = find_metrics() if metrics is None else list(metrics)
        self._extractors = list(self._prepare_extractors() if extractors is None else extractors)
        copied = dataset.train if copies else Examples(dataset.spec, dataset.train.rows[:0])
        self._train = self._points(copied.rows, copied.labels, classify=False)
        self._real_sides: dict[int, RealSide] = {}
        self._count = max(0, min(len(dataset.test), len(dataset.validation), limit))
        if self._judgeable:
            self._real_side(self._count)

    @property
    def sample_count(self) -> int:
        """How many generated rows are wanted."""
        return self._count

    @property
    def _judgeable(self) -> bool:
        return self._count > 0

    def floor_spreads(self) -> dict[Key, float]:
        """How far each floor would land from here with other real points: its standard error, over disjoint blocks."""
        if not self._judgeable:
            return {}
        real = self._real_side(self._count)
        floors = list(real.floors.values())
        errors = standard_errors(floors, real.reference, real.context.held_out, real.context)
        return {key: error.value for key, error in errors.items()}

    def judge(
        self,
        generated: Array,
        *,
        subject: str,
        labels: Array | None = None,
        model: GenerativeModel | None = None,
        run: RunRecord | None = None,
    ) -> Scorecard:
        """The scorecard of generated rows; see ``judged``."""
        return self.judged(generated, subject=subject, labels=labels, model=model, run=run).card

    def judged(
        self,
        generated: Array,
        *,
        subject: str,
        labels: Array | None = None,
        model: GenerativeModel | None = None,
        run: RunRecord | None = None,
    ) -> Judgement:
        """Measure generated rows.

        Args:
            generated: Boundary rows (N, *row_shape). Of more than ``sample_count`` the first are taken; with fewer,
                as many real ones are used and the floor is that of the smaller number.
            subject: What is judged, for the scorecard.
            labels: The classes that were asked for (N,), where the generator is conditional.
            model: The model itself, for what is measured on it and not on its samples.
            run: The record of its run, for what its training took.

        Raises:
            UsageError: The rows are not of the shape and type of the data.
        """
        self._check(generated)
        findings = list(self._findings)
        scores: list[Score] = []
        count = min(len(generated), self._count)
        real = points = None
        if reason := self._why_not(generated[:count], count):
            findings.append(reason)
        else:
            real = self._real_side(count)
            points = self._points(generated[:count], None if labels is None else labels[:count])
            if count < self._count:
                findings.append(
                    f"only {count} generated examples: compared with as many of the {self._count} real ones"
                )
            scores += self._scores(real, points, findings)
        if model is not None and self._judgeable:
            side = self._real_side(self._count)
            context = replace(side.context, run=run)
            scores += measure_model(find_model_metrics(), model, side.reference, context, findings)
        card = Scorecard(subject=subject, reference=self._reference, scores=tuple(scores), findings=tuple(findings))
        return Judgement(card=card, real=real and real.reference, generated=points, context=real and real.context)

    def _check(self, generated: Array) -> None:
        spec = self._dataset.spec
        if generated.shape[1:] != spec.row_shape or generated.dtype != spec.row_dtype:
            raise UsageError(
                f"generated examples are {generated.dtype} of shape {generated.shape[1:]}; "
                f"{self._dataset.reference} holds {spec.row_dtype} of shape {spec.row_shape}"
            )

    def _why_not(self, generated: Array, count: int) -> str | None:
        if self._count == 0:
            return "nothing was measured: the test or the validation split is empty"
        if count == 0:
            return "nothing was measured: there are no generated examples"
        if bad := int((~np.isfinite(generated.reshape(count, -1))).any(1).sum()):
            return f"nothing was measured: {bad} of {count} generated examples hold NaN or infinity"
        return None

    def _prepare_extractors(self) -> Iterator[FeatureExtractor]:
        if not len(self._dataset.train):
            return
        missing = [found for found in find_extractors() if issubclass(found, NeedsWeights)]
        if unknown := [path for path in self._weights if not any(found.recognises(path) for found in missing)]:
            raise UsageError(f"{unknown[0]} holds no weights that can be looked through; expected {wanted(missing)}")
        for found in find_extractors():
            try:
                extractor = found.prepare(self._dataset, seed=self._seed, report=self._report, weights=self._weights)
            except TvirError as error:
                if issubclass(found, NeedsWeights) and any(map(found.recognises, self._weights)):
                    raise  # it was asked for
                self._findings.append(f"{found.__name__} features left out: {error}")
                continue
            if extractor is not None:
                missing = [other for other in missing if other is not found]
                yield extractor
        if missing and isinstance(self._dataset.spec, ImageSpec):
            self._findings.append(f"no pretrained features; to look through them add --weights FILE: {wanted(missing)}")

    def _points(self, rows: Array, labels: Array | None, *, classify: bool = True) -> Points:
        features = LazyFeatures(rows, self._extractors)
        classifiers = [found for found in self._extractors if isinstance(found, ClassifiesFeatures)]
        predicted = classifiers[0].classify(features[classifiers[0].name]) if classify and classifiers else None
        return Points(rows=rows, features=features, labels=labels, predicted=predicted)

    def _real_side(self, count: int) -> RealSide:
        """Two real sets of ``count`` points and the floors between them, made once for every count."""
        if count not in self._real_sides:
            reference = self._draw(self._dataset.test, count, "reference")
            held_out = self._draw(self._dataset.validation, count, "held out")
            context = Context(
                spec=self._dataset.spec,
                train=self._train,
                held_out=held_out,
                modes=self._dataset.modes,
                seed=self._seed,
            )
            measured = self._measure(reference, held_out, context, [], "measuring the floor")
            floors = {one.key: one for one in measured if one.metric.has_floor}
            self._real_sides[count] = RealSide(reference=reference, context=context, floors=floors)
        return self._real_sides[count]

    def _draw(self, examples: Examples, count: int, purpose: str) -> Points:
        # Rows in order of drawing: the first of a smaller count are the first of a larger one.
        chosen = np.random.default_rng(mix_seed(self._seed, purpose)).permutation(len(examples))[:count]
        labels = None if examples.labels is None else np.asarray(examples.labels[chosen], dtype=np.int64)
        return self._points(examples.take(chosen), labels)

    def _scores(self, real: RealSide, generated: Points, findings: list[str]) -> Iterator[Score]:
        measured = list(self._measure(real.reference, generated, real.context, findings, "measuring"))
        errors = standard_errors(measured, real.reference, generated, real.context)
        findings += about_intervals(measured, errors, real.reference, generated)
        for one in measured:
            (quantity,) = (quantity for quantity in one.metric.quantities if quantity.name == one.name)
            floor, error = real.floors.get(one.key), errors.get(one.key)
            yield Score(
                axis=quantity.axis,
                metric=one.name,
                space=one.space,
                value=one.value,
                interval=error and error.interval(one.value),
                floor=floor and floor.value,
                better=quantity.better,
                n_real=len(real.reference),
                n_generated=len(generated),
            )

    def _measure(
        self, real: Points, generated: Points, context: Context, findings: list[str], purpose: str
    ) -> Iterator[Measurement]:
        def progress(done: int, total: int) -> None:
            self._report(purpose, done, total)

        return measure_all(self._metrics, real, generated, context, findings, progress)
