"""Ranks of models on every axis, as far as the verdicts decide them. No model is called best overall by adding up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tvir.contracts.metric import Axis
from tvir.contracts.verdict import AxisRanks, PairVerdict, Verdict


def rank(subjects: Sequence[str], verdicts: Sequence[Verdict]) -> tuple[AxisRanks, ...]:
    """Rank models on every axis on which two of them were compared.

    A model is ahead of another on an axis when it is ahead on a score of it at least, and behind on none.

    Args:
        subjects: The models.
        verdicts: What the numbers support.

    Example:
        >>> won = PairVerdict(
        ...     first="a", second="b", axis=Axis.FIDELITY, metric="density", space="-", gap=1.0, interval=(0.5, 1.5),
        ...     seeds=3, ahead="a",
        ... )
        >>> rank(["a", "b"], [won])[0].ranks
        {'a': (1, 1), 'b': (2, 2)}
    """
    return tuple(_ranks(axis, subjects, found) for axis, found in _by_axis(verdicts))


def dominating(subjects: Sequence[str], verdicts: Sequence[Verdict]) -> str | None:
    """The model that is behind no other on any axis and ahead of every other on one, or None."""
    pairs = [verdict for verdict in verdicts if isinstance(verdict, PairVerdict)]
    for subject in subjects:
        others = [other for other in subjects if other != subject]
        unbeaten = not any(pair.behind == subject for pair in pairs)
        if others and unbeaten and all(any(_is(pair, subject, other) for pair in pairs) for other in others):
            return subject
    return None


def _by_axis(verdicts: Sequence[Verdict]) -> Iterator[tuple[Axis, list[PairVerdict]]]:
    for axis in Axis:
        if found := [verdict for verdict in verdicts if isinstance(verdict, PairVerdict) and verdict.axis is axis]:
            yield axis, found


def _ranks(axis: Axis, subjects: Sequence[str], pairs: Sequence[PairVerdict]) -> AxisRanks:
    def ahead(one: str, other: str) -> bool:
        wins = any(_is(pair, one, other) for pair in pairs)
        return wins and not any(_is(pair, other, one) for pair in pairs)

    named = {name for pair in pairs for name in (pair.first, pair.second)}
    judged = [subject for subject in subjects if subject in named]
    return AxisRanks(
        axis=axis,
        ranks={
            subject: (
                1 + sum(ahead(other, subject) for other in judged),
                len(judged) - sum(ahead(subject, other) for other in judged),
            )
            for subject in judged
        },
    )


def _is(pair: PairVerdict, ahead: str, behind: str) -> bool:
    return (pair.ahead, pair.behind) == (ahead, behind)
