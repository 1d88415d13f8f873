"""Finding parts by walking packages: no list anywhere names them by hand."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import TypeVar

Part = TypeVar("Part")


def walk_modules(package: ModuleType) -> Iterator[str]:
    """Full names of all modules below a package, sorted, without importing them."""
    for found in sorted(
        pkgutil.walk_packages(package.__path__, package.__name__ + "."), key=lambda module: module.name
    ):
        if not found.ispkg:
            yield found.name


def final_classes(module: ModuleType, base: type[Part]) -> list[type[Part]]:
    """The final (not abstract) subclasses of ``base`` that a module itself defines."""
    return [
        member
        for _, member in inspect.getmembers(module, inspect.isclass)
        if issubclass(member, base) and member.__module__ == module.__name__ and not inspect.isabstract(member)
    ]


def discover(package: ModuleType, base: type[Part]) -> Iterator[type[Part]]:
    """All final subclasses of ``base`` defined below a package."""
    for name in walk_modules(package):
        yield from final_classes(importlib.import_module(name), base)
