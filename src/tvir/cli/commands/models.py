"""Lists the models and recipes: name, family, capabilities, reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tvir.cli.parsing import parse


@dataclass(frozen=True, kw_only=True)
class Models:
    """Lists the models and recipes: name, family, capabilities, reference."""

    tree: bool = False
    """Show the taxonomy instead: explicit density (exact, bound) and implicit density."""
    language: Literal["en", "uk"] = "en"
    """Of the words: English or Ukrainian."""


def main(words: Sequence[str]) -> None:
    """Print the table or the tree."""
    form = parse(Models, words, program="tvir models")
    from rich.console import Console

    from tvir.models.catalogue import catalogue
    from tvir.recipes.catalogue import recipes
    from tvir.reports.terminal import models_table, models_tree, recipes_table

    entries, console = catalogue(), Console()
    if form.tree:
        console.print(models_tree(entries.values(), form.language))
        return
    console.print(models_table(entries.values(), form.language))
    console.print(recipes_table(recipes(), form.language))
