"""What several seeds say together: intervals, summaries, paired gaps and verdicts. Numbers only; reports format."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from scipy import stats

from tvir.contracts.errors import UsageError
from tvir.contracts.metric import Axis, Direction, Score, Scorecard
from tvir.contracts.verdict import CopyVerdict, Doubt, PairVerdict, Test, Verdict
from tvir.evaluation.intervals import INTERVALS, LEVEL
from tvir.evaluation.scorecard import shown_only

FEWEST_SEEDS = 3
"""With two values the t quantile is 12.7: an interval that says nothing. With three it is 4.3."""

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
class Gap:
    """How far two models lie apart over their seeds.

    Args:
        gap: Mean of first - second.
        error: Its standard error; NaN with fewer than three seeds.
        freedom: Degrees of freedom of Student's t.
        seeds: Seeds that it is taken over.
        test: How the error was found.
    """

    gap: float
    error: float
    freedom: float
    seeds: int
    test: Test

    def interval(self, level: float = LEVEL) -> tuple[float, float] | None:
        """Student's t-interval, or None with fewer than three seeds."""
        if self.seeds < FEWEST_SEEDS:
            return None
        half = float(stats.t.ppf((1 + level) / 2, self.freedom)) * self.error
        return self.gap - half, self.gap + half

    @property
    def p_value(self) -> float | None:
        """Two-sided p of no gap, or None with fewer than three seeds."""
        if self.seeds < FEWEST_SEEDS:
            return None
        if self.error == 0:
            # Counts, such as modes found, may differ by the same in every seed; t is blind there, signs are not.
            return 2.0 ** (1 - self.seeds) if self.gap else 1.0
        return float(2 * stats.t.sf(abs(self.gap) / self.error, self.freedom))


def paired_gap(first: Sequence[float], second: Sequence[float]) -> Gap:
    """Compare two models seed by seed: what a seed does to both alike drops out.

    Exact tests by sign flips cannot go below p = 2^(1 - n) with n seeds, which is never decisive with the three to
    five that people train; Student's t needs differences that are about normal instead.

    Args:
        first: One value per seed.
        second: As many, of the same seeds in the same order.
    """
    differences = np.array([one - other for one, other in zip(first, second, strict=True)])
    count = len(differences)
    error = float(differences.std(ddof=1)) / math.sqrt(count) if count > 1 else math.nan
    return Gap(gap=float(differences.mean()), error=error, freedom=count - 1, seeds=count, test="paired t")


def unpaired_gap(first: Sequence[float], second: Sequence[float]) -> Gap:
    """Compare two models whose seeds differ (Welch 1947, The Generalization of Student's Problem).

    Args:
        first: One value per seed, three or more.
        second: Likewise, of other seeds.
    """
    sides = [np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)]
    shares = [float(side.var(ddof=1)) / len(side) for side in sides]
    total = sum(shares)
    below = sum(share**2 / (len(side) - 1) for share, side in zip(shares, sides, strict=True))
    return Gap(
        gap=float(sides[0].mean() - sides[1].mean()),
        error=math.sqrt(total),
        freedom=total**2 / below if below else float(len(sides[0]) + len(sides[1]) - 2),
        seeds=min(map(len, sides)),
        test="Welch",
    )


@dataclass(frozen=True)
class Corrected:
    """A p value corrected over its family, and the level of the interval that excludes 0 exactly where it decides."""

    p_value: float
    level: float


def holm(p_values: Sequence[float], level: float = LEVEL) -> list[Corrected]:
    """Holm's step-down correction (Scandinavian Journal of Statistics 6, 1979, 65-70), in the given order.

    The smallest of m p values is tested at (1 - level) / m, the next at (1 - level) / (m - 1) and so on, up to the
    first that fails; the level of that one serves all that follow.

    Example:
        >>> [round(one.p_value, 3) for one in holm([0.04, 0.01, 0.03])]
        [0.06, 0.03, 0.06]
    """
    found: dict[int, Corrected] = {}
    so_far, tested_at, failed = 0.0, 1 - level, False
    for rank, place in enumerate(np.argsort(p_values, kind="stable")):
        left = len(p_values) - rank
        so_far = max(so_far, min(1.0, left * p_values[place]))
        if not failed:
            tested_at = (1 - level) / left
            failed = p_values[place] > tested_at
        found[int(place)] = Corrected(so_far, 1 - tested_at)
    return [found[place] for place in range(len(p_values))]


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
    told = [finding for card in cards for finding in card.findings]
    # Where a score's interval came from on one run says nothing once it is taken over several.
    findings = dict.fromkeys(one for one in told if len(cards) == 1 or not one.startswith(INTERVALS))
    scores = []
    for (_, metric, space), found in _by_key(cards).items():
        if len(found) < len(cards):
            findings[f"{metric} [{space}] is the mean of {len(found)} of {len(cards)} seeds"] = None
        if found:
            scores.append(_mean_score(found))
    if len(cards) > 1:
        few = f"none, {len(cards)} training seeds are too few"
        over = f"95 %, over {len(cards)} training seeds (Student's t)"
        findings[INTERVALS + (few if len(cards) < FEWEST_SEEDS else over)] = None
    return Scorecard(subject=subject, reference=references[0], scores=tuple(scores), findings=tuple(findings))


