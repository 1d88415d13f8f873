"""What lies behind the scores: distributions of real and generated examples, ready to be drawn."""

from __future__ import annotations

from dataclasses import dataclass

from tvir.contracts.data import Array


@dataclass(frozen=True, kw_only=True)
class Spectrum:
    """Radial power spectra.

    Args:
        frequencies: Middle of every ring; 1 is the Nyquist frequency, the last ring reaches beyond it to the corners.
        real: Share of the power of real images in every ring.
        generated: The same of generated ones.
    """

    frequencies: tuple[float, ...]
    real: tuple[float, ...]
    generated: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class DistanceHistogram:
    """How often distances fall into bins of equal width that begin at 0.

    The width depends on the real distances alone, so that histograms of several generators against the same real
    examples share their bins; there are as many bins as either set needs, and the last one holds whatever is further.

    Args:
        space: Full name of the space the distances were measured in; "-" for the rows themselves.
        width: Of a bin.
        real: Share of the real distances in every bin.
        generated: The same of generated ones; as many bins.
        open_ended: Whether the last bin holds distances beyond its end.
    """

    space: str
    width: float
    real: tuple[float, ...]
    generated: tuple[float, ...]
    open_ended: bool = False


@dataclass(frozen=True, kw_only=True)
class ClassHistogram:
    """How often each class is seen by the classifier that names them in both sets.

    Args:
        classes: Their names.
        real: Share of real examples.
        generated: Share of generated ones.
    """

    classes: tuple[str, ...]
    real: tuple[float, ...]
    generated: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class NearestPair:
    """A generated example beside the training example nearest to it.

    Args:
        generated: Boundary row (row_shape).
        training: Boundary row (row_shape).
        distance: Root mean squared difference of the two.
    """

    generated: Array
    training: Array
    distance: float


@dataclass(frozen=True, kw_only=True)
class NearestTraining:
    """How close generated examples come to the training set.

    Args:
        distances: From real examples outside the training set, and from generated ones, to their nearest training
            example.
        threshold: Whatever is strictly closer counts as a copy.
        pairs: The closest pairs, closest first.
        count: Generated examples that the pairs were taken from.
    """

    distances: DistanceHistogram
    threshold: float
    pairs: tuple[NearestPair, ...]
    count: int


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything that figures are drawn from. What could not be measured is missing.

    Args:
        spectrum: Of images.
        distances: Pairwise distances within either set, one histogram per space.
        classes: Where there is a classifier.
        nearest: Where there is a training split.
    """

    spectrum: Spectrum | None = None
    distances: tuple[DistanceHistogram, ...] = ()
    classes: ClassHistogram | None = None
    nearest: NearestTraining | None = None
