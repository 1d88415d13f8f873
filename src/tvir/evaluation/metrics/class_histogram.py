"""Which classes a generator makes, and how often."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tvir.contracts.data import Array, DataSpec
from tvir.contracts.metric import Axis, Context, Direction, Metric, Points, Quantity
from tvir.evaluation.histograms import histogram_divergence, independent_counts

FOUND_SHARE = 0.1
"""A class made this many times as often as it is real, or more often, has been found."""


class ClassHistogram(Metric):
    """Number of classes made, and KL(generated || real) in nats between the histograms of predicted classes.

    A classifier trained on the training split names the class of every point of *both* sets, so that its own
    preferences cancel. A mode is a class; it counts when it is made at least a tenth as often as it is real, because
    one mistaken point of the classifier must not hide a class that was dropped. Where classes are made of independent
    parts (stacked images), the real histogram is the product of the parts' histograms.

    Reference:
        VEEGAN, arXiv 1705.07761; PacGAN, arXiv 1712.04086 (stacked MNIST).

    Sample size:
        A perfect model has an expected divergence of about (K - 1) / (2n) for K classes, and twice that where the
        real histogram comes from n points as well and is no product. 20 points per class.

    Known failure:
        Blind to everything inside a class and to quality: noise is given classes too.
    """

    quantities = (
        Quantity("mode_count", Axis.DIVERSITY, Direction.HIGHER),
        Quantity("class_kl", Axis.DIVERSITY, Direction.LOWER),
    )
    needs = "a classifier, and so labels in the training split"

    def applies(self, real: Points, context: Context) -> bool:
        return real.predicted is not None

    def measure(self, real: Points, generated: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        made = class_counts(generated.predicted, context.spec)
        known = real_class_counts(real.predicted, context.spec)
        least = np.maximum(1, FOUND_SHARE * known * made.sum() / known.sum())
        yield "mode_count", "-", float((made >= least).sum())
        yield "class_kl", "-", histogram_divergence(made, known)


def class_counts(labels: Array | None, spec: DataSpec) -> Array:
    """How many points were given each class, (K,).

    Raises:
        ValueError: No classes were predicted.
    """
    if labels is None or not len(labels):
        raise ValueError("there are no predicted classes")
    return np.bincount(labels, minlength=len(spec.classes)).astype(np.float64)


def real_class_counts(labels: Array | None, spec: DataSpec) -> Array:
    """How many of as many real points are expected of each class, (K,).

    Those that were seen; where classes are made of independent parts, far fewer numbers are to be learnt from them.

    Raises:
        ValueError: No classes were predicted.
    """
    return independent_counts(class_counts(labels, spec), spec.class_shape)
