"""What metrics see: perturbed sets beside several honest ones, all at the same sizes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tvir.contracts.data import Array, Dataset, Examples, TextSpec
from tvir.contracts.errors import TvirError
from tvir.contracts.metric import Context, Direction, Metric, Points
from tvir.contracts.noise import mix_seed
from tvir.evaluation.extractor import ClassifiesFeatures, FeatureExtractor, LazyFeatures, find_extractors
from tvir.evaluation.measuring import Key, measure_all
from tvir.evaluation.perturbations import PERTURBATIONS, Material
from tvir.evaluation.scorecard import find_metrics
from tvir.evaluation.text_perturbations import TEXT_PERTURBATIONS

Movement = Literal["worse", "much worse", "better", "much better"]
"""Where a value went that did not stay among the honest ones."""

PARTITIONS = 4
"""How often the real rows are dealt anew; each deal gives two honest values."""

MARGIN, STRONG_MARGIN = 1.0, 5.0
"""In widths of the honest range, beyond it. For eight normal values the first is about four standard deviations."""


def movement(value: float, honest: Sequence[float], better: Direction) -> Movement | None:
    """Where a value lies beside those of honest sets, or None where they might have scored it as well.

    Args:
        value: Of the perturbed set.
        honest: The same metric between sets of real data, at the same sizes.
        better: Direction of the metric.

    Example:
        >>> [movement(value, [0.9, 1.0], Direction.HIGHER) for value in (0.95, 0.7, 0.3, 1.3)]
        [None, 'worse', 'much worse', 'better']
    """
    low, high = min(honest), max(honest)
    beyond = max(low - value, value - high)
    if beyond <= MARGIN * (high - low):
        return None
    # Where all honest values agree there is no width to call anything strong by.
    strong = high > low and beyond > STRONG_MARGIN * (high - low)
    if (value > high) == (better is Direction.HIGHER):
        return "much better" if strong else "better"
    return "much worse" if strong else "worse"


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """Honest and perturbed values of every metric in every space (named without its hash).

    Args:
        count: Examples on either side.
        honest: Values between real sets.
        perturbed: Values by perturbation.
    """

    count: int
    honest: Mapping[Key, Sequence[float]]
    perturbed: Mapping[str, Mapping[Key, float]]

    def movement(self, perturbation: str, key: Key) -> Movement | None:
        """Where a perturbation moved a metric."""
        return movement(self.perturbed[perturbation][key], self.honest[key], directions()[key[0]])


def directions() -> dict[str, Direction]:
    """Which way every value is better."""
    return {quantity.name: quantity.better for metric in find_metrics() for quantity in metric.quantities}


@dataclass(frozen=True, kw_only=True)
class _Deal:
    """One way of dealing the real rows that were not trained on."""

    reference: Points
    context: Context
    fresh: Array


class Observing:
    """Measures perturbations of a labelled dataset of images, or of texts.

    The training split is fitted to and copied from; all other rows are dealt to reference, held-out and fresh rows
    several times over. Perturbed sets are made of the fresh rows of the first deal.

    Args:
        dataset: Labelled square images, or texts of characters.
        count: Examples on either side, at most a quarter of those outside the training split.
        seed: Of the deals, of the extractors and of the perturbations.
        metrics: What is measured; by default all there is.
        report: Told what is measured.
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        count: int,
        seed: int = 0,
        metrics: Sequence[Metric] | None = None,
        report: Callable[[str], None] | None = None,
    ) -> None:
        self._dataset = dataset
        self._count = count
        self._seed = seed
        self._report = report or (lambda name: None)
        self._metrics = find_metrics() if metrics is None else metrics
        self._extractors = list(_prepared(dataset, seed))
        self._train = self._points(dataset.train.rows)
        self._rows = np.concatenate([dataset.validation.rows, dataset.test.rows])
        self._labels = np.concatenate([_labels(split) for split in (dataset.validation, dataset.test)])

    def observe(self) -> Behaviour:
        """Measure everything."""
        deals = [self._deal(number) for number in range(PARTITIONS)]
        honest: dict[Key, list[float]] = defaultdict(list)
        for number, deal in enumerate(deals):
            self._report(f"honest {number + 1}")
            for generated in (deal.context.held_out, self._points(self._rows[deal.fresh[: self._count]])):
                for key, value in self._measure(deal, generated):
                    honest[key].append(value)
        material = self._material(deals[0])
        perturbed: dict[str, dict[Key, float]] = {}
        known = TEXT_PERTURBATIONS if isinstance(self._dataset.spec, TextSpec) else PERTURBATIONS
        for name, perturb in known.items():
            self._report(name)
            perturbed[name] = dict(self._measure(deals[0], self._points(perturb(material))))
        return Behaviour(count=self._count, honest=honest, perturbed=perturbed)

    def _points(self, rows: Array, labels: Array | None = None) -> Points:
        features = LazyFeatures(rows, self._extractors)
        classifiers = [found for found in self._extractors if isinstance(found, ClassifiesFeatures)]
        predicted = classifiers[0].classify(features[classifiers[0].name]) if classifiers else None
        return Points(rows=rows, features=features, labels=labels, predicted=predicted)

    def _deal(self, number: int) -> _Deal:
        order = np.random.default_rng(mix_seed(self._seed, f"deal {number}")).permutation(len(self._rows))
        reference, held_out, fresh = np.split(order, [self._count, 2 * self._count])
        context = Context(
            spec=self._dataset.spec, train=self._train, held_out=self._real(held_out), modes=None, seed=self._seed
        )
        return _Deal(reference=self._real(reference), context=context, fresh=fresh)

    def _real(self, indices: Array) -> Points:
        return self._points(self._rows[indices], self._labels[indices])

    def _material(self, deal: _Deal) -> Material:
        return Material(
            rows=self._rows[deal.fresh],
            labels=self._labels[deal.fresh],
            train=np.asarray(self._dataset.train.rows[: self._count]),
            count=self._count,
            seed=self._seed,
            spec=self._dataset.spec,
        )

    def _measure(self, deal: _Deal, generated: Points) -> Iterator[tuple[Key, float]]:
        # What is generated carries no classes: most generators have none.
        bare = Points(rows=generated.rows, features=generated.features, predicted=generated.predicted)
        for one in measure_all(self._metrics, deal.reference, bare, deal.context, []):
            yield (one.name, one.space.split("@")[0]), one.value


