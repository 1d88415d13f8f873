"""Pictures from people: only what is certainly a picture, and small enough, is decoded."""

from __future__ import annotations

from tvir.contracts.data import Array, ImageSpec
from tvir.data.images import FORMATS, ImageForm, Measured, UnusableImageError, decode_image, measure_image
from tvir.studio.refusal import RefusalError

MOST_PIXELS = 24_000_000
"""Of an uploaded picture; a camera has 12 to 24 million."""


def read_picture(content: bytes, spec: ImageSpec) -> Array:
    """An uploaded picture as a boundary row (height, width, channels) of the model.

    Raises:
        RefusalError: It is no picture (SVG and HTML are none), too large, or damaged.
    """
    try:
        refuse_giant(measure_image(content))
        form = ImageForm(height=spec.height, width=spec.width, channels=spec.channels)
        return decode_image(content, form)[0]
    except UnusableImageError as error:
        raise said_of(error) from None


def refuse_giant(size: Measured) -> None:
    """Refuse a picture that would take too much memory.

    Raises:
        RefusalError: It has too many pixels.
    """
    if size.height * size.width > MOST_PIXELS:
        reason = f"{size.width} x {size.height} pixels, more than the {MOST_PIXELS:,} that are read"
        raise RefusalError("too-many-pixels", reason, 413)


def said_of(error: UnusableImageError) -> RefusalError:
    """What is said to whoever sent something that cannot be read as a picture."""
    return RefusalError("not-a-picture", f"{error}; choose one of {', '.join(FORMATS)}", 415)
