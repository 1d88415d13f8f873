"""Judging generated examples: all metrics in all spaces, each beside its floor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter, ValidationError

from tvir.contracts.data import Array, Dataset, Examples, TextSpec
from tvir.contracts.discovery import discover
from tvir.contracts.errors import TvirError, UsageError
from tvir.contracts.evidence import Evidence
from tvir.contracts.metric import Context, Metric, ModelMetric, Points, Score, Scorecard
from tvir.contracts.model import GenerativeModel
from tvir.contracts.noise import mix_seed
from tvir.contracts.run import RunRecord
from tvir.evaluation import metrics
from tvir.evaluation.evidence import gather_evidence
from tvir.evaluation.extractor import ClassifiesFeatures, FeatureExtractor, LazyFeatures, find_extractors

Key = tuple[str, str]
"""Name of a value and space it was measured in."""

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
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise UsageError(f"this cannot be read as a scorecard: {where}: {first['msg']}") from None


def find_metrics() -> list[Metric]:
    """Every metric there is, by walking ``evaluation/metrics``."""
    finals: Iterator[type[Metric]] = discover(metrics, Metric)
    return [final() for final in finals]


def find_model_metrics() -> list[ModelMetric]:
    """Every metric of models themselves, by walking ``evaluation/metrics``."""
    finals: Iterator[type[ModelMetric]] = discover(metrics, ModelMetric)
    return [final() for final in finals]


@dataclass(frozen=True, kw_only=True)
class RealSide:
    """What is prepared once for a number of points: two real sets of that size, and the floors between them."""

    reference: Points
    context: Context
    floors: Mapping[Key, float]


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
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        limit: int = 10_000,
        seed: int = 0,
        weights: Sequence[Path] = (),
        progress: Callable[[str, int, int], None] | None = None,
    ) -> None:
        self._dataset = dataset
        self._weights = tuple(weights)
        self._seed = seed
        self._report = progress or (lambda description, done, total: None)
        self._findings: list[str] = []
        self._metrics = find_metrics()
        self._extractors = list(self._prepare_extractors())
        self._train = self._points(dataset.train.rows, dataset.train.labels, classify=False)
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
        return not isinstance(self._dataset.spec, TextSpec) and self._count > 0

    def judge(
        self,
        generated: Array,
        *,
        subject: str,
        labels: Array | None = None,
        model: GenerativeModel | None = None,
        run: RunRecord | None = None,
    ) -> Scorecard:
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
        reason = self._why_not(generated[:count], count)
        if reason:
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
            scores += self._model_scores(model, run, findings)
        reference = f"{self._dataset.reference} test split @{self._dataset.fingerprint[:12]}"
        return Scorecard(subject=subject, reference=reference, scores=tuple(scores), findings=tuple(findings))

    def _check(self, generated: Array) -> None:
        spec = self._dataset.spec
        if generated.shape[1:] != spec.row_shape or generated.dtype != spec.row_dtype:
            raise UsageError(
                f"generated examples are {generated.dtype} of shape {generated.shape[1:]}; "
                f"{self._dataset.reference} holds {spec.row_dtype} of shape {spec.row_shape}"
            )

    def _why_not(self, generated: Array, count: int) -> str | None:
        if isinstance(self._dataset.spec, TextSpec):
            return "text cannot be judged yet"
        if self._count == 0:
            return "nothing was measured: the test or the validation split is empty"
        if count == 0:
            return "nothing was measured: there are no generated examples"
        if bad := int((~np.isfinite(generated.reshape(count, -1))).any(1).sum()):
            return f"nothing was measured: {bad} of {count} generated examples hold NaN or infinity"
        return None

    def _prepare_extractors(self) -> Iterator[FeatureExtractor]:
        if isinstance(self._dataset.spec, TextSpec) or not len(self._dataset.train):
            return
        for found in find_extractors():
            try:
                extractor = found.prepare(self._dataset, seed=self._seed, report=self._report, weights=self._weights)
            except TvirError as error:
                self._findings.append(f"{found.__name__} features left out: {error}")
                continue
            if extractor is not None:
                yield extractor

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
            floors = {
                (name, space): value
                for metric, name, space, value in self._measure(reference, held_out, context, [], "measuring the floor")
                if metric.has_floor
            }
            self._real_sides[count] = RealSide(reference=reference, context=context, floors=floors)
        return self._real_sides[count]

    def _draw(self, examples: Examples, count: int, purpose: str) -> Points:
        # Rows in order of drawing: the first of a smaller count are the first of a larger one.
        chosen = np.random.default_rng(mix_seed(self._seed, purpose)).permutation(len(examples))[:count]
        labels = None if examples.labels is None else np.asarray(examples.labels[chosen], dtype=np.int64)
        return self._points(examples.take(chosen), labels)

    def _scores(self, real: RealSide, generated: Points, findings: list[str]) -> Iterator[Score]:
        measured = self._measure(real.reference, generated, real.context, findings, "measuring")
        for metric, name, space, value in measured:
            (quantity,) = (quantity for quantity in metric.quantities if quantity.name == name)
            yield Score(
                axis=quantity.axis,
                metric=name,
                space=space,
                value=value,
                floor=real.floors.get((name, space)),
                better=quantity.better,
                n_real=len(real.reference),
                n_generated=len(generated),
            )

    def _measure(
        self, real: Points, generated: Points, context: Context, findings: list[str], purpose: str
    ) -> Iterator[tuple[Metric, str, str, float]]:
        """Every value that every metric yields; what fails or does not apply becomes a finding."""
        for number, metric in enumerate(self._metrics):
            self._report(purpose, number, len(self._metrics))
            what = ", ".join(quantity.name for quantity in metric.quantities)
            if not metric.applies(real, context):
                if metric.needs:
                    findings.append(f"{what}: left out, needs {metric.needs}")
                continue
            try:
                for name, space, value in metric.measure(real, generated, context):
                    if np.isfinite(value):
                        yield metric, name, space, float(value)
                    else:
                        findings.append(f"{name} in {space}: left out, came out as {value}")
                findings += metric.doubts(real, generated, context)
            except (ValueError, ArithmeticError, RuntimeError, TvirError) as error:
                findings.append(f"{what}: left out: {str(error).splitlines()[0] if str(error) else repr(error)}")
        self._report(purpose, len(self._metrics), len(self._metrics))

    def _model_scores(self, model: GenerativeModel, run: RunRecord | None, findings: list[str]) -> Iterator[Score]:
        real = self._real_side(self._count)
        context = replace(real.context, run=run)
        for metric in find_model_metrics():
            what = ", ".join(quantity.name for quantity in metric.quantities)
            if not metric.applies(model, context):
                continue
            try:
                for name, space, value in metric.measure(model, real.reference, context):
                    (quantity,) = (quantity for quantity in metric.quantities if quantity.name == name)
                    if not np.isfinite(value):
                        raise ValueError(f"{name} came out as {value}")
                    count = len(real.reference)
                    yield Score(
                        axis=quantity.axis, metric=name, space=space, value=value, better=quantity.better,
                        n_real=count, n_generated=count,
                    )  # fmt: skip
                findings += metric.doubts(model, real.reference, context)
            except (ValueError, ArithmeticError, RuntimeError, TvirError) as error:
                findings.append(f"{what}: left out: {str(error).splitlines()[0] if str(error) else repr(error)}")

    def evidence(self, generated: Array, labels: Array | None = None) -> Evidence | None:
        """What lies behind the scores of generated rows, for figures; None where ``judge`` would measure nothing."""
        self._check(generated)
        count = min(len(generated), self._count)
        if self._why_not(generated[:count], count):
            return None
        real = self._real_side(count)
        points = self._points(generated[:count], None if labels is None else labels[:count])
        return gather_evidence(real.reference, points, real.context)
