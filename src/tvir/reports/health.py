"""Findings of the doctor, in words and as a table."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tvir.contracts.health import Condition, Finding
from tvir.reports.language import Words, load_words

_STYLES = {
    Condition.WELL: "green",
    Condition.REMARK: "yellow",
    Condition.ILL: "bold red",
    Condition.EARLY: "dim",
    Condition.UNKNOWN: "dim",
}


def finding_text(finding: Finding, language: str = "en") -> str:
    """A finding in one line: what it is, what was seen, what mends it.

    Example:
        >>> finding_text(Finding(check="missing_modes", condition=Condition.ILL, seen={"found": 3, "modes": 8}))
        'missing modes: 3 of 8 modes are made'
    """
    words = load_words(language)
    name, seen = check_title(finding.check, language), _seen(finding, words)
    if not finding.flags:
        return words("health.said", name=name, seen=seen)
    return words("health.said.mend", name=name, seen=seen, mend=_mend(finding, words))


def seen_text(finding: Finding, language: str = "en") -> str:
    """What was seen, or why nothing could be."""
    return _seen(finding, load_words(language))


def mend_text(finding: Finding, language: str = "en") -> str:
    """What would mend it; empty where nothing has to be."""
    return _mend(finding, load_words(language))


def check_title(check: str, language: str = "en") -> str:
    """How people call a check."""
    return load_words(language)(f"health.{check}")


def health_table(findings: Sequence[Finding], subject: str, fraction: float, language: str = "en") -> RenderableType:
    """All findings about one run, the healthy ones too.

    Args:
        findings: In the order of the rows.
        subject: What the run is called.
        fraction: Share of its budget that is spent, 0 to 1.
        language: Of the words.
    """
    words = load_words(language)
    title = Text(words("health.title", subject=subject), style="bold")
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    columns = (
        words("health.column.check"),
        words("health.column.seen"),
        words("health.column.condition"),
        words("health.column.mend"),
    )
    for column in columns:
        table.add_column(column, overflow="fold")
    for finding in findings:
        condition = Text(words(f"health.condition.{finding.condition}"), style=_STYLES[finding.condition])
        name = Text(check_title(finding.check, language))
        table.add_row(name, Text(_seen(finding, words)), condition, Text(_mend(finding, words)))
    notes = [] if findings else [words("health.none")]
    if any(finding.condition is Condition.EARLY for finding in findings):
        notes.append(words("health.early"))
    if fraction < 1:
        notes.append(words("health.unfinished", share=words.number(f"{fraction:.0%}")))
    return Group(table, *(Text(note, style="dim") for note in notes))


def _seen(finding: Finding, words: Words) -> str:
    if finding.condition is Condition.UNKNOWN:
        return words("health.unknown", reason=finding.reason)
    numbers = {name: words.number(f"{value:.3g}") for name, value in finding.seen.items()}
    return words(f"health.{finding.check}.seen", **numbers)


def _mend(finding: Finding, words: Words) -> str:
    if not finding.flags:
        return ""
    return words("health.mend", flags=f" {words('health.or')} ".join(finding.flags))
