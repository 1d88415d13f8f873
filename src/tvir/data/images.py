"""From the bytes of an image to an upright uint8 array of the wanted size and channels.

The bytes come from strangers: only a few formats are tried, the size is checked before any pixel is decoded, and a
file that cannot be decoded is named with a reason instead of ending the reading.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Literal

import numpy as np
from PIL import Image, UnidentifiedImageError

from tvir.contracts.data import Array

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
"""The only formats whose decoders a stranger's file can reach."""

SUFFIXES = (".png", ".jpg", ".jpeg", ".jfif", ".webp", ".gif", ".bmp", ".tif", ".tiff")

MOST_PIXELS = 50_000_000
"""A small file can unfold to gigabytes; nothing larger is decoded."""

MOST_BYTES = 256 * 2**20
"""A larger file is not opened as an image."""

BACKGROUND = (255, 255, 255)
"""Transparent images are composited over white."""

PADDING = 0
"""``fit="pad"`` fills with black; with transparency, where alpha is kept."""

POINTER = b"version https://git-lfs"

Fit = Literal["crop", "pad"]


class UnusableImageError(ValueError):
    """An image that has to be skipped, and why."""


class Note(StrEnum):
    """What was done to an image beyond decoding it; the text finishes "3 of 20 images ..."."""

    ANIMATED = "hold several frames: the first of each was used"
    TRANSPARENT = "were transparent: composited over white"
    SIXTEEN_BIT = "have more than 8 bits a channel: scaled to 8"
    TURNED = "were turned upright as their EXIF orientation says"
    CROPPED = "are not of the wanted proportions: cut to their centre (fit=crop)"
    PADDED = "are not of the wanted proportions: padded with black (fit=pad)"
    ENLARGED = "are smaller than the wanted size: enlarged"


