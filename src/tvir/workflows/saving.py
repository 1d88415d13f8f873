"""Writing rows where a person asked for them: a picture, a folder of pictures, or an array."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from tvir.contracts.data import Array, DataSpec, ImageSpec, TextSpec
from tvir.contracts.errors import UsageError
from tvir.contracts.run import write_atomically
from tvir.training.previews import picture, text_file

_LARGEST_GRID = 4096
"""Examples in one picture."""

_TEXT = (".txt", ".jsonl")

FORMS = "a .png grid, a folder (no suffix), .npy or .npz; for text .txt or .jsonl"


def save_rows(spec: DataSpec, pieces: Iterable[Array], count: int, to: Path, *, columns: int | None = None) -> Path:
    """Write rows in the form that the suffix of ``to`` asks for. A crash leaves no half-written file behind.

    Args:
        spec: What a row is.
        pieces: The rows, in pieces, so that more of them than memory holds can be written.
        count: Rows in all pieces together.
        to: ``.png`` for one grid, no suffix for a folder with a PNG per image, ``.npy`` or ``.npz`` for arrays; for
            text ``.txt`` to be read, ``.jsonl`` for an object ``{"text": ...}`` on each line.
        columns: Pictures side by side in a grid.

    Raises:
        UsageError: The suffix is unknown, or the data cannot be shown in that form.
    """
    check_form(spec, count, to)
    to.parent.mkdir(parents=True, exist_ok=True)
    match to.suffix.lower():
        case ".png":
            rows = _joined(spec, pieces)
            with replacing(to) as temporary:
                picture(spec, rows, columns).save(temporary, format="PNG")
        case ".txt" | ".jsonl" as suffix if isinstance(spec, TextSpec):
            texts = spec.texts(_joined(spec, pieces))
            content = text_file(texts) if suffix == ".txt" else "".join(map(_object_line, texts))
            write_atomically(to, content.encode())
        case ".npy":
            _save_array(spec, pieces, count, to)
        case ".npz":
            rows = _joined(spec, pieces)
            with replacing(to) as temporary:
                np.savez_compressed(temporary, rows=rows)
        case _:
            _save_folder(spec, pieces, to)
    return to


def check_form(spec: DataSpec, count: int, to: Path) -> None:
    """Refuse a form before any work is done for it.

    Raises:
        UsageError: See ``save_rows``.
    """
    suffix = to.suffix.lower()
    if suffix not in (".png", ".npy", ".npz", "", *_TEXT):
        raise UsageError(f"{to} names no form that samples can be written in; choose {FORMS}")
    if suffix == ".png" and not 1 <= count <= _LARGEST_GRID:
        raise UsageError(
            f"{count} samples make no grid; a .png takes 1 to {_LARGEST_GRID}, a folder or .npy takes more"
        )
    if suffix in _TEXT and not (isinstance(spec, TextSpec) and spec.pieces):
        raise UsageError(f"only text can be written as {suffix}; choose .png, .npy or .npz")
    if suffix == "":
        if not isinstance(spec, ImageSpec):
            raise UsageError("only images can be written as a folder of pictures; choose .png, .npy or .npz")
        if to.exists() and (not to.is_dir() or any(to.iterdir())):
            raise UsageError(f"{to} is there already and is not an empty folder; choose another --to")
    elif to.is_dir():
        raise UsageError(f"{to} is a folder; choose another --to")


def usual_suffix(spec: DataSpec) -> str:
    """Of the file that samples are written to where nothing else is asked for."""
    return ".txt" if isinstance(spec, TextSpec) and spec.pieces else ".png"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file beside ``path`` that takes its place once the block has ended well."""
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.tmp{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _object_line(text: str) -> str:
    return json.dumps({"text": text}, ensure_ascii=False) + "\n"


def _save_array(spec: DataSpec, pieces: Iterable[Array], count: int, to: Path) -> None:
    with replacing(to) as temporary:
        file = np.lib.format.open_memmap(temporary, "w+", dtype=spec.row_dtype, shape=(count, *spec.row_shape))
        first = 0
        for rows in pieces:
            file[first : first + len(rows)] = rows
            first += len(rows)
        file.flush()


def _save_folder(spec: DataSpec, pieces: Iterable[Array], to: Path) -> None:
    to.mkdir(parents=True, exist_ok=True)
    index = 0
    for rows in pieces:
        for row in rows:
            image = Image.fromarray(row.squeeze(-1) if row.shape[-1] == 1 else row)
            image.save(to / f"{index:06d}.png")
            index += 1


def _joined(spec: DataSpec, pieces: Iterable[Array]) -> Array:
    parts = list(pieces)
    return np.concatenate(parts) if parts else np.empty((0, *spec.row_shape), dtype=spec.row_dtype)
