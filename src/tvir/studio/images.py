"""Collections of pictures to learn from: kept by their content, changed in steps that can be undone."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tvir.contracts.run import write_atomically
from tvir.data.images import ImageForm, UnusableImageError, decode_image, measure_image
from tvir.studio.frames import png_of
from tvir.studio.refusal import RefusalError, missing
from tvir.studio.uploads import refuse_giant, said_of
from tvir.studio.works import Works

_MOST = 5_000
"""Pictures of a collection."""

_THUMBNAIL = 112
"""Side in pixels."""

_LONGEST_NAME = 120

_SUFFIXES = {b"\x89PNG": ".png", b"\xff\xd8": ".jpg", b"RIFF": ".webp", b"GIF8": ".gif", b"BM": ".bmp"}


@dataclass(frozen=True, kw_only=True)
class ImageSet:
    """Pictures that somebody has put together to learn from.

    Args:
        id: Opaque.
        name: What people call it.
        pictures: Names by address, in order of the names.
    """

    id: str
    name: str
    pictures: dict[str, str]


class Images:
    """The pictures that a studio has been given to learn from.

    A picture lies under the hash of its pixels, so that the same one is never kept twice; which pictures a set has is
    part of the studio's memory, so that adding and removing can be undone. A training learns from a folder that holds
    exactly the pictures a set had: it stays as it was when the set changes, and runs resume exactly.

    Args:
        folder: Of the studio.
        works: Its memory.
    """

    def __init__(self, folder: Path, works: Works) -> None:
        self._store = folder / "images"
        self._dealt = folder / "data"
        self._works = works
        self._lock = threading.Lock()

    def sets(self) -> list[ImageSet]:
        """The sets that are kept, by name."""
        found = [
            _set(subject, present)
            for subject, present in self._works.subjects("images:").items()
            if present.get("kept")
        ]
        return sorted(found, key=lambda one: (one.name.casefold(), one.id))

    def find(self, identity: str) -> ImageSet:
        """One set.

        Raises:
            RefusalError: There is none.
        """
        present = self._works.present(f"images:{identity}")
        if not present.get("kept"):
            raise missing("set of images")
        return _set(f"images:{identity}", present)

    def begin(self, person: str, name: str) -> ImageSet:
        """A new, empty set."""
        identity = secrets.token_hex(8)
        subject = f"images:{identity}"
        self._works.change(person, "begin-images", [(subject, "name", name), (subject, "kept", True)])
        return self.find(identity)

    def remove(self, person: str, identity: str) -> None:
        """Take a set away; its pictures stay, for runs have learned from them."""
        self.find(identity)
        self._works.change(person, "remove-images", [(f"images:{identity}", "kept", False)])

    def add(self, person: str, identity: str, name: str, content: bytes) -> tuple[str, str | None]:
        """Add a picture to a set.

        Returns:
            Its address, and what the same picture is called where the set had it already.

        Raises:
            RefusalError: It is no picture, too large, or the set is full.
        """
        address = self._kept(content)
        with self._lock:
            there = self.find(identity).pictures
            if address in there:
                return address, there[address]
            if len(there) >= _MOST:
                raise RefusalError("too-many", f"a set holds {_MOST:,} pictures at most", 422)
            shown = name.strip()[:_LONGEST_NAME] or address[:8]
            self._works.change(person, "add-image", [(f"images:{identity}", f"has:{address}", shown)])
        return address, None

    def take_out(self, person: str, identity: str, addresses: list[str]) -> None:
        """Take pictures out of a set, in one action."""
        there = self.find(identity).pictures
        changes = [(f"images:{identity}", f"has:{address}", False) for address in addresses if address in there]
        self._works.change(person, "remove-image", changes)

    def thumbnail(self, address: str) -> bytes:
        """A small square PNG of a picture.

        Raises:
            RefusalError: There is no such picture.
        """
        try:
            form = ImageForm(height=_THUMBNAIL, width=_THUMBNAIL, channels=3)
            return png_of(decode_image(self._path(address), form)[0])
        except UnusableImageError:
            raise missing("picture") from None

    def dealt(self, identity: str) -> Path:
        """A folder with exactly the pictures that a set has now, the same one for the same pictures.

        Raises:
            RefusalError: The set is empty.
        """
        addresses = sorted(self.find(identity).pictures)
        if not addresses:
            raise RefusalError("no-images", "there are no pictures in this set yet", 422)
        digest = _digest(addresses)
        folder = self._dealt / digest
        if not folder.exists():
            unfinished = self._dealt / f".{digest}.{secrets.token_hex(4)}.tmp"
            unfinished.mkdir(parents=True)
            for address in addresses:
                _linked(self._path(address), unfinished)
            try:
                unfinished.rename(folder)
            except OSError:  # somebody else was faster
                shutil.rmtree(unfinished, ignore_errors=True)
        return folder

    def of_folder(self, digest: str) -> str | None:
        """The set whose pictures now are those of a folder that was dealt, None where there is none."""
        return next((one.id for one in self.sets() if one.pictures and _digest(one.pictures) == digest), None)

    def called(self, digest: str) -> str | None:
        """What the set is called that has the pictures of a folder that was dealt."""
        found = self.of_folder(digest) if re.fullmatch(r"[0-9a-f]{24}", digest) else None
        return None if found is None else self.find(found).name

    def _kept(self, content: bytes) -> str:
        try:
            size = measure_image(content)
            refuse_giant(size)
            form = ImageForm(height=size.height, width=size.width, channels=4)
            pixels, _ = decode_image(content, form)
        except UnusableImageError as error:
            raise said_of(error) from None
        digest = hashlib.blake2b(f"{size.height}x{size.width} ".encode(), digest_size=16)
        digest.update(pixels.tobytes())
        address = digest.hexdigest()
        if not any(self._store.glob(f"{address}.*")):
            self._store.mkdir(parents=True, exist_ok=True)
            suffix = next((ending for head, ending in _SUFFIXES.items() if content.startswith(head)), ".tif")
            write_atomically(self._store / f"{address}{suffix}", content)
        return address

    def _path(self, address: str) -> Path:
        if not re.fullmatch(r"[0-9a-f]{32}", address):
            raise missing("picture")
        found = next(self._store.glob(f"{address}.*"), None)
        if found is None:
            raise missing("picture")
        return found


def _digest(addresses: Iterable[str]) -> str:
    return hashlib.blake2b(" ".join(sorted(addresses)).encode(), digest_size=12).hexdigest()


def _set(subject: str, present: dict[str, object]) -> ImageSet:
    pictures = {
        attribute.removeprefix("has:"): str(name)
        for attribute, name in present.items()
        if attribute.startswith("has:") and name
    }
    ordered = sorted(pictures.items(), key=lambda pair: (pair[1].casefold(), pair[0]))
    return ImageSet(id=subject.partition(":")[2], name=str(present.get("name", "")), pictures=dict(ordered))


def _linked(path: Path, folder: Path) -> None:
    try:
        os.link(path, folder / path.name)
    except OSError:  # a file system without links
        shutil.copyfile(path, folder / path.name)
