"""Pictures of examples: grids of images, scatter plots of vectors, and the film strip of a training."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch
from PIL import Image, ImageDraw

from tvir.contracts.data import Array, DataSpec, Examples, ImageSpec, TextSpec, VectorSpec
from tvir.contracts.model import Conditional, GenerativeModel
from tvir.contracts.run import RunFolder, write_atomically

Bounds = tuple[float, float, float, float]
"""Left, bottom, right and top of a window on the plane."""

_SEED = 0
_POINTS = 1000
_GAP = 1
_CANVAS = 320
_SHORTEST_CELL = 32
_PAPER, _INK, _LINE = (255, 255, 255), (31, 78, 140), (214, 214, 214)


def picture(
    spec: DataSpec,
    rows: Array,
    columns: int | None = None,
    scale: int | None = None,
    *,
    bounds: Bounds | None = None,
) -> Image.Image:
    """Examples in one picture.

    Args:
        spec: What a row is.
        rows: Boundary rows (N, *spec.row_shape). Images become a grid; vectors a scatter plot of their first two
            features (a histogram where there is one); token ids rows of grey cells.
        columns: Cells side by side; by default the grid is about as wide as high.
        scale: Pixels of the picture for each pixel of an image; by default small images are enlarged.
        bounds: Window of a scatter plot; by default it holds all points.

    Example:
        >>> spec = ImageSpec(channels=1, height=8, width=8)
        >>> picture(spec, np.zeros((4, 8, 8, 1), dtype=np.uint8), scale=1).size
        (19, 19)
    """
    match spec:
        case ImageSpec():
            return _grid(rows, columns, scale or max(1, round(_SHORTEST_CELL / min(spec.height, spec.width))))
        case VectorSpec(features=1):
            return _histogram(rows[:, 0], bounds)
        case VectorSpec():
            return _scatter(rows[:, :2], bounds)
    return _grid(_grey_tokens(rows), 1, scale or 8)


def save_preview(folder: RunFolder, model: GenerativeModel, step: int, count: int, bounds: Bounds | None) -> Path:
    """Draw samples from the same noise as every time before into RUN/samples/STEP.png, or STEP.txt for text.

    Args:
        folder: Of the run.
        model: With the weights to be shown.
        step: Of the run.
        count: Number of samples; points of a scatter plot are more.
        bounds: Window of a scatter plot, the same for the whole film strip.
    """
    spec = model.spec
    count = max(count, _POINTS) if isinstance(spec, VectorSpec) else count
    asked = torch.arange(count) % len(spec.classes) if isinstance(model, Conditional) and spec.classes else None
    rows = spec.to_rows(model.sample(count, condition=asked, seed=_SEED))
    folder.samples.mkdir(parents=True, exist_ok=True)
    if isinstance(spec, TextSpec) and spec.pieces:
        path = folder.samples / f"{step:08d}.txt"
        write_atomically(path, text_file(spec.texts(rows)).encode())
        return path
    content = io.BytesIO()
    picture(spec, rows, bounds=bounds).save(content, format="PNG")
    path = folder.samples / f"{step:08d}.png"
    write_atomically(path, content.getvalue())
    return path


def text_file(texts: Sequence[str]) -> str:
    r"""Texts in one file: a line each, or, where one of them has several lines, with a line of three dashes between.

    Example:
        >>> text_file(["one", "two"])
        'one\ntwo\n'
        >>> text_file(["one\ntwo", "three"])
        'one\ntwo\n---\nthree\n'
    """
    between = "\n---\n" if any("\n" in text for text in texts) else "\n"
    return between.join(texts) + "\n" if texts else ""


def window(examples: Examples) -> Bounds | None:
    """A window that holds the data with some room around it, or None where the data is not vectors."""
    if not isinstance(examples.spec, VectorSpec):
        return None
    return _bounds(examples.rows[:100_000, :2])


def _grid(rows: Array, columns: int | None, scale: int) -> Image.Image:
    count, height, width, channels = rows.shape
    columns = max(1, min(columns or math.ceil(math.sqrt(count)), max(1, count)))
    lines = max(1, -(-count // columns))
    cell = (height * scale + _GAP, width * scale + _GAP)
    canvas = np.full((lines * cell[0] + _GAP, columns * cell[1] + _GAP, channels), 255, dtype=np.uint8)
    for number, row in enumerate(rows):
        top, left = number // columns * cell[0] + _GAP, number % columns * cell[1] + _GAP
        large = row.repeat(scale, axis=0).repeat(scale, axis=1)
        canvas[top : top + height * scale, left : left + width * scale] = large
    return Image.fromarray(canvas[:, :, 0] if channels == 1 else canvas)


def _grey_tokens(rows: Array) -> Array:
    highest = max(1, int(rows.max())) if rows.size else 1
    return (255 - rows.astype(np.int64) * 255 // highest).astype(np.uint8)[:, None, :, None]


def _scatter(points: Array, bounds: Bounds | None) -> Image.Image:
    window = bounds or _bounds(points)
    image, draw = _paper(window)
    for x, y in points[np.isfinite(points).all(axis=1)]:
        across, down = _place(float(x), float(y), window)
        if 0 <= across < _CANVAS and 0 <= down < _CANVAS:
            draw.ellipse((across - 1, down - 1, across + 1, down + 1), fill=_INK)
    return image


def _histogram(values: Array, bounds: Bounds | None) -> Image.Image:
    left, _, right, _ = bounds or _bounds(values[:, None])
    counts, edges = np.histogram(values[np.isfinite(values)], bins=40, range=(left, right))
    window = (left, 0.0, right, 1.1 * max(1, int(counts.max())))
    image, draw = _paper(window)
    for number, count in enumerate(counts):
        begin, top = _place(float(edges[number]), float(count), window)
        end, floor = _place(float(edges[number + 1]), 0.0, window)
        if count:
            draw.rectangle((begin, top, end - 1, floor), fill=_INK)
    return image


def _paper(window: Bounds) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """A white square with the axes, and the ends of the window written at its edges."""
    image = Image.new("RGB", (_CANVAS, _CANVAS), _PAPER)
    draw = ImageDraw.Draw(image)
    left, bottom, right, top = window
    across, down = _place(0.0, 0.0, window)
    draw.line((across, 0, across, _CANVAS), fill=_LINE)
    draw.line((0, down, _CANVAS, down), fill=_LINE)
    grey = (128, 128, 128)
    draw.text((3, _CANVAS - 13), f"{left:.3g}, {bottom:.3g}", fill=grey)
    draw.text((_CANVAS - 3, 3), f"{right:.3g}, {top:.3g}", fill=grey, anchor="ra")
    return image, draw


def _place(x: float, y: float, window: Bounds) -> tuple[float, float]:
    left, bottom, right, top = window
    return (x - left) / (right - left) * (_CANVAS - 1), (top - y) / (top - bottom) * (_CANVAS - 1)


def _bounds(points: Array) -> Bounds:
    finite = points[np.isfinite(points).all(axis=1)].astype(np.float64)
    if not len(finite):
        return (-1.0, -1.0, 1.0, 1.0)
    low, high = finite.min(axis=0), finite.max(axis=0)
    room = np.maximum(0.15 * (high - low), 1e-3 * np.maximum(1.0, np.abs(high)))
    low, high = low - room, high + room
    return cast("Bounds", (float(low[0]), float(low[-1]), float(high[0]), float(high[-1])))