@dataclass(frozen=True, kw_only=True)
class ImageForm:
    """What every image is brought to.

    Args:
        height: Pixels.
        width: Pixels.
        channels: 1 (gray), 3 (RGB) or 4 (RGBA).
        fit: Whether images of other proportions are cut to their centre or padded.
    """

    height: int
    width: int
    channels: int
    fit: Fit = "crop"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What the header of an image says."""

    height: int
    width: int
    gray: bool


def decode_image(content: bytes | Path, form: ImageForm) -> tuple[Array, frozenset[Note]]:
    """Decode one image to uint8 (height, width, channels), and say what was done to it.

    Raises:
        UnusableImageError: It cannot or must not be decoded; the message is the reason.
    """
    with _opened(content) as image:
        notes = {Note.ANIMATED} if getattr(image, "is_animated", False) else set()
        if image.format == "JPEG":
            # A JPEG can be decoded at 1/2, 1/4 or 1/8 of its size; twice the wanted size loses nothing visible.
            scale = 2 * max(form.height, form.width) / min(image.size)
            if scale < 0.5:
                image.draft(None, (max(1, int(image.width * scale)), max(1, int(image.height * scale))))
        image.load()
        upright = _upright(image)
        if upright is not image:
            notes.add(Note.TURNED)
        plain, wide = _eight_bit(upright)
        if wide:
            notes.add(Note.SIXTEEN_BIT)
        return bring_to(plain, form, notes), frozenset(notes)


def measure_image(content: bytes | Path) -> Measured:
    """Read the header of one image.

    Raises:
        UnusableImageError: There is no header that can be read.
    """
    with _opened(content) as image:
        width, height = image.size
        # PNG loads the whole image to answer getexif() unless there is an Exif block at its head.
        if "exif" in image.info and _orientation(image) >= 5:
            width, height = height, width
        return Measured(height=height, width=width, gray=_is_gray(image))


def bring_to(image: Image.Image, form: ImageForm, notes: set[Note]) -> Array:
    """Resize an 8-bit L, RGB or RGBA image and convert its channels; add to ``notes`` what was done."""
    fitted = _fit(image, form, notes)
    if fitted.mode == "RGBA" and form.channels != 4:
        if _minimum(fitted.getchannel("A")) < 255:
            notes.add(Note.TRANSPARENT)
        canvas = Image.new("RGBA", fitted.size, (*BACKGROUND, 255))
        fitted = Image.alpha_composite(canvas, fitted).convert("RGB")
    pixels = np.asarray(fitted.convert({1: "L", 3: "RGB", 4: "RGBA"}[form.channels]))
    return pixels.reshape(form.height, form.width, form.channels)


@contextmanager
def _opened(content: bytes | Path) -> Iterator[Image.Image]:
    """The image, identified and within the limits, but not yet decoded."""
    try:
        with content.open("rb") if isinstance(content, Path) else io.BytesIO(content) as stream:
            _refuse_other_files(stream)
            with Image.open(stream, formats=FORMATS) as image:
                if image.width * image.height > MOST_PIXELS:
                    size = f"{image.width} x {image.height} pixels"
                    raise UnusableImageError(f"{size}, more than the {MOST_PIXELS:,} that are decoded")
                yield image
    except UnusableImageError:
        raise
    except UnidentifiedImageError:
        raise UnusableImageError(f"no image that can be recognised as {', '.join(FORMATS)}") from None
    except Image.DecompressionBombError:
        raise UnusableImageError(f"more than the {MOST_PIXELS:,} pixels that are decoded") from None
    except MemoryError:
        raise UnusableImageError("not enough memory to decode it") from None
    # Besides OSError, ValueError and SyntaxError, decoders let anything from IndexError to struct.error escape from a
    # damaged file; none of them may end the reading of the others.
    except Exception as error:
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise UnusableImageError(f"truncated or corrupt: {reason}") from None


def _refuse_other_files(stream: IO[bytes]) -> None:
    head = stream.read(len(POINTER))
    if not head:
        raise UnusableImageError("empty, 0 bytes")
    if head == POINTER:
        raise UnusableImageError("a Git LFS pointer, not the image itself; fetch it with: git lfs pull")
    stream.seek(0)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(0x0112, 1))
    except Exception:  # a damaged Exif block says nothing about the pixels
        return 1


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _upright(image: Image.Image) -> Image.Image:
    """Turned as the EXIF orientation (tag 0x0112) says."""
    turn = _TURNS.get(_orientation(image))
    return image if turn is None else image.transpose(turn)


def _is_gray(image: Image.Image) -> bool:
    if image.mode in ("P", "PA"):
        palette = image.getpalette() or []
        return bool(palette) and palette[0::3] == palette[1::3] == palette[2::3]
    return image.mode in ("1", "L", "LA", "La", "I", "F") or image.mode.startswith("I;16")


def _eight_bit(image: Image.Image) -> tuple[Image.Image, bool]:
    """The image in mode L, RGB or RGBA, and whether it had more than 8 bits a channel."""
    if image.mode == "I" or image.mode == "F" or image.mode.startswith("I;16"):
        return Image.fromarray(_scale_to_bytes(np.asarray(image), image.mode)), True
    if image.mode in ("LA", "La", "PA", "RGBa") or image.has_transparency_data:
        return image.convert("RGBA"), False
    if image.mode == "1":
        return image.convert("L"), False
    return (image if image.mode in ("L", "RGB") else image.convert("RGB")), False


def _scale_to_bytes(values: Array, mode: str) -> Array:
    """Pillow clips these modes to 255 on conversion, which turns most images white."""
    exact = values.astype(np.float64)
    low, high = exact.min(), exact.max()
    if not (np.isfinite(low) and np.isfinite(high)) or low < 0:
        raise UnusableImageError(f"pixel values from {low:g} to {high:g}, which have no defined brightness")
    full = 1.0 if mode == "F" and high <= 1 else 255.0 if mode == "F" else 65535.0
    if high > full:
        raise UnusableImageError(f"pixel values up to {high:g}, which have no defined brightness")
    return np.rint(exact * (255.0 / full)).astype(np.uint8)


def _fit(image: Image.Image, form: ImageForm, notes: set[Note]) -> Image.Image:
    size, (width, height) = (form.width, form.height), image.size
    if image.size == size:
        return image
    if form.fit == "pad":
        return _pad(image, form, notes)
    box_width = min(width, height * form.width / form.height)
    box_height = min(height, width * form.height / form.width)
    # Less than a pixel is rounding, not a cut.
    if width - box_width >= 1 or height - box_height >= 1:
        notes.add(Note.CROPPED)
    left, top = (width - box_width) / 2, (height - box_height) / 2
    return _resize(image, size, (left, top, left + box_width, top + box_height), notes)


def _pad(image: Image.Image, form: ImageForm, notes: set[Note]) -> Image.Image:
    scale = min(form.width / image.width, form.height / image.height)
    inner = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    resized = _resize(image, inner, (0, 0, *image.size), notes)
    if inner == (form.width, form.height):
        return resized
    notes.add(Note.PADDED)
    if resized.mode == "RGBA" and form.channels != 4:
        # Bars are black whatever the image: composite before they are added.
        if _minimum(resized.getchannel("A")) < 255:
            notes.add(Note.TRANSPARENT)
        resized = Image.alpha_composite(Image.new("RGBA", inner, (*BACKGROUND, 255)), resized).convert("RGB")
    canvas = Image.new(resized.mode, (form.width, form.height), PADDING)
    canvas.paste(resized, ((form.width - inner[0]) // 2, (form.height - inner[1]) // 2))
    return canvas


def _resize(
    image: Image.Image, size: tuple[int, int], box: tuple[float, float, float, float], notes: set[Note]
) -> Image.Image:
    enlarged = size[0] > box[2] - box[0] and size[1] > box[3] - box[1]
    if enlarged:
        notes.add(Note.ENLARGED)
    # Lanczos is the sharpest reduction without aliasing; enlarging with it would ring around edges.
    how = Image.Resampling.BICUBIC if enlarged else Image.Resampling.LANCZOS
    return image.resize(size, how, box=box, reducing_gap=3.0)


def _minimum(channel: Image.Image) -> float:
    return float(np.asarray(channel).min())
