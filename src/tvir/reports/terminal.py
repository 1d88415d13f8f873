"""Tables for the terminal."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from tvir.contracts.metric import Axis, Scorecard
from tvir.contracts.recipe import Recipe
from tvir.contracts.run import RunRecord
from tvir.contracts.verdict import Verdict
from tvir.models.catalogue import Entry
from tvir.reports.language import Words, load_words
from tvir.reports.scores import ScoreRow, score_rows


def scorecard_table(card: Scorecard, language: str = "en") -> RenderableType:
    """The scores of one subject, each beside its floor.

    Args:
        card: A run's scorecard, or a model's over seeds.
        language: Of the words.
    """
    words = load_words(language)
    table = _score_table(words("terminal.card", subject=card.subject), words)
    table.add_column(words("column.value"), justify="right", no_wrap=True)
    _fill(table, score_rows([card]), [card.subject], words)
    has_intervals = any(score.interval for score in card.scores)
    legend = words("terminal.legend.blocks") if has_intervals else words("terminal.legend.one")
    return Group(table, *_notes([legend, *card.findings]))


def comparison_table(
    cards: Sequence[Scorecard],
    language: str = "en",
    *,
    verdicts: Sequence[Verdict] = (),
    controls: Sequence[str] = (),
    runs: Sequence[RunRecord] = (),
) -> RenderableType:
    """The scores of several models side by side.

    Args:
        cards: One per model, summarised over seeds.
        language: Of the words.
        verdicts: Where given, a model that is ahead of every other one on a score is set in bold.
        controls: Models that nobody asked for, whose cards come last.
        runs: Where given, failed ones are counted below the table.
    """
    words = load_words(language)
    contestants = [card for card in cards if card.subject not in controls]
    subjects = [card.subject for card in contestants]
    tables = [_side_by_side(words("terminal.title", models=words.both(subjects)), contestants, verdicts, words)]
    legend = [words("terminal.legend")] + ([words("terminal.legend.ahead")] if verdicts else [])
    if others := [card for card in cards if card.subject in controls]:
        tables.append(_side_by_side(words("terminal.controls"), others, (), words))
        legend.append(words("controls.note", controls=words.both(list(controls))))
    notes = [*legend, *failures(runs, words), *dict.fromkeys(note for card in cards for note in card.findings)]
    return Group(*tables, *_notes(notes))


def _side_by_side(title: str, cards: Sequence[Scorecard], verdicts: Sequence[Verdict], words: Words) -> Table:
    table = _score_table(title, words)
    subjects = [card.subject for card in cards]
    for subject in subjects:
        table.add_column(Text(subject), justify="right", overflow="fold")
    _fill(table, score_rows(cards, verdicts), subjects, words)
    return table


def failures(runs: Iterable[RunRecord], words: Words) -> list[str]:
    """One line for every model of which runs failed."""
    runs = list(runs)
    planned = Counter(run.model for run in runs)
    failed = Counter(run.model for run in runs if run.status == "failed")
    return [
        words.count("count.failed", failed[model], model=model, all=planned[model])
        for model in planned
        if failed[model]
    ]


def models_table(entries: Mapping[str, Entry] | Iterable[Entry], language: str = "en") -> Table:
    """Every model: family, density, what it can do and where it is from.

    Args:
        entries: The catalogue, or its entries.
        language: Of the words.
    """
    words = load_words(language)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(words("models.column.model"), style="bold", no_wrap=True)
    table.add_column(words("models.column.family"), no_wrap=True)
    table.add_column(words("models.column.density"), no_wrap=True)
    table.add_column(words("models.column.can"), ratio=2)
    table.add_column(words("models.column.reference"), ratio=3)
    for entry in _entries(entries):
        if entry.model is None:
            # As Text: rich would take the brackets for mark-up.
            how = Text(words("models.install", command=_install(entry)))
            table.add_row(entry.name, entry.family, "?", how, "")
        else:
            density = words(f"models.density.{entry.density}")
            table.add_row(entry.name, entry.family, density, _capabilities(entry, words), entry.model.paper)
    return table


def recipes_table(recipes: Mapping[str, Recipe], language: str = "en") -> RenderableType:
    """Every recipe: the model that it is a setting of, its parts and where it is from."""
    words = load_words(language)
    table = Table(
        title=Text(words("models.recipes"), style="bold"), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False
    )
    table.add_column(words("models.column.recipe"), style="bold", no_wrap=True)
    table.add_column(words("models.column.model"), no_wrap=True)
    table.add_column(words("models.column.parts"), ratio=2)
    table.add_column(words("models.column.reference"), ratio=3)
    for name, recipe in recipes.items():
        table.add_row(name, recipe.model, recipe.parts, recipe.paper)
    return table


def models_tree(entries: Mapping[str, Entry] | Iterable[Entry], language: str = "en") -> Tree:
    """The taxonomy of generative models by what they know of the density (after Goodfellow 2016, arXiv 1701.00160).

    Args:
        entries: The catalogue, or its entries.
        language: Of the words.
    """
    words = load_words(language)
    tree = Tree(words("models.tree"), guide_style="dim")
    explicit = tree.add(words("models.tree.explicit"))
    branches = {
        "exact": explicit.add(words("models.density.exact")),
        "bound": explicit.add(words("models.density.bound")),
        "implicit": tree.add(words("models.tree.implicit")),
    }
    unknown: list[Entry] = []
    for entry in _entries(entries):
        if entry.density is None:
            unknown.append(entry)
        else:
            branches[entry.density].add(Text.assemble((entry.name, "bold"), (f"  {_authors(entry)}", "dim")))
    for branch in branches.values():
        if not branch.children:
            branch.add(Text(words("models.tree.none"), style="dim italic"))
    if unknown:
        missing = tree.add(words("models.tree.missing"))
        for entry in unknown:
            missing.add(Text.assemble((entry.name, "bold"), (f"  {_install(entry)}", "dim")))
    return tree


def _install(entry: Entry) -> str:
    return f"pip install 'tvir[{entry.extra}]'"


def _capabilities(entry: Entry, words: Words) -> str:
    return ", ".join(words(f"capability.{name.replace(' ', '-')}") for name in entry.capabilities or ("none",))


def _entries(entries: Mapping[str, Entry] | Iterable[Entry]) -> Iterable[Entry]:
    return entries.values() if isinstance(entries, Mapping) else entries


def _authors(entry: Entry) -> str:
    """Authors and year of a model's paper, or its family where the paper is not at hand."""
    found = re.match(r".*?\b\d{4}\b", entry.model.paper) if entry.model else None
    return found[0] if found else entry.family


