"""Files as evidence: listing them, hashing their content, and not reading them again while they are unchanged."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tvir.contracts.errors import TvirError
from tvir.data.cache import recall, remember
from tvir.data.images import POINTER
from tvir.data.source import Progress

_SETTLED = 100_000_000
"""Nanoseconds after which a change to a file is sure to change its time stamp: clocks of file systems are coarse."""

_CLUTTER = {"thumbs.db", "desktop.ini"}
"""Files that systems leave in folders of images; together with hidden files they are passed over without a word."""


@dataclass(frozen=True, slots=True)
class FileState:
    """One file and what tells that it has not changed.

    Args:
        name: Path below the root, with ``/`` between its parts.
        location: Absolute path; text, since a folder may hold very many.
        size: Bytes.
        regular: False for a pipe, a device or a link that leads nowhere: reading one could wait for ever.
        stamps: Times of the last change of content and of metadata in nanoseconds, and the inode.
    """

    name: str
    location: str
    size: int
    regular: bool
    stamps: tuple[int, int, int]

    @staticmethod
    def of(path: Path) -> FileState:
        """The state of a file now."""
        return _look(path, path.name, str(path.absolute()))

    @property
    def path(self) -> Path:
        return Path(self.location)


def _look(file: Path | os.DirEntry[str], name: str, location: str) -> FileState:
    try:
        found = file.stat()
    except OSError:
        return FileState(name, location, 0, False, (0, 0, 0))
    stamps = (found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
    return FileState(name, location, found.st_size, stat.S_ISREG(found.st_mode), stamps)


def list_files(root: Path) -> list[FileState]:
    """All files below a folder, by name. Links to folders are followed, but never in a circle.

    Raises:
        TvirError: The folder cannot be listed.
    """
    found: list[FileState] = []
    waiting: list[tuple[str, str, tuple[str, ...]]] = [(str(root.absolute()), "", (os.path.realpath(root),))]
    while waiting:
        folder, prefix, above = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.name.startswith(".") or entry.name.lower() in _CLUTTER:
                        continue
                    name = prefix + entry.name
                    if not entry.is_dir():
                        found.append(_look(entry, name, entry.path))
                    elif (real := os.path.realpath(entry.path)) not in above:
                        waiting.append((entry.path, name + "/", (*above, real)))
        except OSError as error:
            raise TvirError(f"the folder {printable(folder)} cannot be listed: {error.strerror}") from None
    return sorted(found, key=lambda file: file.name)


def has_files(root: Path, suffixes: tuple[str, ...], depth: int = 3) -> bool:
    """Whether a folder, or one at most two levels below it, holds a file of one of the suffixes."""
    try:
        with os.scandir(root) as entries:
            return any(
                has_files(Path(entry.path), suffixes, depth - 1)
                if depth > 1 and entry.is_dir()
                else entry.name.lower().endswith(suffixes)
                for entry in entries
            )
    except OSError:
        return False


def hash_files(files: Sequence[FileState], progress: Progress) -> str:
    """A hash of the names and the content of files.

    Files whose names, places, sizes and time stamps are those of an earlier call are not read: their hash is
    remembered in the cache.
    """
    state = [(file.name, file.location, file.size, file.stamps) for file in files]
    key = hashlib.blake2b(repr(state).encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
    if known := recall("content", key):
        return known
    began = time.time_ns()
    whole = hashlib.blake2b(digest_size=16)
    with ThreadPoolExecutor(min(8, max(1, len(files)))) as pool:
        for done, (file, digest) in enumerate(zip(files, pool.map(_hash_file, files), strict=True), 1):
            name = os.fsencode(file.name)
            whole.update(len(name).to_bytes(8, "little") + name + digest)
            if done % 256 == 0 or done == len(files):
                progress("reading", done, len(files))
    if all(max(file.stamps[:2]) < began - _SETTLED for file in files):
        remember("content", key, whole.hexdigest())
    return whole.hexdigest()


def _hash_file(file: FileState) -> bytes:
    if not file.regular:
        return b"not a file".ljust(32)
    try:
        with file.path.open("rb", buffering=0) as stream:
            return hashlib.file_digest(stream, "sha256").digest()
    except OSError:
        return b"unreadable".ljust(32)


def refuse_pointer(path: Path) -> None:
    """Complain about a file that Git LFS has not fetched yet.

    Raises:
        TvirError: It is one, or it cannot be read at all.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(len(POINTER))
    except OSError as error:
        raise TvirError(f"{printable(str(path))} cannot be read: {error.strerror}") from None
    if head == POINTER:
        raise TvirError(f"{printable(str(path))} is a Git LFS pointer, not the data; fetch it with: git lfs pull")
    if not head:
        raise TvirError(f"{printable(str(path))} is empty, 0 bytes")


def printable(text: str) -> str:
    """A name from a stranger as one line that can do nothing to a terminal."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