def verdicts(
    cards: Mapping[str, Mapping[int, Scorecard]],
    floor_spreads: Mapping[tuple[str, str], float] | None = None,
    controls: Collection[str] = (),
) -> tuple[Verdict, ...]:
    """What the numbers support, model against model and score by score.

    A model is ahead on a score when the interval of the gap, as wide as Holm's correction over all scores of the two
    models asks, excludes 0 and the gap is larger than the spread of the floor. Where both are as good as real data is
    against itself, the gap is not held against either. Cost is fixed by the budget and not judged.

    Args:
        cards: Scorecards by model and by seed.
        floor_spreads: Standard error of the floor by metric and space, where it is known.
        controls: Models that others are compared with, and that are not compared with one another.
    """
    found: list[Verdict] = []
    for first, second in combinations(cards, 2):
        if first in controls and second in controls:
            continue
        found.extend(_pair_verdicts(first, second, cards[first], cards[second], floor_spreads or {}))
    for subject, by_seed in cards.items():
        found.extend(_copy_verdicts(subject, list(by_seed.values())))
    return tuple(found)


@dataclass(frozen=True, kw_only=True)
class _Compared:
    """One score of two models."""

    key: Key
    first: Sequence[Score]
    second: Sequence[Score]
    gap: Gap


def _pair_verdicts(
    first: str,
    second: str,
    first_cards: Mapping[int, Scorecard],
    second_cards: Mapping[int, Scorecard],
    floor_spreads: Mapping[tuple[str, str], float],
) -> Iterator[PairVerdict]:
    compared = list(_compared(first_cards, second_cards))
    tested = [(one.key, p_value) for one in compared if (p_value := one.gap.p_value) is not None]
    corrected = dict(zip([key for key, _ in tested], holm([p_value for _, p_value in tested]), strict=True))
    for one in compared:
        axis, metric, space = one.key
        correction, spread = corrected.get(one.key), floor_spreads.get((metric, space))
        doubt = _doubt(one, correction, spread)
        first_is_better = (one.gap.gap < 0) == (one.first[0].better is Direction.LOWER)
        yield PairVerdict(
            first=first, second=second, axis=axis, metric=metric, space=space, gap=one.gap.gap,
            interval=correction and one.gap.interval(correction.level), seeds=one.gap.seeds,
            ahead=None if doubt else first if first_is_better else second, doubt=doubt,
            p_value=correction and correction.p_value, family=len(tested) or 1, test=one.gap.test, floor_spread=spread,
        )  # fmt: skip


def _compared(first_cards: Mapping[int, Scorecard], second_cards: Mapping[int, Scorecard]) -> Iterator[_Compared]:
    """Every score that both models have, over the seeds that both were trained with where those are enough."""
    ours = {seed: _finite(card) for seed, card in first_cards.items()}
    theirs = {seed: _finite(card) for seed, card in second_cards.items()}
    for key in dict.fromkeys(key for scores in ours.values() for key in scores):
        axis, metric, _ = key
        one = {seed: scores[key] for seed, scores in ours.items() if key in scores}
        other = {seed: scores[key] for seed, scores in theirs.items() if key in scores}
        if axis is Axis.COST or metric in shown_only() or not other:
            continue
        shared = sorted(set(one) & set(other))
        if len(shared) < FEWEST_SEEDS <= min(len(one), len(other)):
            gap = unpaired_gap([score.value for score in one.values()], [score.value for score in other.values()])
            yield _Compared(key=key, first=list(one.values()), second=list(other.values()), gap=gap)
        elif shared:
            pair = [one[seed] for seed in shared], [other[seed] for seed in shared]
            gap = paired_gap(*([score.value for score in side] for side in pair))
            yield _Compared(key=key, first=pair[0], second=pair[1], gap=gap)


def _doubt(compared: _Compared, correction: Corrected | None, floor_spread: float | None) -> Doubt | None:
    if correction is None:
        return "seeds"
    if all(_as_good_as_real(score) for score in (_mean_score(compared.first), _mean_score(compared.second))):
        return "floor"
    if correction.p_value > 1 - LEVEL:
        return "interval"
    return "spread" if floor_spread is not None and abs(compared.gap.gap) <= floor_spread else None


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
