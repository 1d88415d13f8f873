"""Pictures on their way to the page: bytes with a small header, so that a frame is painted without being parsed."""

from __future__ import annotations

import io
import struct

import numpy as np
from PIL import Image

from tvir.contracts.data import Array

HEADER = struct.Struct("<IHHBBxx")
"""A number, width, height, channels and a form: 0 for the bytes of the rows, 1 for PNG, 2 for JPEG."""

_RAW, _PNG, _JPEG = 0, 1, 2

_LARGEST_RAW = 160 * 160
"""Pixels of a picture that is sent as it is: compressing it would take longer than sending it."""

_QUALITY = 90


def frame(number: int, row: Array) -> bytes:
    """One picture (height, width, channels), answering the request of that number."""
    height, width, channels = row.shape
    form, content = _packed(row)
    return HEADER.pack(number, width, height, channels, form) + content


def sheaf(rows: Array) -> bytes:
    """Several pictures (N, height, width, channels), one after the other, as they are."""
    count, height, width, channels = rows.shape
    return HEADER.pack(count, width, height, channels, _RAW) + np.ascontiguousarray(rows).tobytes()


def image_of(row: Array, least: int = 0) -> Image.Image:
    """A row (height, width, channels) as an image, enlarged by whole pixels to a side of at least ``least``."""
    image = Image.fromarray(row[:, :, 0] if row.shape[2] == 1 else row)
    return enlarged(image, least)


def enlarged(image: Image.Image, least: int) -> Image.Image:
    """The image, each pixel repeated until its shorter side has at least so many."""
    times = -(-least // min(image.size))
    return image if times <= 1 else image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST)


def png_of(row: Array) -> bytes:
    """A row as PNG, pixel for pixel."""
    content = io.BytesIO()
    image_of(row).save(content, format="PNG")
    return content.getvalue()


def row_of(png: bytes) -> Array:
    """The row (height, width, channels) of a PNG that was written here."""
    with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
        pixels = np.array(image)
    return pixels[:, :, None] if pixels.ndim == 2 else pixels


def _packed(row: Array) -> tuple[int, bytes]:
    if row.shape[0] * row.shape[1] <= _LARGEST_RAW:
        return _RAW, np.ascontiguousarray(row).tobytes()
    content = io.BytesIO()
    if row.shape[2] == 4:
        image_of(row).save(content, format="PNG", compress_level=1)
        return _PNG, content.getvalue()
    image_of(row).save(content, format="JPEG", quality=_QUALITY)
    return _JPEG, content.getvalue()
