"""What models there are, found by walking this package."""

from __future__ import annotations

import difflib
import importlib
import inspect
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType, ModuleType
from typing import Literal

import tvir.models
from tvir.contracts import model as contract
from tvir.contracts.data import DataSpec
from tvir.contracts.discovery import final_classes, walk_modules
from tvir.contracts.errors import MissingExtraError, UsageError
from tvir.contracts.model import GenerativeModel, HasLikelihood, HasLikelihoodBound

Density = Literal["exact", "bound", "implicit"]

_CONTROLS = "control"
"""The family of the models that others are compared with."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One model of the catalogue.

    Args:
        name: Its file name in kebab case.
        family: The folder it lies in.
        model: The class, or None where the extra it needs is not installed.
        extra: The extra that installs what it needs, or None where nothing is missing.
    """

    name: str
    family: str
    model: type[GenerativeModel] | None
    extra: str | None = None

    @property
    def density(self) -> Density | None:
        """What the model can say of the density of an example; None where its class is not there to ask."""
        if self.model is None:
            return None
        if issubclass(self.model, HasLikelihood):
            return "exact"
        return "bound" if issubclass(self.model, HasLikelihoodBound) else "implicit"

    @property
    def is_control(self) -> bool:
        """Whether it is there to be compared with: fitted without a step, and no network may lose to it."""
        return self.family == _CONTROLS

    @property
    def specs(self) -> tuple[type[DataSpec], ...]:
        """Kinds of data it can be built for; none where its class is not there to ask."""
        return () if self.model is None else self.model.specs

    @property
    def capabilities(self) -> tuple[str, ...]:
        """The capability classes it descends from, in words: ``("decodes latents", "encodes data")``."""
        if self.model is None:
            return ()
        parents = [
            parent
            for parent in reversed(self.model.__mro__)
            if parent.__module__ == contract.__name__ and parent is not GenerativeModel
        ]
        return tuple(_words(parent.__name__) for parent in parents)


def catalogue() -> dict[str, Entry]:
    """Every model by name, in order of family and name.

    Example:
        >>> catalogue()["vae"].density
        'bound'
    """
    return dict(_entries())


def find_model(name: str, others: Collection[str] = ()) -> type[GenerativeModel]:
    """The class of a named model.

    Args:
        name: As ``tvir models`` lists it.
        others: Further names that could have been meant.

    Raises:
        UsageError: There is no such model.
        MissingExtraError: It needs packages that are not installed.
    """
    entries = _entries()
    if name not in entries:
        known = [*entries, *others]
        close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(close)}?" if close else f"choose one of: {', '.join(known)}"
        raise UsageError(f"there is no model called {name!r}; {hint}")
    entry = entries[name]
    if entry.model is None:
        raise MissingExtraError(f"the model {name}", entry.extra or "all")
    return entry.model


@cache
def _entries() -> MappingProxyType[str, Entry]:
    found = [entry for entry in map(_entry, walk_modules(tvir.models)) if entry]
    found.sort(key=lambda entry: (entry.family, entry.name))
    return MappingProxyType({entry.name: entry for entry in found})


def _entry(module_name: str) -> Entry | None:
    """The model a module defines, or None for a helper."""
    package_name, _, file_name = module_name.rpartition(".")
    if package_name == tvir.models.__name__:
        return None
    name, family = file_name.replace("_", "-"), package_name.rpartition(".")[2]
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        extra = _extra(importlib.import_module(package_name))
        # Only a package from outside can be mended by an extra; our own mistakes must be seen.
        if extra is None or (error.name or "").split(".")[0] in ("", "tvir"):
            raise
        return Entry(name=name, family=family, model=None, extra=extra)
    models = [model for model in final_classes(module, GenerativeModel) if not inspect.isabstract(model)]  # type: ignore[type-abstract]
    return Entry(name=name, family=family, model=models[0]) if models else None


def _extra(package: ModuleType) -> str | None:
    return getattr(package, "EXTRA", None)


def _words(class_name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", class_name).lower()
