"""What a classifier loses by learning from generated examples."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from tvir.contracts.data import Array
from tvir.contracts.metric import Axis, Context, Direction, Metric, Points, Quantity
from tvir.evaluation.matrices import first_space, matrix
from tvir.evaluation.probe import fit_probe

_FEWEST = 20


class TstrGap(Metric):
    """Accuracy on real points lost by training on generated instead of real ones (train on synthetic, test on real).

    In the first space. Half of the reference set trains the real probe, the other half tests both; the generated
    probe learns from as many points. Generated points carry the classes they were asked for or, where there are
    none, those that a classifier sees.

    Reference:
        Real-valued (Medical) Time Series Generation with Recurrent Conditional GANs, arXiv 1706.02633;
        How good is my GAN?, arXiv 1807.09499.

    Sample size:
        A standard error of sqrt(2 p (1 - p) / n_test): 1,000 tested points.

    Known failure:
        With predicted classes, a generator of easy examples only loses little.
    """

    quantities = (Quantity("tstr_gap", Axis.STRUCTURE, Direction.LOWER),)
    needs = "labels, of classes that are not made of parts"
    in_blocks = False

    def applies(self, real: Points, context: Context) -> bool:
        if real.labels is None or real.predicted is None or len(context.spec.class_shape) > 1:
            return False
        return len(context.spec.classes) > 1

    def measure(self, real: Points, generated: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        known = np.flatnonzero(_labels(real) >= 0)
        half = min(len(known) // 2, len(generated))
        if half < _FEWEST:
            raise ValueError(f"needs at least {_FEWEST} labelled points for training and there are {half}")
        space, classes = first_space(real), len(context.spec.classes)
        features, truth = matrix(real, space)[known], torch.from_numpy(_labels(real)[known])
        made, asked = matrix(generated, space)[:half], torch.from_numpy(_labels(generated)[:half])
        tested, answers = features[half:], truth[half:]

        def accuracy(points: Tensor, labels: Tensor) -> float:
            predict = fit_probe(points, labels.to(points.device), classes, seed=context.seed)
            return float((predict(tested).cpu() == answers).double().mean())

        yield "tstr_gap", space, accuracy(features[:half], truth[:half]) - accuracy(made, asked)


def _labels(points: Points) -> Array:
    labels = points.predicted if points.labels is None else points.labels
    if labels is None:
        raise ValueError("the classes of the points are not known")
    return labels
