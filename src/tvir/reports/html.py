"""Self-contained HTML reports, in English and Ukrainian: one file, no scripts, nothing loaded from anywhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tvir.contracts.run import write_atomically
from tvir.reports import panels
from tvir.reports.content import ComparisonReport, RunReport, ScoreReport
from tvir.reports.illustrations import illustrations
from tvir.reports.language import Words, capital, load_words
from tvir.reports.numbers import compact, duration
from tvir.reports.scores import score_rows
from tvir.reports.sentences import axis_sentences, failed_models, gaps_tested

_TEMPLATES = Path(__file__).parent / "templates"


Report = ComparisonReport | RunReport | ScoreReport
"""What there are pages for."""


def write_report(path: Path, report: Report, language: str = "en") -> None:
    """Write a report as one HTML file.

    Args:
        path: The file; its folder must exist.
        report: What to show.
        language: Of the words.

    Raises:
        UsageError: There are no words in that language.
    """
    match report:
        case ComparisonReport():
            page = comparison_page(report, language)
        case RunReport():
            page = run_page(report, language)
        case ScoreReport():
            page = score_page(report, language)
    write_atomically(path, page.encode())


def comparison_page(report: ComparisonReport, language: str = "en") -> str:
    """A comparison as the text of an HTML page."""
    words = load_words(language)
    subjects = [card.subject for card in report.cards]
    models = list(dict.fromkeys([*subjects, *(run.name for run in report.runs), *report.expected_bests]))
    named = _model_namer(models)
    contestants = [model for model in models if model not in report.controls]
    title = report.title or words(
        "comparison.title", models=words.both(contestants), data=_short(report.data.reference)
    )
    rows = score_rows(report.cards, report.verdicts, report.controls)
    return _render(
        "comparison.html.j2",
        words,
        models,
        title=title,
        report=report,
        subjects=subjects,
        facts=panels.data_facts(report.data, report.findings, words),
        finished=sum(run.record.status == "finished" for run in report.runs),
        sentences=axis_sentences(report.verdicts, words, name=named),
        failed=failed_models(report.runs, words, name=named),
        tested=gaps_tested(report.verdicts),
        standing=_standing(report.dominating, words, named),
        mismatch=_mismatch(report, words),
        trades=panels.trade_panels(
            [card for card in report.cards if card.subject not in report.controls], models, words
        ),
        search=panels.expected_best_panel(report.expected_bests, report.selected_by, models, words),
        selects=report.selected_by,
        rows=rows,
        profile=panels.profile_panel(rows, subjects, words),
        illustrations=illustrations(
            report.evidence, report.cards, models, report.data.spec, words, show_training=report.show_training_examples
        ),
        card_findings=list(dict.fromkeys(finding for card in report.cards for finding in card.findings)),
        curves=panels.curve_panels(report.runs, models, words),
        costs=panels.costs(report.runs, models),
    )


def _mismatch(report: ComparisonReport, words: Words) -> str:
    """How many times the largest model is the smallest, by what they were matched in; empty where unknown."""
    sizes = [size.flops if report.match == "flops" else size.parameters for size in report.sizes]
    known = [size for size in sizes if size]
    return words.number(f"{max(known) / min(known):.2f}") if len(known) > 1 else ""


def _standing(dominating: str | None, words: Words, name: Callable[[str], Markup]) -> str:
    """Whether there is a best model, and which."""
    if dominating is None:
        return words("ranks.nobody")
    return Markup(words("ranks.dominating")).format(model=name(dominating))


def run_page(report: RunReport, language: str = "en") -> str:
    """The report of one run as the text of an HTML page."""
    words = load_words(language)
    record = report.run.record
    cards = [] if report.card is None else [report.card]
    title = words("run.title", model=record.model, data=_short(record.data.reference), seed=record.seed)
    return _render(
        "run.html.j2",
        words,
        [record.model],
        title=title,
        report=report,
        run=report.run,
        subjects=[record.model],
        facts=panels.data_facts(record.data, (), words),
        record_facts=panels.record_facts(report.run, words),
        rows=score_rows(cards),
        intervals=any(score.interval for card in cards for score in card.scores),
        illustrations=illustrations(
            {} if report.evidence is None else {record.model: report.evidence},
            [replace(card, subject=record.model) for card in cards],
            [record.model],
            record.data.spec,
            words,
            show_training=report.show_training_examples,
        ),
        card_findings=list(report.card.findings) if report.card else [],
        curves=panels.curve_panels([report.run], [record.model], words),
    )


def score_page(report: ScoreReport, language: str = "en") -> str:
    """The report of anybody's samples as the text of an HTML page."""
    words = load_words(language)
    subject = _short(report.generated)
    card = replace(report.card, subject=subject)
    return _render(
        "score.html.j2",
        words,
        [subject],
        title=report.title or words("score.title", generated=subject, real=_short(report.real)),
        report=report,
        example=panels.example_text(report.spec, words),
        subjects=[subject],
        grids=[grid for grid in report.grids if report.show_training_examples or not grid.real],
        rows=score_rows([card]),
        illustrations=illustrations(
            {} if report.evidence is None else {subject: report.evidence},
            [card],
            [subject],
            report.spec,
            words,
            show_training=report.show_training_examples,
        ),
        card_findings=list(card.findings),
    )


def _render(template: str, words: Words, models: list[str], **values: Any) -> str:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), undefined=StrictUndefined, autoescape=True, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.globals.update(
        words=words,
        models=models,
        name=_model_namer(models),
        compact=lambda number: compact(number, words),
        duration=lambda seconds: duration(seconds, words),
        capital=capital,
        png=panels.png,
        dots=lambda row: Markup(panels.dots(row, models, words)),
        speed=panels.speed,
    )
    return environment.get_template(template).render(**values)


def _model_namer(models: list[str]) -> Callable[[str], Markup]:
    """Names set in the colour that the model has everywhere on the page."""

    def name(model: str) -> Markup:
        place = models.index(model) if model in models else 0
        return Markup('<b class="model model-{}">{}</b>').format(place % panels.MODEL_COLOURS, model)

    return name


def _short(reference: str) -> str:
    """The last part of a path; names stay as they are."""
    return reference if reference.startswith("hf:") else Path(reference).name or reference
