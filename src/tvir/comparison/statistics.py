"""What several seeds say together: intervals, summaries, paired gaps and verdicts. Numbers only; reports format."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from scipy import stats

from tvir.contracts.errors import UsageError
from tvir.contracts.metric import Axis, Direction, Score, Scorecard
from tvir.contracts.verdict import CopyVerdict, Doubt, PairVerdict, Verdict

LEVEL = 0.95
"""Confidence of every interval."""

FEWEST_SEEDS = 3
"""With two values the t quantile is 12.7: an interval that says nothing. With three it is 4.3."""

NOT_RANKED = frozenset({"precision", "recall", "inception_score"})
"""Shown, never ranked on: they reward tight clusters or wild outliers (Naeem et al. 2020, arXiv 2002.09797)."""

Key = tuple[Axis, str, str]
"""Which score: axis, metric, space."""


def seed_interval(values: Sequence[float], level: float = LEVEL) -> tuple[float, float] | None:
    """Student's t-interval of the mean, or None with fewer than three values.

    Args:
        values: One finite number per training seed.
        level: Confidence, 0 to 1.

    Example:
        >>> low, high = seed_interval([1.0, 2.0, 3.0])
        >>> round(low, 3), round(high, 3)
        (-0.484, 4.484)
        >>> seed_interval([1.0, 2.0])
    """
    if len(values) < FEWEST_SEEDS:
        return None
    numbers = np.asarray(values, dtype=np.float64)
    half = float(stats.t.ppf((1 + level) / 2, len(numbers) - 1) * numbers.std(ddof=1) / math.sqrt(len(numbers)))
    mean = float(numbers.mean())
    return mean - half, mean + half


@dataclass(frozen=True, kw_only=True)
class PairedGap:
    """How far two models lie apart on the seeds that both have.

    Args:
        gap: Mean of first - second.
        interval: 95 % t-interval of the differences, or None with fewer than three.
        seeds: Number of differences.
    """

    gap: float
    interval: tuple[float, float] | None
    seeds: int

    @property
    def decided(self) -> bool:
        """Whether the interval excludes 0."""
        return self.interval is not None and (self.interval[0] > 0 or self.interval[1] < 0)


def paired_gap(first: Sequence[float], second: Sequence[float]) -> PairedGap:
    """Compare two models seed by seed: what a seed does to both alike drops out.

    Args:
        first: One value per seed.
        second: As many, of the same seeds in the same order.
    """
    differences = [one - other for one, other in zip(first, second, strict=True)]
    return PairedGap(gap=float(np.mean(differences)), interval=seed_interval(differences), seeds=len(differences))


def summarise(cards: Sequence[Scorecard], subject: str) -> Scorecard:
    """One scorecard of a model over its seeds: means, intervals over seeds, floors kept.

    A score that some seeds lack, or have only as NaN or infinity, is averaged over the others, and a finding says so.

    Args:
        cards: One per seed, all against the same reference.
        subject: Name of the model.

    Raises:
        UsageError: There is no card, or the cards were judged against different references.
    """
    if not cards:
        raise UsageError(f"{subject} has no scorecard to summarise; none of its runs finished")
    if len(references := sorted({card.reference for card in cards})) > 1:
        raise UsageError(
            f"{subject} was judged against different data: {' and '.join(references)}; judge all runs again"
        )
    findings = dict.fromkeys(finding for card in cards for finding in card.findings)
    scores = []
    for (_, metric, space), found in _by_key(cards).items():
        if len(found) < len(cards):
            findings[f"{metric} [{space}] is the mean of {len(found)} of {len(cards)} seeds"] = None
        if found:
            scores.append(_mean_score(found))
    return Scorecard(subject=subject, reference=references[0], scores=tuple(scores), findings=tuple(findings))


def verdicts(cards: Mapping[str, Mapping[int, Scorecard]]) -> tuple[Verdict, ...]:
    """What the numbers support, model against model and score by score.

    A model is ahead on a score when the interval of the paired gap excludes 0. Where both are as good as real data
    is against itself, the gap is not held against either. Cost is fixed by the budget and not judged.

    Args:
        cards: Scorecards by model and by seed.
    """
    found: list[Verdict] = []
    for first, second in combinations(cards, 2):
        found.extend(_pair_verdicts(first, second, cards[first], cards[second]))
    for subject, by_seed in cards.items():
        found.extend(_copy_verdicts(subject, list(by_seed.values())))
    return tuple(found)


def _pair_verdicts(
    first: str, second: str, first_cards: Mapping[int, Scorecard], second_cards: Mapping[int, Scorecard]
) -> Iterator[PairVerdict]:
    shared = sorted(set(first_cards) & set(second_cards))
    ours = {seed: _finite(first_cards[seed]) for seed in shared}
    theirs = {seed: _finite(second_cards[seed]) for seed in shared}
    for key in dict.fromkeys(key for seed in shared for key in ours[seed]):
        axis, metric, space = key
        seeds = [seed for seed in shared if key in ours[seed] and key in theirs[seed]]
        if not seeds or axis is Axis.COST or metric in NOT_RANKED:
            continue
        one, other = [ours[seed][key] for seed in seeds], [theirs[seed][key] for seed in seeds]
        gap = paired_gap([score.value for score in one], [score.value for score in other])
        doubt = _doubt(gap, one, other)
        first_is_better = (gap.gap < 0) == (one[0].better is Direction.LOWER)
        yield PairVerdict(
            first=first, second=second, axis=axis, metric=metric, space=space, gap=gap.gap,
            interval=gap.interval, seeds=gap.seeds,
            ahead=None if doubt else first if first_is_better else second, doubt=doubt,
        )  # fmt: skip


def _doubt(gap: PairedGap, first: Sequence[Score], second: Sequence[Score]) -> Doubt | None:
    if gap.interval is None:
        return "seeds"
    if all(_as_good_as_real(score) for score in (_mean_score(first), _mean_score(second))):
        return "floor"
    return None if gap.decided else "interval"


def _as_good_as_real(score: Score) -> bool:
    if score.floor is None:
        return False
    return score.value <= score.floor if score.better is Direction.LOWER else score.value >= score.floor


def _copy_verdicts(subject: str, cards: Sequence[Scorecard]) -> Iterator[CopyVerdict]:
    for (_, metric, space), found in _by_key(cards).items():
        if metric != "copy_rate" or not found:
            continue
        score = _mean_score(found)
        # With too few seeds for an interval the binomial spread of the share itself is the least that is known.
        low = score.interval[0] if score.interval else score.value - _binomial_margin(score)
        yield CopyVerdict(
            subject=subject, space=space, share=score.value, floor=score.floor, interval=score.interval,
            copies=None if score.floor is None else low > score.floor,
        )  # fmt: skip


def _binomial_margin(score: Score) -> float:
    if score.n_generated == 0 or not 0 <= score.value <= 1:
        return math.inf
    return float(stats.norm.ppf((1 + LEVEL) / 2)) * math.sqrt(score.value * (1 - score.value) / score.n_generated)


def _by_key(cards: Sequence[Scorecard]) -> dict[Key, list[Score]]:
    """The finite scores by key, in the order of their first appearance; keys without a finite score have none."""
    found: dict[Key, list[Score]] = defaultdict(list)
    for card in cards:
        for score in card.scores:
            found[score.axis, score.metric, score.space].extend([score] if math.isfinite(score.value) else [])
    return found


def _finite(card: Scorecard) -> dict[Key, Score]:
    return {key: scores[0] for key, scores in _by_key([card]).items() if scores}


def _mean_score(scores: Sequence[Score]) -> Score:
    if len(scores) == 1:
        return scores[0]
    values = [score.value for score in scores]
    floors = [score.floor for score in scores if score.floor is not None]
    return replace(
        scores[0],
        value=float(np.mean(values)),
        interval=seed_interval(values),
        floor=float(np.mean(floors)) if floors else None,
        n_real=min(score.n_real for score in scores),
        n_generated=min(score.n_generated for score in scores),
    )
