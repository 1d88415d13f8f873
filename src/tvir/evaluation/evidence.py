"""What lies behind the scores, computed by the same functions as the metrics that it explains."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tvir.contracts.data import Array, ImageSpec, TextSpec
from tvir.contracts.evidence import (
    ClassHistogram,
    DistanceHistogram,
    Evidence,
    NearestPair,
    NearestTraining,
    Spectrum,
)
from tvir.contracts.metric import Context, Points
from tvir.evaluation.metrics.class_histogram import class_counts, real_class_counts
from tvir.evaluation.metrics.copy_rate import copy_threshold, nearest_training
from tvir.evaluation.metrics.pairwise_distance_w1 import sorted_distances
from tvir.evaluation.metrics.spectrum_w1 import radial_spectrum

PAIRS = 12
"""Nearest pairs that are kept: enough to see a habit, few enough to look at."""

_BINS = 40
"""Bins up to the largest real distance."""

_MOST_BINS = 120


def gather_evidence(real: Points, generated: Points, context: Context) -> Evidence:
    """The distributions that figures show.

    Args:
        real: The reference set.
        generated: As many generated examples.
        context: With the training split.
    """
    return Evidence(
        spectrum=_spectrum(real, generated, context),
        distances=tuple(_pairwise(real, generated)),
        classes=_classes(real, generated, context),
        nearest=_nearest(real, generated, context),
    )


def distance_histogram(space: str, real: Array, generated: Array) -> DistanceHistogram | None:
    """Distances in bins that only the real ones decide, or None where all real distances are 0.

    Example:
        >>> found = distance_histogram("-", np.array([1.0, 4.0]), np.array([1.0, 8.0]))
        >>> found.width, len(found.real), found.real[-1], found.generated[-1]
        (0.1, 81, 0.0, 0.5)
    """
    width = float(real.max()) / _BINS
    if width == 0:
        return None
    furthest = max(float(real.max()), float(generated.max()))
    bins = min(int(furthest / width) + 1, _MOST_BINS)
    shares = [
        np.bincount(np.minimum(distances / width, bins - 1).astype(np.int64), minlength=bins) / len(distances)
        for distances in (real, generated)
    ]
    return DistanceHistogram(
        space=space,
        width=width,
        real=tuple(map(float, shares[0])),
        generated=tuple(map(float, shares[1])),
        open_ended=furthest >= bins * width,
    )


def _spectrum(real: Points, generated: Points, context: Context) -> Spectrum | None:
    if not isinstance(context.spec, ImageSpec):
        return None
    try:
        known, made = radial_spectrum(real), radial_spectrum(generated)
    except ValueError:  # every image of a set is constant; the metric says so
        return None
    rings = max(1, len(known) - 1)
    return Spectrum(
        frequencies=tuple(ring / rings for ring in range(len(known))),
        real=tuple(known.tolist()),
        generated=tuple(made.tolist()),
    )


def _pairwise(real: Points, generated: Points) -> Iterator[DistanceHistogram]:
    if min(len(real), len(generated)) < 2:
        return
    for space in real.features:
        known, made = (sorted_distances(points, space).cpu().numpy() for points in (real, generated))
        if (found := distance_histogram(space, known, made)) is not None:
            yield found


def _classes(real: Points, generated: Points, context: Context) -> ClassHistogram | None:
    if real.predicted is None or generated.predicted is None:
        return None
    names = context.spec.classes
    known, made = real_class_counts(real.predicted, context.spec), class_counts(generated.predicted, context.spec)
    return ClassHistogram(
        classes=tuple(names), real=tuple((known / known.sum()).tolist()), generated=tuple((made / made.sum()).tolist())
    )


def _nearest(real: Points, generated: Points, context: Context) -> NearestTraining | None:
    if not len(context.train) or len(real) < 2 or isinstance(context.spec, TextSpec):
        return None
    known, made = nearest_training(real, context.train), nearest_training(generated, context.train)
    histogram = distance_histogram("-", known.distances, made.distances)
    if histogram is None:
        return None
    closest = np.argsort(made.distances, kind="stable")[:PAIRS]
    pairs = [
        NearestPair(
            generated=np.array(generated.rows[index]),
            training=np.array(context.train.rows[made.indices[index]]),
            distance=float(made.distances[index]),
        )
        for index in closest
    ]
    return NearestTraining(
        distances=histogram,
        threshold=copy_threshold(real, context.train),
        pairs=tuple(pairs),
        count=len(generated),
    )
