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
from tvir.reports.language import Words
from tvir.reports.numbers import compact, duration, row_format
from tvir.reports.profile import profile, profile_rows
from tvir.reports.scores import ScoreRow, from_floor

Fact = tuple[str, Sequence[str]]
"""A label and its lines."""


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
        (words("fact.classes"), [", ".join(data.spec.classes)]),
        (words("fact.options"), options),
        (words("fact.findings"), list(findings)),
    ]
    return [(label, lines) for label, lines in facts if any(lines)]


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


def scatter_panels(cards: Sequence[Scorecard], models: Sequence[str], words: Words) -> list[str]:
    """Precision against recall, one panel per space that has both."""
    points: dict[str, dict[str, tuple[Score, Score]]] = {}
    for card in cards:
        found = {(score.metric, score.space): score for score in card.scores}
        for metric, space in found:
            if metric == "precision" and ("recall", space) in found:
                points.setdefault(space, {})[card.subject] = (found["precision", space], found["recall", space])
    return [
        figures.precision_recall(
            words("scatter.title", space=words.space(space)), by_model, models, words, _scatter_alt(by_model, words)
        )
        for space, by_model in points.items()
    ]


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


def _scatter_alt(points: dict[str, tuple[Score, Score]], words: Words) -> str:
    def text(score: Score) -> str:
        return row_format([score]).score(score, words)

    return words(
        "scatter.alt",
        values="; ".join(
            words("scatter.point", model=model, precision=text(precision), recall=text(recall))
            for model, (precision, recall) in points.items()
        ),
    )
