"""Lists the models: name, family, capabilities, reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tvir.cli.parsing import parse


@dataclass(frozen=True, kw_only=True)
class Models:
    """Lists the models: name, family, capabilities, reference."""

    tree: bool = False
    """Show the taxonomy instead: explicit density (exact, bound) and implicit density."""


def main(words: Sequence[str]) -> None:
    """Print the table or the tree."""
    form = parse(Models, words, program="tvir models")
    from rich.console import Console

    from tvir.models.catalogue import catalogue
    from tvir.reports.terminal import models_table, models_tree

    entries = catalogue()
    Console().print(models_tree(entries.values()) if form.tree else models_table(entries.values()))
