"""What recipes there are, found by walking this package."""

from __future__ import annotations

import importlib
from functools import cache
from types import MappingProxyType

import tvir.recipes
from tvir.contracts.discovery import walk_modules
from tvir.contracts.recipe import Recipe


@cache
def recipes() -> MappingProxyType[str, Recipe]:
    """Every recipe by name, which is that of its file in kebab case.

    Example:
        >>> recipes()["lsgan"].model
        'gan'
    """
    found = {name.rpartition(".")[2]: importlib.import_module(name) for name in walk_modules(tvir.recipes)}
    return MappingProxyType(
        {
            name.replace("_", "-"): module.RECIPE
            for name, module in found.items()
            if isinstance(getattr(module, "RECIPE", None), Recipe)
        }
    )
