"""Models and their settings as a form shows them: everything is read off the models themselves."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from tvir.contracts.choice import Choice
from tvir.contracts.data import DataSpec, ImageSpec, TextSpec, VectorSpec
from tvir.contracts.model import GenerativeModel, ModelConfig, SizedConfig
from tvir.contracts.ranges import ranges_of
from tvir.models.catalogue import catalogue
from tvir.recipes.catalogue import recipes
from tvir.workflows.building import find_method

_KINDS: dict[type[DataSpec], Literal["image", "text", "vector"]] = {
    ImageSpec: "image", TextSpec: "text", VectorSpec: "vector",
}  # fmt: skip

_WORDS = Path(__file__).with_name("words")


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting of a model.

    Args:
        name: As the command line calls it, without dashes in front.
        kind: What can be written: a whole number, a number, a switch, one of some words, or a word with settings.
        default: What it is unless something is written or suits the data better.
        about: What it means; in English as ``tvir train MODEL --help`` says it.
        options: Words to choose from.
        main: Whether it is one of those that people turn first.
    """

    name: str
    kind: Literal["whole", "number", "switch", "option", "choice"]
    default: str
    about: str
    options: list[str]
    main: bool


@dataclass(frozen=True, kw_only=True)
class Described:
    """A model or a recipe that can be trained.

    Args:
        name: As ``tvir models`` lists it.
        family: Of the model; ``recipe`` for recipes.
        model: Of a recipe the model that it is settings of; else the name again.
        paper: Where it is from.
        kinds: Of data that it learns from.
        missing: The extra that has to be installed first; None where nothing is missing.
    """

    name: str
    family: str
    model: str
    paper: str
    kinds: list[Literal["image", "text", "vector"]]
    missing: str | None = None


def models() -> list[Described]:
    """Every model and every recipe, in the order of ``tvir models``."""
    found = [
        Described(
            name=entry.name,
            family=entry.family,
            model=entry.name,
            paper=entry.model.paper if entry.model else "",
            kinds=_kinds(entry.model),
            missing=entry.extra if entry.model is None else None,
        )
        for entry in catalogue().values()
    ]
    entries = catalogue()
    for name, recipe in recipes().items():
        entry = entries.get(recipe.model)
        kind = entry.model if entry else None
        missing = entry.extra if entry and kind is None else None
        found.append(
            Described(
                name=name, family="recipe", model=recipe.model, paper=recipe.paper, kinds=_kinds(kind), missing=missing
            )
        )
    return found


def settings(name: str, language: str = "en") -> list[Setting]:
    """The settings of a model or a recipe, those that people turn first in front.

    Args:
        name: Of the model or the recipe.
        language: Of what is said about each setting: ``en`` or ``uk``.

    Raises:
        TvirError: There is no such model, or it needs packages that are not installed.
    """
    method = find_method(name)
    kind, config = method.kind.Config, method.config
    searched = ranges_of(kind)
    shared = {setting.name for setting in fields(SizedConfig)} - {"ema_half_life"}
    words = _words(language)
    abouts = {setting: words.get(about, about) for setting, about in _abouts(kind).items()}
    types = get_type_hints(kind)
    found = [
        _setting(
            setting.name,
            types[setting.name],
            getattr(config, setting.name),
            abouts.get(setting.name, ""),
            main=setting.name in searched or setting.name in shared,
        )
        for setting in fields(kind)
    ]
    return sorted(found, key=lambda one: not one.main)


@cache
def _words(language: str) -> Mapping[str, str]:
    """Descriptions in another language by those in the source."""
    return {} if language == "en" else json.loads((_WORDS / f"settings.{language}.json").read_text("utf-8"))


def _setting(name: str, kind: Any, value: Any, about: str, *, main: bool) -> Setting:
    shape, options = _shape(kind)
    default = str(value).lower() if isinstance(value, bool) else str(value)
    return Setting(name=name, kind=shape, default=default, about=about, options=options, main=main)


def _shape(kind: Any) -> tuple[Literal["whole", "number", "switch", "option", "choice"], list[str]]:
    if get_origin(kind) is Literal:
        return "option", [str(option) for option in get_args(kind)]
    if inspect.isclass(kind) and issubclass(kind, Choice):
        return "choice", list(kind.alternatives())
    if kind is bool:
        return "switch", ["true", "false"]
    return ("whole", []) if kind is int else ("number", [])


def _kinds(kind: type[GenerativeModel] | None) -> list[Literal["image", "text", "vector"]]:
    return [] if kind is None else [word for spec, word in _KINDS.items() if issubclass(spec, tuple(kind.specs))]


_PARSING = threading.Lock()
"""Two threads that parse at once fail now and then: CPython counts the depth of both together (its issue 106905)."""


@cache
def _abouts(config: type[ModelConfig]) -> dict[str, str]:
    """What stands below each setting in the source, that of the most special class first."""
    found: dict[str, str] = {}
    for parent in config.__mro__:
        if issubclass(parent, ModelConfig):
            for name, text in _documented(parent):
                found.setdefault(name, " ".join(text.split()))
    return found


def _documented(config: type) -> Sequence[tuple[str, str]]:
    try:
        with _PARSING:
            tree = ast.parse(textwrap.dedent(inspect.getsource(config))).body[0]
    except (OSError, TypeError):
        return []  # the source is not there: a form without descriptions is still one
    assert isinstance(tree, ast.ClassDef)
    pairs = zip(tree.body, tree.body[1:], strict=False)
    return [
        (line.target.id, after.value.value)
        for line, after in pairs
        if isinstance(line, ast.AnnAssign)
        and isinstance(line.target, ast.Name)
        and isinstance(after, ast.Expr)
        and isinstance(after.value, ast.Constant)
        and isinstance(after.value.value, str)
    ]
