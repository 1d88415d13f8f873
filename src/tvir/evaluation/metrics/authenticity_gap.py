"""Whether generated points sit on training points more than unseen real ones do."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from tvir.contracts.metric import Axis, Context, Direction, Metric, Points, Quantity
from tvir.evaluation.matrices import first_space, matrix, require
from tvir.evaluation.remembering import remembered
from tvir.evaluation.training_neighbours import distances_within, training_neighbours


class AuthenticityGap(Metric):
    """Authenticity of the generated points less that of the reference; about 0 for an honest generator.

    A point is authentic when the training point nearest to it has another training point that is nearer still. The
    share of honest points that are depends on the dimension alone (about 0.38 in 2-D, 0.84 in 64-D), so that only its
    difference to real points that were not trained on means anything. In the first space, for at most 1,000 drawn
    points of either set against the whole training split.

    Reference:
        How Faithful is your Synthetic Data? Sample-level Metrics for Evaluating and Auditing Generative Models, arXiv
        2102.08921.

    Sample size:
        500 points: the spread of the gap is below sqrt(1 / 2n).

    Known failure:
        A blurred generator lies in the thick of the data and seems less authentic than it is; wild noise is authentic.
    """

    quantities = (
        Quantity("authenticity_gap", Axis.MEMORISATION, Direction.HIGHER),
        Quantity("authenticity", Axis.MEMORISATION, Direction.HIGHER, ranked=False),
    )
    in_blocks = False
    needs = "a training split"

    def applies(self, real: Points, context: Context) -> bool:
        return len(context.train) > 1

    def measure(self, real: Points, generated: Points, context: Context) -> Iterator[tuple[str, str, float]]:
        require(real, 2, "real")
        require(generated, 2, "generated")
        space = first_space(real)
        authentic = _authenticity(generated, context.train, context.seed)
        yield "authenticity_gap", space, authentic - _authenticity(real, context.train, context.seed)
        yield "authenticity", space, authentic


@remembered
def _authenticity(points: Points, train: Points, seed: int) -> float:
    found = training_neighbours(points, train, seed)
    return authentic_share(found.distances, distances_within(matrix(train, first_space(points)), found.indices))


def authentic_share(to_train: Tensor, within_train: Tensor) -> float:
    """Share of points farther from their training point than it is from its own neighbour.

    Args:
        to_train: Distance to the nearest training point, (N,).
        within_train: Distance of that training point to the nearest other one, (N,).
    """
    return float((to_train > within_train).double().mean())