def _prepared(dataset: Dataset, seed: int) -> Iterator[FeatureExtractor]:
    """What can be looked through without files of pretrained weights."""
    for found in find_extractors():
        try:
            extractor = found.prepare(dataset, seed=seed, report=lambda *_: None)
        except TvirError:
            continue
        if extractor is not None:
            yield extractor


def dealt_anew(dataset: Dataset, *, count: int, seed: int = 0, most_train: int = 20_000) -> Dataset:
    """A labelled dataset with four times ``count`` examples outside its training split.

    A test split that is large enough keeps the training split apart as its maker meant it; of a small dataset the whole
    is shuffled.

    Args:
        dataset: Labelled.
        count: Examples on either side of what is to be measured.
        seed: Of the shuffle.
        most_train: Training examples, at most.
    """
    keeps = len(dataset.test) >= 4 * count
    parts = [dataset.train] if keeps else [dataset.train, dataset.validation, dataset.test]
    rows = np.concatenate([part.rows for part in parts])
    labels = np.concatenate([_labels(part) for part in parts])
    order = np.random.default_rng(seed).permutation(len(rows))
    apart = len(rows) if keeps else len(rows) - 4 * count
    chosen = order[:apart][:most_train]
    rest = (dataset.test.rows, _labels(dataset.test)) if keeps else (rows[order[apart:]], labels[order[apart:]])
    halves = zip(*(np.array_split(side, 2) for side in rest), strict=True)
    validation, test = (Examples(dataset.spec, *half) for half in halves)
    return Dataset(
        reference=dataset.reference,
        fingerprint=f"{dataset.fingerprint}-behaviour-{count}-{seed}-{most_train}",
        train=Examples(dataset.spec, rows[chosen], labels[chosen]),
        validation=validation,
        test=test,
    )


def _labels(split: Examples) -> Array:
    if isinstance(split.spec, TextSpec):
        return np.full(len(split), -1, dtype=np.int64)
    if split.labels is None:
        raise ValueError("perturbations of classes need labels")
    return np.asarray(split.labels)
