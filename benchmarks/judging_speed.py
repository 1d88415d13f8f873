"""Speed of judging: k-NN radii, precision/recall/density/coverage and the Frechet distance, each against its peers.

    pip install -e '.[bench]'
    python benchmarks/judging_speed.py [--count 10000] [--dimensions 2048] [--rounds 5] [--threads 2]

Both sides see the same float32 features, as many rows on either side, and alternate within one run. Before anything is
timed every pair of sides is run once, and how far their answers lie apart is printed. The radii reach the fifth
neighbour. The Frechet distance is timed twice: from features, where both sides also compute means and covariances, and
from covariances alone, where scipy's side is nothing but the matrix root and the traces. To try the script in seconds:
--count 1000 --dimensions 256.
"""

# The peers are installed only where they are measured.
# pyright: reportMissingImports=false

from __future__ import annotations

import argparse
import contextlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import faiss
import numpy as np
import prdc
import scipy.linalg
import torch
from measuring import alternate, once, report_seconds
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits
from torch import Tensor

from tvir.contracts.data import Array
from tvir.evaluation.metrics.precision_recall_density_coverage import NEIGHBOURS, ball_scores, squared_radii
from tvir.evaluation.moments import centred_covariance, factored, frechet, moments


@dataclass(frozen=True)
class Side:
    """One way to an answer. Answers of the sides of one comparison are numbers that should agree."""

    label: str
    answer: Callable[[], Array]


def radii(features: Array) -> list[Side]:
    """Distance of every row to its fifth neighbour among the others."""

    def by_faiss() -> Array:
        index = faiss.IndexFlatL2(features.shape[1])
        index.add(features)
        squared, _ = index.search(features, NEIGHBOURS + 1)  # the nearest is the row itself
        return np.sqrt(np.maximum(squared[:, -1], 0))

    def by_scikit_learn() -> Array:
        found = NearestNeighbors(n_neighbors=NEIGHBOURS, algorithm="brute").fit(features)
        return found.kneighbors()[0][:, -1]

    return [
        Side("tvir", lambda: squared_radii(torch.from_numpy(features)).sqrt().numpy()),
        Side("faiss", by_faiss),
        Side("scikit-learn", by_scikit_learn),
        Side("prdc", lambda: prdc.prdc.compute_nearest_neighbour_distances(features, NEIGHBOURS)),
    ]


def cover(real: Array, generated: Array) -> list[Side]:
    """Precision, recall, density and coverage, radii included."""

    def ours() -> Array:
        first, second = torch.from_numpy(real), torch.from_numpy(generated)
        scores = ball_scores(first, second, squared_radii(first), squared_radii(second))
        return np.array([scores.precision, scores.recall, scores.density, scores.coverage])

    def by_prdc() -> Array:
        with contextlib.redirect_stdout(io.StringIO()):
            scores = prdc.compute_prdc(real, generated, NEIGHBOURS)
        return np.array([scores["precision"], scores["recall"], scores["density"], scores["coverage"]])

    return [Side("tvir", ours), Side("prdc", by_prdc)]


def by_sqrtm(first: tuple[Array, Array], second: tuple[Array, Array]) -> Array:
    """The Frechet distance between two means and covariances, as it is usually computed."""
    (m1, s1), (m2, s2) = first, second
    root = scipy.linalg.sqrtm(s1 @ s2)
    return np.array([np.square(m1 - m2).sum() + np.trace(s1) + np.trace(s2) - 2 * np.trace(np.real(root))])


def frechet_from_features(real: Array, generated: Array) -> list[Side]:
    """The Frechet distance, means and covariances included."""

    def ours() -> Array:
        return np.array([frechet(moments(torch.from_numpy(real)), moments(torch.from_numpy(generated)))])

    def usual(features: Array) -> tuple[Array, Array]:
        return np.mean(features, axis=0), np.cov(features, rowvar=False)

    return [Side("tvir", ours), Side("scipy sqrtm", lambda: by_sqrtm(usual(real), usual(generated)))]


def frechet_from_covariances(real: Array, generated: Array) -> list[Side]:
    """The Frechet distance when means and covariances are known."""
    first, second = (centred_covariance(torch.from_numpy(features)) for features in (real, generated))

    def usual(mean: Tensor, covariance: Tensor) -> tuple[Array, Array]:
        return mean.numpy(), covariance.numpy()

    return [
        Side("tvir", lambda: np.array([frechet(factored(*first), factored(*second))])),
        Side("scipy sqrtm", lambda: by_sqrtm(usual(*first), usual(*second))),
    ]


def compare(name: str, sides: Sequence[Side], rounds: int) -> None:
    """Print how far the answers lie apart, then time the sides in turn."""
    ours, *others = (side.answer() for side in sides)
    windows = alternate([once(side.answer) for side in sides], rounds)
    report_seconds(name, [side.label for side in sides], windows)
    for side, answer in zip(sides[1:], others, strict=True):
        apart = float(np.abs(answer - ours).max() / max(np.abs(ours).max(), 1e-12))
        print(f"  {side.label}: answers at most {apart:.1e} apart, relative to the largest")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--dimensions", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    faiss.omp_set_num_threads(arguments.threads)
    drawing = np.random.default_rng(0)
    shape = (arguments.count, arguments.dimensions)
    real = drawing.standard_normal(shape, dtype=np.float32)
    generated = 0.9 * drawing.standard_normal(shape, dtype=np.float32) + np.float32(0.1)
    size = f"{arguments.count:,} x {arguments.dimensions:,}"
    with threadpool_limits(arguments.threads):
        compare(f"k-NN radii, {size}", radii(real), arguments.rounds)
        compare(f"precision, recall, density, coverage, {size}", cover(real, generated), arguments.rounds)
        compare(f"Frechet distance from features, {size}", frechet_from_features(real, generated), arguments.rounds)
        name = f"Frechet distance from covariances, {arguments.dimensions:,} dimensions"
        compare(name, frechet_from_covariances(real, generated), arguments.rounds)


if __name__ == "__main__":
    main()
