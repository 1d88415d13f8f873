"""Trains a model on data.

The model's own settings are flags too: ``tvir train gan --help`` shows them.
"""

from __future__ import annotations

import dataclasses
import os
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from tvir.cli.forms import TrainFlags
from tvir.cli.parsing import parse
from tvir.contracts.errors import UsageError
from tvir.contracts.recipe import Recipe

if TYPE_CHECKING:
    from tvir.contracts.model import ModelConfig


def main(words: Sequence[str]) -> None:
    """Train one run, or print the help of a model."""
    model, rest = _split(words)
    if model is None:
        _general_help(rest)
        return
    general, settings = _read(model, rest)
    if general.nproc_per_node > 1 and os.environ.get("WORLD_SIZE", "1") == "1":
        from tvir.cli.launching import together

        sys.exit(together(general.nproc_per_node, ["train", *words]))
    from tvir.cli.progress import Reading, TrainingObserver, screen
    from tvir.workflows.train import train

    with screen(quiet=general.quiet) as shown:
        run = train(
            model,
            general.data,
            budget=general.budget,
            seed=general.seed,
            out=general.out,
            config=settings,
            precision=general.precision,
            size=general.size,
            channels=general.channels,
            fit=general.fit,
            strict=general.strict,
            tokens=general.tokens,
            vocabulary=general.vocabulary,
            length=general.length,
            windows=general.windows,
            column=general.column,
            start_from=general.start_from,
            observer=TrainingObserver(shown),
            progress=Reading(shown),
        )
    shown.told(f"{run.path} is {run.record.status}; see it with: tvir sample {run.path}")


def _split(words: Sequence[str]) -> tuple[str | None, list[str]]:
    """The model, which comes first, and the rest."""
    if words and not words[0].startswith("-"):
        return words[0], list(words[1:])
    return None, list(words)


def _read(model: str, words: Sequence[str]) -> tuple[TrainFlags, dict[str, Any]]:
    from tvir.cli.choices import choice_registry, explain_choices
    from tvir.recipes.catalogue import recipes
    from tvir.workflows.building import find_method

    method = find_method(model)
    kind = method.kind

    # The settings of the model are known only now; they stand beside the general flags without a prefix.
    form = dataclasses.make_dataclass(
        "Form",
        [
            ("general", Annotated[TrainFlags, tyro.conf.arg(name="")]),
            ("settings", Annotated[kind.Config, tyro.conf.arg(name="")], dataclasses.field(default=method.config)),
        ],
    )
    recipe = recipes().get(model)
    about = f"Trains {model} ({kind.paper})." if recipe is None else _described(model, recipe)
    description = f"{about}\n\n{explain_choices(kind.Config)}".strip()
    filled: Any = parse(form, words, program=f"tvir train {model}", description=description, registry=choice_registry())
    return filled.general, _named(filled.settings, words)


def _named(settings: ModelConfig, words: Sequence[str]) -> dict[str, Any]:
    """The settings that were written down; what suits the data is not decided by the defaults that help shows."""
    flags = {re.split(r"[=.]", word)[0].lstrip("-").replace("-", "_") for word in words if word.startswith("--")}
    flags |= {flag.removeprefix("no_") for flag in flags}  # what is switched off is named, too
    return {name: value for name, value in settings.as_json().items() if name in flags}


def _described(name: str, recipe: Recipe) -> str:
    """What a recipe is, in a few lines."""
    departs = f"\nDeparts from the paper: {recipe.departs}." if recipe.departs else ""
    return (
        f"Trains {name} ({recipe.paper}): the model {recipe.model} with {recipe.parts}.{departs}\n"
        f"Tried as: {recipe.command} ({recipe.duration}): {recipe.expected}."
    )


def _general_help(words: Sequence[str]) -> None:
    from tvir.models.catalogue import catalogue
    from tvir.recipes.catalogue import recipes

    names = ", ".join([*catalogue(), *recipes()])
    if not any(word in ("-h", "--help") for word in words):
        raise UsageError(f"name a model first: tvir train MODEL --data DATA; the models are: {names}")
    description = (
        "Trains a model on data: tvir train MODEL --data DATA [options] [settings of the model]\n\n"
        f"Models: {names}\n\nThe settings of a model: tvir train MODEL --help"
    )
    parse(TrainFlags, ["--help"], program="tvir train MODEL", description=description)
