"""Texts measured by every metric of text, and a run placed in the plane of quality and diversity."""

from __future__ import annotations

from collections.abc import Sequence

from tvir.contracts.data import Array, Dataset, Examples, TextSpec
from tvir.contracts.errors import UsageError
from tvir.contracts.metric import Context, Metric, Points
from tvir.contracts.model import HasLikelihood, HasLikelihoodBound
from tvir.contracts.plane import PlanePoint
from tvir.evaluation.extractor import FeatureExtractor, LazyFeatures, Report
from tvir.evaluation.features.reader import Reader
from tvir.evaluation.features.word_counts import WordCounts
from tvir.evaluation.metrics.bleu import Bleu
from tvir.evaluation.metrics.c2st_accuracy import C2stAccuracy
from tvir.evaluation.metrics.distinct import Distinct
from tvir.evaluation.metrics.length_w1 import LengthW1
from tvir.evaluation.metrics.likelihood import bits_per_dimension, likelihood_space
from tvir.evaluation.metrics.mauve import Mauve
from tvir.evaluation.metrics.ngram_divergence import NgramDivergence
from tvir.evaluation.metrics.reverse_perplexity import ReversePerplexity
from tvir.evaluation.metrics.self_bleu import SelfBleu
from tvir.evaluation.metrics.text_copies import TextCopies
from tvir.evaluation.metrics.vocabulary_share import VocabularyShare
from tvir.evaluation.metrics.zipf_distance import ZipfDistance
from tvir.evaluation.subsampling import drawn_indices
from tvir.workflows.run import Run

_PLANE: tuple[Metric, ...] = (Bleu(), SelfBleu())
_OTHERS: tuple[Metric, ...] = (
    NgramDivergence(),
    Mauve(),
    C2stAccuracy(),
    Distinct(),
    LengthW1(),
    ZipfDistance(),
    VocabularyShare(),
    ReversePerplexity(),
    TextCopies(),
)


class TextRuler:
    """Measures texts against the test split of a dataset, all in the same numbers.

    Args:
        dataset: Texts.
        size: How many of either side are compared; fewer where the splits are smaller.
        seed: Of what is drawn.
        report: Told how far the extractors have come.

    Raises:
        UsageError: The dataset is no text.
    """

    def __init__(self, dataset: Dataset, report: Report, *, size: int = 1000, seed: int = 0) -> None:
        if not isinstance(dataset.spec, TextSpec):
            raise UsageError(f"{dataset.reference} holds no text; the plane of quality and diversity is one of text")
        self.size = min(size, len(dataset.test), len(dataset.validation))
        self._seed = seed
        found = [kind.prepare(dataset, seed=seed, report=report) for kind in (WordCounts, Reader)]
        self._extractors: list[FeatureExtractor] = [extractor for extractor in found if extractor]
        self._real, self._held_out = (self._drawn(split) for split in (dataset.test, dataset.validation))
        train = Points(rows=dataset.train.rows, features={})
        self._context = Context(spec=dataset.spec, train=train, held_out=self._held_out, seed=seed)

    def real(self) -> dict[str, float]:
        """What real texts score that are neither of the test split nor of the training split."""
        return self._scores(self._held_out, (*_PLANE, *_OTHERS))

    def measure(self, rows: Array) -> dict[str, float]:
        """Every score of made texts, by name, and by space where there are several."""
        return self._scores(self._points(rows), (*_PLANE, *_OTHERS))

    def measure_run(self, run: Run) -> dict[str, float]:
        """The scores of a run's samples, and its bits per character where it knows them."""
        scores = self.measure(run.sample(self.size, seed=self._seed + 1))
        model = run.model
        if isinstance(model, HasLikelihood | HasLikelihoodBound):
            few = self._real.rows[: min(200, self.size)]
            scores[f"bits_per_character [{likelihood_space(model)}]"] = bits_per_dimension(model, few, seed=self._seed)
        return scores

    def place(self, rows: Array, temperature: float = 1.0) -> PlanePoint:
        """Where made texts lie in the plane."""
        return plane_point(self._scores(self._points(rows), _PLANE), temperature)

    def curve(self, run: Run, temperatures: Sequence[float]) -> list[PlanePoint]:
        """Where a run lies as it grows bolder.

        Raises:
            UsageError: The model does not draw tokens.
        """
        return [
            self.place(run.sample(self.size, seed=self._seed + 1, temperature=temperature), temperature)
            for temperature in temperatures
        ]

    def _scores(self, made: Points, metrics: Sequence[Metric]) -> dict[str, float]:
        found = (
            measured
            for metric in metrics
            if metric.applies(self._real, self._context)
            for measured in metric.measure(self._real, made, self._context)
        )
        return {
            name if space == "-" else f"{name} [{space.split('@')[0]}]": float(value) for name, space, value in found
        }

    def _drawn(self, examples: Examples) -> Points:
        return self._points(examples.take(drawn_indices(len(examples), self.size, self._seed)))

    def _points(self, rows: Array) -> Points:
        return Points(rows=rows, features=LazyFeatures(rows, self._extractors))


def plane_point(scores: dict[str, float], temperature: float = 1.0) -> PlanePoint:
    """The place in the plane of texts with such scores."""
    return PlanePoint(repetition=scores["self_bleu_4"], fidelity=scores["bleu_4"], temperature=temperature)