def _score_table(title: str, words: Words) -> Table:
    table = Table(
        title=Text(title, style="bold"), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0)
    )
    table.add_column(words("column.score"), overflow="fold")
    # The words may be longer than any number below them; on two lines they leave room for the models.
    table.add_column(words("column.floor").replace(" ", "\n"), justify="right", style="dim", overflow="fold")
    return table


def _fill(table: Table, rows: Mapping[Axis, Sequence[ScoreRow]], subjects: Sequence[str], words: Words) -> None:
    for position, (axis, found) in enumerate(rows.items()):
        if position:
            table.add_row()
        heading = Text.assemble((words(f"axis.{axis}"), "bold cyan"))
        table.add_row(heading)
        for place, row in enumerate(found):
            if not row.first and place > 0 and found[place - 1].first:
                table.add_row(Text(words("terminal.more"), style="dim italic"))
            cells = [_cell(row, index, subject, words) for index, subject in enumerate(subjects)]
            table.add_row(Text(f"{row.arrow} {row.label(words)}"), row.floor_text(words), *cells)
    if not rows:
        table.add_row(Text(words("scores.none"), style="italic"))


def _cell(row: ScoreRow, index: int, subject: str, words: Words) -> Text:
    score = row.scores[index]
    if score is None:
        return Text("–", style="dim")
    return Text(row.layout.score(score, words), style="bold" if row.ahead == subject else "")


def _notes(notes: Iterable[str]) -> list[Text]:
    return [Text(note, style="dim") for note in notes]
