"""Confident and varied classes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from tvir.contracts.data import Array
from tvir.contracts.metric import Axis, Context, Direction, Metric, Points, Quantity
from tvir.evaluation.matrices import matrix, require
from tvir.evaluation.remembering import remembered
from tvir.evaluation.subsampling import drawn_indices, some_features

_FITTED = 3000


class InceptionScore(Metric):
    """exp of the mean KL(p(y|x) || p(y)) over generated points, between 1 and the number of classes.

    p(y|x) is a logistic regression on the features of each space, fitted to at most 3,000 real held-out points;
    Inception and its thousand classes say little of other data. The floor is what real points score.

    Reference:
        Improved Techniques for Training GANs, arXiv 1606.03498; A Note on the Inception Score, arXiv 1801.01973.

    Sample size:
        Biased downwards by about (K - 1) / 2n in its logarithm for K classes.

    Known failure:
        Never looks at the data: one perfect example of each class has the best score, and so may nonsense. Shown, never
        ranked on.
    """

    quantities = (Quantity("inception_score", Axis.FIDELITY, Direction.HIGHER, ranked=False),)
    in_blocks = False
    needs = "labels of at least two classes that are not made of parts"

    def applies(self, real: Points, context: Context) -> bool:
        labels = context.held_out.labels
        if len(context.spec.class_shape) > 1:
            return False
        return labels is not None and len(np.unique(labels[labels >= 0])) > 1

    def measure(self, real: Points, generated: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        require(generated, 1, "generated")
        for space in real.features:
            classifier = _classifier(context.held_out, space, context.seed)
            yield (
                "inception_score",
                space,
                inception_score(classifier.predict_proba(matrix(generated, space).cpu().numpy())),
            )


@remembered
def _classifier(held_out: Points, space: str, seed: int) -> Pipeline:
    assert held_out.labels is not None
    labels = held_out.labels[drawn_indices(len(held_out), _FITTED, seed)]
    features = some_features(held_out, space, _FITTED, seed).cpu().numpy()
    known = labels >= 0
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=200))
    # Its products are small: on a busy machine two BLAS threads waited for each other 20 times as long as one worked.
    with threadpool_limits(1, "blas"):
        return pipeline.fit(features[known], labels[known])


def inception_score(probabilities: Array) -> float:
    """The score of class probabilities (N, K).

    Example:
        >>> float(round(inception_score(np.eye(4)), 6)), float(round(inception_score(np.ones((5, 4)) / 4), 6))
        (4.0, 1.0)
    """
    kept = np.clip(probabilities.astype(np.float64), 1e-12, 1)
    overall = kept.mean(0)
    return float(np.exp((kept * (np.log(kept) - np.log(overall))).sum(1).mean()))
