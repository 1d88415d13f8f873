"""Works as files to take along: contact sheets, moving pictures, and everything in one ZIP."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from tvir.contracts.data import Array
from tvir.studio.frames import enlarged, image_of
from tvir.studio.provenance import as_json, provenance_of, written_into
from tvir.studio.refusal import RefusalError
from tvir.studio.works import Work, Works

Form = Literal["gif", "sheet", "mp4"]
"""What a path becomes."""

MEDIA_TYPES: dict[Form, str] = {"gif": "image/gif", "sheet": "image/png", "mp4": "video/mp4"}

LARGE = 512
"""Pixels of the shorter side of a picture that is taken along; smaller ones are enlarged by whole pixels."""

_CELL, _GAP = 160, 8
_PAPER = (255, 255, 255)
_MOVING = 256
_PATIENCE = 60


def films() -> bool:
    """Whether MP4 can be written here."""
    return shutil.which("ffmpeg") is not None


def contact_sheet(images: Sequence[Image.Image], columns: int | None = None) -> Image.Image:
    """Pictures of any sizes side by side on white paper."""
    columns = max(1, min(columns or int(np.ceil(np.sqrt(len(images)))), len(images) or 1))
    lines = max(1, -(-len(images) // columns))
    step = _CELL + _GAP
    sheet = Image.new("RGB", (columns * step + _GAP, lines * step + _GAP), _PAPER)
    for number, image in enumerate(images):
        cell = _in_cell(image)
        left, top = _GAP + number % columns * step, _GAP + number // columns * step
        sheet.paste(cell, (left + (_CELL - cell.width) // 2, top + (_CELL - cell.height) // 2))
    return sheet


def exported_png(works: Works, work: Work, least: int = LARGE) -> bytes:
    """The picture of a work with where it comes from inside."""
    with Image.open(io.BytesIO(works.picture(work.id)), formats=("PNG",)) as image:
        image.load()
    return written_into(enlarged(image, least), provenance_of(work, works.latent(work.id)))


def exported_zip(works: Works, chosen: Sequence[Work]) -> bytes:
    """Works with their provenance, notes and a contact sheet."""
    content = io.BytesIO()
    sheet, told = [], []
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, work in enumerate(chosen, start=1):
            name = f"{number:03d}-{work.id}"
            if work.kind == "text":
                archive.writestr(f"{name}.txt", work.text or "")
            else:
                png = exported_png(works, work)
                archive.writestr(f"{name}.png", png, zipfile.ZIP_STORED)
                with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
                    image.load()
                    sheet.append(image)
            provenance = json.loads(as_json(provenance_of(work, works.latent(work.id))))
            told.append({"file": name, "name": work.name, "note": work.note, **provenance})
        archive.writestr("provenance.json", json.dumps(told, indent=2, ensure_ascii=False))
        if sheet:
            archive.writestr("contact-sheet.png", _png(contact_sheet(sheet)))
    return content.getvalue()


def exported_path(rows: Array, form: Form, frames_per_second: int) -> bytes:
    """The pictures (N, height, width, channels) of a walk as one file.

    Raises:
        RefusalError: MP4 is asked for where there is no ffmpeg.
    """
    match form:
        case "sheet":
            return _png(contact_sheet([image_of(row) for row in rows], columns=min(8, len(rows))))
        case "gif":
            return _gif([image_of(row, _MOVING) for row in rows], frames_per_second)
        case "mp4":
            return _mp4([_on_paper(image_of(row, _MOVING)) for row in rows], frames_per_second)


def sheet_of(works: Works, chosen: Iterable[Work]) -> bytes:
    """A contact sheet of works as PNG."""
    images = []
    for work in chosen:
        if work.kind == "picture":
            with Image.open(io.BytesIO(works.picture(work.id)), formats=("PNG",)) as image:
                image.load()
                images.append(image)
    return _png(contact_sheet(images))


def _in_cell(image: Image.Image) -> Image.Image:
    large = _on_paper(enlarged(image, _CELL // 2))
    large.thumbnail((_CELL, _CELL), Image.Resampling.LANCZOS)
    times = _CELL / max(large.size)
    return large.resize((round(large.width * times), round(large.height * times)), Image.Resampling.NEAREST)


def _on_paper(image: Image.Image) -> Image.Image:
    """The image in colours alone: what is transparent shows the paper."""
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, (*_PAPER, 255)), image)
    return image.convert("RGB")


def _gif(frames: list[Image.Image], frames_per_second: int) -> bytes:
    loop = frames + frames[-2:0:-1]  # there and back again, so that it has no jump
    content = io.BytesIO()
    duration = max(20, round(1000 / frames_per_second))
    loop[0].save(content, format="GIF", save_all=True, append_images=loop[1:], duration=duration, loop=0)
    return content.getvalue()


def _mp4(frames: list[Image.Image], frames_per_second: int) -> bytes:
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        raise RefusalError("no-ffmpeg", "MP4 needs ffmpeg, which is not installed here; choose GIF", 422)
    pixels = np.stack([np.asarray(frame) for frame in frames])
    # H.264 halves the sides of the colours, so an odd side repeats its last line.
    pixels = np.pad(pixels, ((0, 0), (0, pixels.shape[1] % 2), (0, pixels.shape[2] % 2), (0, 0)), mode="edge")
    height, width = pixels.shape[1:3]
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.mp4"
        command = [ffmpeg, "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}"]
        command += ["-r", str(frames_per_second), "-i", "-", "-pix_fmt", "yuv420p"]
        command += ["-movflags", "+faststart", str(film)]
        try:
            subprocess.run(command, input=pixels.tobytes(), check=True, capture_output=True, timeout=_PATIENCE)
        except (subprocess.SubprocessError, OSError) as error:
            raise RefusalError("failed", f"ffmpeg could not write the film: {error}", 500) from None
        return film.read_bytes()


def _png(image: Image.Image) -> bytes:
    content = io.BytesIO()
    image.save(content, format="PNG")
    return content.getvalue()
