"""The parts of a report page, made from its content: facts, figures, sums over runs."""

from __future__ import annotations

import base64
import io
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PIL import Image

from tvir.contracts.metric import Axis, Score, Scorecard
from tvir.contracts.run import DataRecord, SpecRecord
from tvir.reports import figures
from tvir.reports.content import RunEntry
from tvir.reports.drawing import MODEL_COLOURS as MODEL_COLOURS
from tvir.reports.language import Words, capital
from tvir.reports.numbers import compact, duration, row_format
from tvir.reports.profile import profile, profile_rows
from tvir.reports.scores import ScoreRow, from_floor

Fact = tuple[str, Sequence[str]]
"""A label and its lines."""

_MOST_NAMES = 100
"""Names of classes that a line can hold."""


def png(image: Image.Image) -> str:
    """A picture as a data URL."""
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def data_facts(data: DataRecord, findings: Sequence[str], words: Words) -> list[Fact]:
    """What the data is and how it was read."""
    options = [f"{name} = {value}" for name, value in data.options.items() if value is not None]
    facts: list[Fact] = [
        (words("fact.data"), [data.reference]),
        (words("fact.fingerprint"), [data.fingerprint]),
        (words("fact.example"), [example_text(data.spec, words)]),
        (words("fact.classes"), [_some_of(data.spec.classes)]),
        (words("fact.options"), options),
        (words("fact.findings"), list(findings)),
    ]
    return [(label, lines) for label, lines in facts if any(lines)]


def _some_of(names: Sequence[str]) -> str:
    """Names in a line; of very many the first, and how many there are."""
    if len(names) <= _MOST_NAMES:
        return ", ".join(names)
    return f"{', '.join(names[:_MOST_NAMES])}, … ({len(names)})"


def example_text(spec: SpecRecord, words: Words) -> str:
    """One example in words."""
    match spec.kind, spec.size:
        case "image", (channels, height, width):
            key = f"spec.channels.{channels if channels in (1, 3, 4) else 'other'}"
            return words("spec.image", width=width, height=height, channels=words(key, n=channels))
        case "text", (vocabulary, length):
            return words("spec.text", length=length, vocabulary=vocabulary)
        case _:
            return words("spec.vector", n=spec.size[0])


