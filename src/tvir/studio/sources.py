"""The data that may be learned from: what is built in, sets of images made here, and what lies in one folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tvir.data
from tvir.contracts.discovery import discover
from tvir.contracts.errors import TvirError
from tvir.data.files import has_files
from tvir.data.folder import ImageFolder
from tvir.data.images import SUFFIXES
from tvir.data.opening import find_source
from tvir.data.source import Source
from tvir.data.texts import TextFiles
from tvir.studio.images import Images
from tvir.studio.refusal import missing

_MOST = 300
"""Entries of the folder that are offered."""

_DEPTH = 2
"""Folders deep."""

Kind = Literal["image", "text", "vector"]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Data that can be chosen.

    Args:
        id: What a request names it by: never a path.
        name: For people.
        kind: Of its examples, where that can be known without reading it.
    """

    id: str
    name: str
    kind: Kind | None = None


class Sources:
    """What may be learned from.

    Args:
        images: The sets that were made here.
        folder: Whose files and folders may be learned from as well; None for none.
    """

    def __init__(self, images: Images, folder: Path | None = None) -> None:
        self._images = images
        self._folder = None if folder is None else folder.resolve()

    def choices(self) -> list[Choice]:
        """All that can be chosen now."""
        return [
            *(Choice(id=f"built-in:{name}", name=name, kind=_kind(name)) for name in _built_in()),
            *(Choice(id=f"images:{one.id}", name=one.name, kind="image") for one in self._images.sets()),
            *self._found(),
        ]

    def reference(self, identity: str) -> str:
        """The reference that a choice stands for.

        Raises:
            RefusalError: It is no choice of this studio.
        """
        where, _, name = identity.partition(":")
        if where == "built-in" and name in _built_in():
            return name
        if where == "images":
            return str(self._images.dealt(name).absolute())
        if any(choice.id == identity for choice in self._found()):
            assert self._folder is not None
            return str(self._folder / name)
        raise missing("data")

    def _found(self) -> Iterator[Choice]:
        if self._folder is None:
            return
        found = 0
        for path in _below(self._folder):
            if _is_data(path) and found < _MOST:
                found += 1
                name = path.relative_to(self._folder).as_posix()
                yield Choice(id=f"folder:{name}", name=name, kind=_kind(str(path)))


def _built_in() -> list[str]:
    return sorted(name for kind in discover(tvir.data, Source) for name in kind.built_in)


def _below(folder: Path, depth: int = _DEPTH) -> Iterator[Path]:
    """Entries that are no links and not hidden."""
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith(".") or entry.is_symlink():
            continue
        yield entry
        if entry.is_dir() and depth > 1:
            yield from _below(entry, depth - 1)


def _is_data(path: Path) -> bool:
    try:
        source = find_source(str(path))
    except TvirError:
        return False
    return not isinstance(source, ImageFolder) or has_files(path, SUFFIXES)


def _kind(reference: str) -> Kind | None:
    source = find_source(reference)
    if isinstance(source, TextFiles):
        return "text"
    if isinstance(source, ImageFolder):
        return "image"
    if reference in source.built_in:
        return "image" if source.modes() is None else "vector"
    return None
