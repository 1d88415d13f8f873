"""Verdicts in words: what the numbers support, and no more."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from tvir.contracts.metric import Axis
from tvir.contracts.verdict import CopyVerdict, Doubt, PairVerdict, Verdict
from tvir.reports.content import RunEntry
from tvir.reports.language import Words

NameModel = Callable[[str], str]
"""How a model's name is set: ``str`` for plain text, or mark-up that gives it its colour."""

ScoreName = tuple[str, str]
"""Metric and space."""

DOUBTS: tuple[Doubt, ...] = ("interval", "spread", "floor", "seeds")


@dataclass(frozen=True, kw_only=True)
class AxisSentences:
    """What is said of one axis.

    Args:
        axis: The axis.
        decided: Sentences about who is ahead, and about copies.
        open: Sentences about what stays undecided.
    """

    axis: Axis
    decided: tuple[str, ...]
    open: tuple[str, ...]


def axis_sentences(verdicts: Sequence[Verdict], words: Words, *, name: NameModel = str) -> list[AxisSentences]:
    """Sentences by axis: every verdict is spoken of exactly once.

    Args:
        verdicts: From a comparison.
        words: The language.
        name: How models' names are set.
    """
    said: list[AxisSentences] = []
    for axis in Axis:
        pairs = [verdict for verdict in verdicts if isinstance(verdict, PairVerdict) and verdict.axis is axis]
        copies = [verdict for verdict in verdicts if isinstance(verdict, CopyVerdict)] if axis is _COPY_AXIS else []
        if pairs or copies:
            told = [_copy_sentence(verdict, words, name) for verdict in copies]
            said.append(
                AxisSentences(
                    axis=axis, decided=(*_decided(pairs, words, name), *told), open=tuple(_open(pairs, words, name))
                )
            )
    return said


_COPY_AXIS = Axis.MEMORISATION


def failed_models(runs: Sequence[RunEntry], words: Words, *, name: NameModel = str) -> list[str]:
    """A sentence for every model of which all runs failed."""
    models = dict.fromkeys(run.name for run in runs)
    return [
        _say(words("verdict.failed"), model=name(model))
        for model in models
        if all(run.record.status == "failed" for run in runs if run.name == model)
    ]


def gaps_tested(verdicts: Sequence[Verdict]) -> int:
    """How many gaps had an interval to judge them by."""
    return sum(isinstance(verdict, PairVerdict) and verdict.doubt != "seeds" for verdict in verdicts)


def _decided(pairs: Sequence[PairVerdict], words: Words, name: NameModel) -> Iterator[str]:
    """Who is ahead of whom, told once for all that are beaten on the same scores."""
    for ahead in dict.fromkeys(pair.ahead for pair in pairs if pair.ahead):
        won = [pair for pair in pairs if pair.ahead == ahead]
        # Where there is no floor, nothing is claimed of its spread.
        known = [pair for pair in won if pair.floor_spread is not None]
        unknown = [pair for pair in won if pair.floor_spread is None]
        for told in (known, unknown):
            for beaten, scores in _grouped(told, lambda pair: [pair.behind or ""]):
                behind = _join([name(model) for model in beaten], words)
                spread = _form(words, "verdict.ahead.spread", scores)
                phrase = spread if told is known else _form(words, "verdict.ahead", scores)
                yield _say(phrase, ahead=name(ahead), behind=behind, scores=_scores(scores, words))


def _open(pairs: Sequence[PairVerdict], words: Words, name: NameModel) -> Iterator[str]:
    for doubt in DOUBTS:
        unsettled = [pair for pair in pairs if pair.doubt == doubt]
        groups = [[pair for pair in unsettled if {pair.first, pair.second} == both] for both in _couples(unsettled)]
        # A gap speaks of two models. Too few seeds, or being as good as real data, is said of each.
        for group in groups if doubt in ("interval", "spread") else [unsettled]:
            for models, scores in _grouped(group, lambda pair: [pair.first, pair.second]):
                spoken_of = _join([name(model) for model in models], words)
                phrase = _form(words, f"verdict.undecided.{doubt}", scores)
                yield _say(phrase, models=spoken_of, scores=_scores(scores, words))


def _couples(pairs: Sequence[PairVerdict]) -> list[set[str]]:
    return [set(couple) for couple in dict.fromkeys((pair.first, pair.second) for pair in pairs)]


def _grouped(
    pairs: Sequence[PairVerdict], models: Callable[[PairVerdict], list[str]]
) -> list[tuple[tuple[str, ...], list[ScoreName]]]:
    """Scores that concern the same models, with those models."""
    by_score: dict[ScoreName, dict[str, None]] = {}
    for pair in pairs:
        by_score.setdefault((pair.metric, pair.space), {}).update(dict.fromkeys(models(pair)))
    groups: dict[tuple[str, ...], list[ScoreName]] = {}
    for score, concerned in by_score.items():
        groups.setdefault(tuple(concerned), []).append(score)
    return list(groups.items())


def _copy_sentence(verdict: CopyVerdict, words: Words, name: NameModel) -> str:
    answer = {True: "yes", False: "no", None: "unknown"}[verdict.copies]
    return _say(
        words(f"verdict.copies.{answer}"),
        subject=name(verdict.subject),
        share=percent(verdict.share, words),
        floor="" if verdict.floor is None else percent(verdict.floor, words),
        space=words.space(verdict.space),
    )


def _scores(names: Sequence[ScoreName], words: Words) -> str:
    """The scores spoken of, each metric once with its spaces: ``density [pixels, classifier]``."""
    spaces: dict[str, list[str]] = {}
    for metric, space in names:
        spaces.setdefault(metric, []).extend([] if space == "-" else [words.space(space)])
    return words.both(
        [words.metric(metric) + (f" [{', '.join(found)}]" if found else "") for metric, found in spaces.items()]
    )


def _form(words: Words, key: str, names: Sequence[ScoreName]) -> str:
    """The form of a phrase for as many metrics as it speaks of."""
    return words.form(key, len({metric for metric, _ in names}))


def _join(names: Sequence[str], words: Words) -> str:
    """Names in a list, mark-up kept."""
    if len(names) < 2:
        return "".join(names) if not names else names[0]
    comma = Markup(", ") if isinstance(names[0], Markup) else ", "
    return _say(words("list.and"), head=comma.join(names[:-1]), tail=names[-1])


def percent(share: float, words: Words) -> str:
    """A share as a percentage with one decimal."""
    return words.number(f"{100 * share:.1f}") + "\N{NO-BREAK SPACE}%"


def _say(phrase: str, **values: str) -> str:
    """Fill a phrase; where a value is mark-up, the rest is escaped."""
    if any(isinstance(value, Markup) for value in values.values()):
        return Markup(phrase).format(**values)
    return phrase.format(**values)
