"""The size, channels and fit that a person asks for, and sound ones where nothing is asked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, get_args

import numpy as np

from tvir.contracts.errors import UsageError
from tvir.data.images import Fit, ImageForm, Measured

SMALLEST_SIDE, LARGEST_SIDE = 8, 256

_LARGEST_DEFAULT = 64
"""Images of different sizes are brought to at most this side unless a size is given: it trains on a CPU."""

Size = int | tuple[int, int] | str | None


@dataclass(frozen=True, kw_only=True)
class ImageOptions:
    """What was asked for; None where the source decides."""

    size: tuple[int, int] | None
    channels: int | None
    fit: Fit

    @classmethod
    def checked(cls, size: Size, channels: int | None, fit: str) -> Self:
        """The options as asked for.

        Raises:
            UsageError: One of them is out of range.
        """
        if channels not in (None, 1, 3, 4):
            raise UsageError(f"channels={channels} is not possible; choose 1 (gray), 3 (RGB) or 4 (RGBA)")
        if fit not in get_args(Fit):
            raise UsageError(f"fit={fit!r} is not possible; choose crop or pad")
        return cls(size=parse_size(size), channels=channels, fit=fit)  # type: ignore[arg-type]

    def form(self, measured: Sequence[Measured] = ()) -> ImageForm:
        """These options, completed from what the images are."""
        height, width = self.size or default_size(measured)
        channels = self.channels or (1 if measured and all(image.gray for image in measured) else 3)
        return ImageForm(height=height, width=width, channels=channels, fit=self.fit)

    def asked(self) -> dict[str, Any]:
        """The options in the form in which they are remembered."""
        return {"size": self.size and size_text(*self.size), "channels": self.channels, "fit": self.fit}


def parse_size(size: Size) -> tuple[int, int] | None:
    """Height and width from ``64``, ``(48, 64)``, ``"64"`` or ``"48x64"`` (height first).

    Raises:
        UsageError: It is none of these, or a side is not between 8 and 256 pixels.

    Example:
        >>> parse_size("48x64"), parse_size(32), parse_size(None)
        ((48, 64), (32, 32), None)
    """
    if size is None:
        return None
    text = size_text(*size) if isinstance(size, tuple) and len(size) == 2 else str(size)
    match = re.fullmatch(r"(\d{1,6})(?:[x×](\d{1,6}))?", text.strip().lower())
    sides = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not all(SMALLEST_SIDE <= side <= LARGEST_SIDE for side in sides):
        raise UsageError(
            f"size {size!r} is not possible; write one side (64) or height x width (48x64), "
            f"each from {SMALLEST_SIDE} to {LARGEST_SIDE} pixels"
        )
    return sides


def size_text(height: int, width: int) -> str:
    """How a size is written in options.

    Example:
        >>> size_text(48, 64)
        '48x64'
    """
    return f"{height}x{width}"


def form_options(form: ImageForm) -> dict[str, Any]:
    """The options that ask for exactly this form."""
    return {"size": size_text(form.height, form.width), "channels": form.channels, "fit": form.fit}


def default_size(measured: Sequence[Measured]) -> tuple[int, int]:
    """The images' own size if it is the same for all and can be trained on; else a square.

    The square's side is the median shorter side rounded down to a multiple of 8, at most 64.
    """
    sizes = {(image.height, image.width) for image in measured}
    if len(sizes) == 1:
        (own,) = sizes
        if all(SMALLEST_SIDE <= side <= LARGEST_SIDE for side in own):
            return own
    if not sizes:
        return (_LARGEST_DEFAULT, _LARGEST_DEFAULT)
    median = float(np.median([min(image.height, image.width) for image in measured]))
    side = int(min(_LARGEST_DEFAULT, max(SMALLEST_SIDE, median // 8 * 8)))
    return (side, side)
