"""Frechet distance between two sets of features."""

from __future__ import annotations

from collections.abc import Iterator

from tvir.contracts.metric import Axis, Context, Direction, Metric, Points, Quantity
from tvir.evaluation.matrices import matrix, require
from tvir.evaluation.moments import Moments, frechet, moments
from tvir.evaluation.remembering import remembered


class FrechetDistance(Metric):
    """Squared 2-Wasserstein distance between Gaussians fitted to both sets.

    |m1 - m2|^2 + tr(S1 + S2 - 2 sqrt(S1 S2)).

    Reference:
        GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium, arXiv 1706.08500.

    Sample size:
        Biased upwards by about 2D/N + D(D+1)/(2N) for D dimensions of unit variance: compare only at equal N, with N
        well above D; beside its floor.

    Known failure:
        Sees two moments only: N(0, I) and random signs are the same to it. Its bias differs between models, so a
        small difference at finite N may be bias alone (arXiv 1911.07023).
    """

    quantities = (Quantity("frechet_distance", Axis.FIDELITY, Direction.LOWER),)

    def applies(self, real: Points, context: Context) -> bool:
        return True

    def measure(self, real: Points, generated: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        require(real, 2, "real")
        require(generated, 2, "generated")
        for space in real.features:
            value = frechet(_moments(real, space), _moments(generated, space))
            yield "frechet_distance", space, value

    def doubts(self, real: Points, generated: Points, context: Context) -> Iterator[str]:
        for space in real.features:
            count, dimensions = min(len(real), len(generated)), real.features[space].shape[1]
            if count <= dimensions:
                yield (
                    f"frechet_distance in {space}: {count} points in {dimensions} dimensions leave the covariance "
                    "singular; computed from the Gram matrix, comparable only at this number of points"
                )


@remembered
def _moments(points: Points, space: str) -> Moments:
    return moments(matrix(points, space))