def record_facts(run: RunEntry, words: Words) -> list[Fact]:
    """What run.json says, for people."""
    record, spent = run.record, run.record.spent
    precision = record.precision
    facts: list[Fact] = [
        (words("fact.model"), [record.model]),
        (words("fact.status"), [words(f"status.{record.status}")]),
        (words("fact.failure"), [record.failure or ""]),
        (words("fact.run_budget"), [record.budget]),
        (
            words("fact.spent"),
            [f"{duration(spent.seconds, words)}, {words.count('count.steps', spent.steps)}, "
             f"{words.count('count.examples', spent.samples)}"],
        ),
        (words("fact.seed"), [str(record.seed)]),
        (words("fact.parameters"), ["" if run.parameters is None else compact(run.parameters, words)]),
        (words("fact.config"), [f"{name} = {value}" for name, value in record.config.items()]),
        (
            words("fact.precision"),
            [f"{precision.autocast}, {precision.memory_format} ({precision.decided_by})" if precision else ""],
        ),
        (
            words("fact.learning_rate_scale"),
            ["" if record.learning_rate_scale == 1 else words.number(f"{record.learning_rate_scale:g}")],
        ),
        (words("fact.versions"), [", ".join(f"{name} {version}" for name, version in record.versions.items())]),
        (words("fact.path"), [run.path]),
        (words("fact.findings"), list(record.findings)),
    ]  # fmt: skip
    return [(label, lines) for label, lines in facts if any(lines)]


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What the finished runs of one model took, on average.

    Args:
        model: Its name.
        runs: Finished runs.
        seconds: Of training.
        steps: Of training.
        samples: Training examples seen.
        parameters: Of the model, or None.
        speed: Examples per second, or None.
    """

    model: str
    runs: int
    seconds: float
    steps: float
    samples: float
    parameters: int | None
    speed: float | None


def costs(runs: Sequence[RunEntry], models: Sequence[str]) -> list[Cost]:
    """One row per model that has a finished run."""
    rows = []
    for model in models:
        done = [run for run in runs if run.name == model and run.record.status == "finished"]
        if done:
            speeds = [found for run in done if (found := speed(run)) is not None]
            rows.append(
                Cost(
                    model=model,
                    runs=len(done),
                    seconds=statistics.fmean(run.record.spent.seconds for run in done),
                    steps=statistics.fmean(run.record.spent.steps for run in done),
                    samples=statistics.fmean(run.record.spent.samples for run in done),
                    parameters=next((run.parameters for run in done if run.parameters is not None), None),
                    speed=statistics.fmean(speeds) if speeds else None,
                )
            )
    return rows


def speed(run: RunEntry) -> float | None:
    """Training examples per second of training, or None before the first step."""
    spent = run.record.spent
    return spent.samples / spent.seconds if spent.seconds > 0 else None


@dataclass(frozen=True, kw_only=True)
class Panels:
    """Figures that belong to one heading."""

    heading: str
    figures: Sequence[str]


def curve_panels(runs: Sequence[RunEntry], models: Sequence[str], words: Words) -> list[Panels]:
    """Learning curves by model: one panel per stage and loss term, in the order in which they were logged."""
    panels = []
    for place, model in enumerate(models):
        entries = [run for run in runs if run.name == model]
        terms = dict.fromkeys(key for run in entries for key in _terms(run))
        stages = {stage for stage, _ in terms}
        drawn = []
        for stage, term in terms:
            curves = [curve for run in entries if (curve := _curve(run, stage, term))]
            title = f"{stage} · {term}" if len(stages) > 1 else term
            drawn.append(figures.learning_curve(title, curves, place, words, _curve_alt(model, title, curves, words)))
        if drawn:
            panels.append(Panels(heading=model, figures=drawn))
    return panels


Pairing = tuple[str, str]
"""The scores along and up in a scatter plot."""

_SHARE = (-0.03, 1.05)
"""Ends of a side that shows a share, with room for markers."""

TRADES: Sequence[Pairing] = (
    ("coverage", "mmd_rbf"),
    ("training_flops", "mmd_rbf"),
    ("samples_per_second", "mmd_rbf"),
)
"""What is bought with what: variety, training and sampling against likeness."""


def precision_recall_panels(cards: Sequence[Scorecard], models: Sequence[str], words: Words) -> list[str]:
    """Precision against recall, one panel per space that has both."""
    return [
        _scatter(("recall", "precision"), space, points, models, words)
        for space, points in _paired(cards, "recall", "precision").items()
    ]


def trade_panels(cards: Sequence[Scorecard], models: Sequence[str], words: Words) -> list[str]:
    """Quality against variety, training and sampling, in the first space that is not the examples themselves."""
    panels = []
    for pairing in TRADES:
        found = _paired(cards, *pairing)
        learnt = [space for space in found if space.partition("@")[0].partition("-")[0] not in ("pixels", "vectors")]
        if spaces := learnt or list(found):
            panels.append(_scatter(pairing, spaces[0], found[spaces[0]], models, words))
    return panels if len(models) > 1 else []


def expected_best_panel(curves: Mapping[str, Sequence[float]], metric: str, models: Sequence[str], words: Words) -> str:
    """The expected best of n settings, or nothing where none were tried."""
    if not curves:
        return ""
    values = "; ".join(f"{model} {words.number(f'{found[-1]:.3g}')}" for model, found in curves.items())
    return figures.expected_best(
        curves, capital(words.metric(metric)), models, words, words("search.alt", values=values)
    )


def _paired(cards: Sequence[Scorecard], along: str, up: str) -> dict[str, dict[str, tuple[Score, Score]]]:
    """By space and model, the two scores; one that looks through nothing stands beside every space of the other."""
    found: dict[str, dict[str, tuple[Score, Score]]] = {}
    for card in cards:
        scores = {(score.metric, score.space): score for score in card.scores}
        for (metric, space), score in scores.items():
            other = scores.get((along, space)) or scores.get((along, "-"))
            if metric == up and other is not None:
                found.setdefault(space, {})[card.subject] = (other, score)
    return found


def _scatter(
    pairing: Pairing, space: str, points: Mapping[str, tuple[Score, Score]], models: Sequence[str], words: Words
) -> str:
    names = [words.metric(metric) for metric in pairing]
    title = words("scatter.title", up=capital(names[1]), along=names[0], space=words.space(space))
    sides = [(side, [pair[place] for pair in points.values()]) for place, side in enumerate(pairing)]
    first, second = (figures.Scale(
        label=capital(words.metric(side)) + words.unit(side),
        logarithmic=scores[0].axis is Axis.COST and min(score.value for score in scores) > 0,
        limits=_SHARE if side in ("precision", "recall", "coverage") else None,
    ) for side, scores in sides)  # fmt: skip
    return figures.scatter(title, points, (first, second), models, words, _scatter_alt(title, names, points, words))


def profile_panel(rows: Mapping[Axis, Sequence[ScoreRow]], subjects: Sequence[str], words: Words) -> str:
    """All models on all scores, or nothing where there are no two models to look at side by side."""
    chosen = profile_rows(rows)
    if len(subjects) < 2 or not chosen:
        return ""
    means = []
    for place, subject in enumerate(subjects):
        found = [at.place for line in chosen.values() for row in line if (at := from_floor(row)[place]) is not None]
        if found:
            means.append(f"{subject} {words.number(f'{statistics.fmean(found):.2f}')}")
    return profile(chosen, subjects, words, words("profile.alt", values="; ".join(means)))


def dots(row: ScoreRow, models: Sequence[str], words: Words) -> str:
    """The dot plot of one score."""
    layout = row.layout
    values = [
        f"{model} {layout.score(score, words)}" for model, score in zip(models, row.scores, strict=False) if score
    ]
    alt = words("dots.alt", metric=row.label(words), values="; ".join(values), floor=row.floor_text(words))
    return figures.dot_plot(row, models[: len(row.scores)], words, alt)


def _terms(run: RunEntry) -> list[tuple[str, str]]:
    return [(line["stage"], term) for line in run.metrics for term in line.get("losses", {})]


def _curve(run: RunEntry, stage: str, term: str) -> list[tuple[float, float]]:
    return [
        (line["seconds"], line["losses"][term])
        for line in run.metrics
        if line["stage"] == stage and term in line.get("losses", {})
    ]


def _curve_alt(model: str, title: str, curves: Sequence[figures.Points], words: Words) -> str:
    def ends(place: int) -> str:
        return words.number(f"{statistics.fmean(figures.thin(curve)[place][1] for curve in drawn):.3g}")

    drawn = [curve for curve in curves if figures.thin(curve)]
    runs = words.count("count.runs", len(curves))
    first, last = (ends(0), ends(-1)) if drawn else ("–", "–")
    return words("curves.alt", model=model, term=title, runs=runs, first=first, last=last)


def _scatter_alt(title: str, names: Sequence[str], points: Mapping[str, tuple[Score, Score]], words: Words) -> str:
    formats = [row_format([pair[place] for pair in points.values()]) for place in (0, 1)]
    values = [
        f"{model}: "
        + ", ".join(
            f"{name} {form.score(score, words)}" for name, form, score in zip(names, formats, pair, strict=True)
        )
        for model, pair in points.items()
    ]
    return f"{title}. {'; '.join(values)}"
