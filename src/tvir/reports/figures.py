"""Figures for reports: inline SVG that takes its colours and its font from the page, light or dark."""

from __future__ import annotations

import io
import math
import re
import statistics
import zlib
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from tvir.contracts.metric import Score
from tvir.reports.language import Words
from tvir.reports.numbers import RowFormat
from tvir.reports.scores import ScoreRow

Points = Sequence[tuple[float, float]]
"""A curve: (seconds, value)."""

MODEL_COLOURS = 8
"""Colours before they repeat; the page defines ``--model-0`` and so on, twice: for light and for dark."""

# Colours that stand for the page's own; replaced once the figure has become text.
_INK, _MUTED, _RULE, _PAPER = "#010101", "#020202", "#030303", "#040404"
_MARKERS = "osD^vPX*"
_MOST_POINTS = 160
_WIDTH = 3.3
_STEPS = [1, 2, 2.5, 5, 10]

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # Text stays text: a tenth of the bytes, and readable to a screen reader.
    "svg.hashsalt": "tvir",
    "font.size": 8.5,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.edgecolor": _RULE,
    "axes.labelcolor": _MUTED,
    "axes.titlecolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "xtick.color": _RULE,
    "ytick.color": _RULE,
    "xtick.labelcolor": _MUTED,
    "ytick.labelcolor": _MUTED,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
}


def model_colour(index: int) -> str:
    """The sentinel of the colour of model ``index``; the page turns it into ``--model-N``."""
    return f"#0500{index % MODEL_COLOURS:02d}"


def learning_curve(title: str, curves: Sequence[Points], colour: int, words: Words, alt: str) -> str:
    """One term of a loss over the seconds of training, one thin line per seed.

    Args:
        title: Above the panel.
        curves: One per seed; values that are not finite are left out.
        colour: Index of the model.
        words: Of the labels.
        alt: What the figure shows, in words.
    """
    with mpl.rc_context(_STYLE):
        figure, axes = _panel(1.75)
        thinned = [thin(curve) for curve in curves]
        for curve in thinned:
            seconds, values = zip(*curve, strict=True) if curve else ((), ())
            axes.plot(seconds, values, color=model_colour(colour), linewidth=1.1, alpha=0.85)
        values = [value for curve in thinned for _, value in curve]
        if values and min(values) > 0 and max(values) > 50 * statistics.median(values):
            axes.set_yscale("log")
            axes.yaxis.set_minor_formatter(NullFormatter())
            title = f"{title} ({words('curves.log')})"
        else:
            axes.yaxis.set_major_locator(MaxNLocator(4, steps=_STEPS))
            _localise(axes, words, y=True)
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=_STEPS))
        _localise(axes, words, x=True)
        axes.set_title(title)
        axes.set_xlabel(words("curves.seconds"))
        axes.grid(axis="y", color=_RULE, linewidth=0.5, alpha=0.6)
        return _svg(figure, alt)


def dot_plot(row: ScoreRow, subjects: Sequence[str], words: Words, alt: str) -> str:
    """One score of every model: a dot, the bar of its interval, and the floor as a dashed line."""
    with mpl.rc_context(_STYLE):
        figure, axes = _panel(0.75 + 0.22 * len(subjects))
        for place, score in enumerate(row.scores):
            if score is not None:
                _dot(axes, score, place)
        if row.floor is not None:
            axes.axvline(row.floor, color=_INK, linewidth=1, linestyle=(0, (4, 3)))
        axes.set_yticks(range(len(subjects)), subjects)
        axes.set_ylim(len(subjects) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0, labelcolor=_INK)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x", color=_RULE, linewidth=0.5, alpha=0.6)
        _widen(axes)
        axes.xaxis.set_major_locator(MaxNLocator(4, steps=_STEPS))
        _localise(axes, words, x=True)
        axes.set_title(f"{row.label(words)} {row.arrow}")
        return _svg(figure, alt)


def precision_recall(
    title: str, points: Mapping[str, tuple[Score, Score]], subjects: Sequence[str], words: Words, alt: str
) -> str:
    """Precision against recall in one space, with intervals and real data against itself.

    Args:
        title: Above the panel.
        points: Precision and recall by model.
        subjects: All models, for their colours.
        words: Of the labels.
        alt: What the figure shows, in words.
    """
    with mpl.rc_context(_STYLE):
        figure, axes = _panel(3.0)
        for name, (precision, recall) in points.items():
            place = list(subjects).index(name)
            axes.errorbar(
                recall.value, precision.value, xerr=_bars(recall), yerr=_bars(precision), label=name,
                fmt=_MARKERS[place % len(_MARKERS)], color=model_colour(place), markersize=6, elinewidth=1.1,
            )  # fmt: skip
        real = next(iter(points.values()))
        if real[0].floor is not None and real[1].floor is not None:
            axes.plot(
                real[1].floor,
                real[0].floor,
                "x",
                color=_INK,
                markersize=7,
                label=words("scatter.real"),
                linestyle="none",
            )
        axes.set_xlim(-0.03, 1.05)
        axes.set_ylim(-0.03, 1.05)
        _localise(axes, words, x=True, y=True)
        axes.set_xlabel(words.metric("recall"))
        axes.set_ylabel(words.metric("precision"))
        axes.grid(color=_RULE, linewidth=0.5, alpha=0.6)
        axes.legend(loc="best", frameon=False, labelcolor=_INK)
        axes.set_title(title)
        return _svg(figure, alt)


def thin(curve: Points, most: int = _MOST_POINTS) -> list[tuple[float, float]]:
    """At most so many points, each the mean of a stretch of the curve; values that are not finite are left out."""
    points = np.array([point for point in curve if math.isfinite(point[0]) and math.isfinite(point[1])])
    if len(points) <= most:
        return [(float(x), float(y)) for x, y in points]
    return [(float(part[:, 0].mean()), float(part[:, 1].mean())) for part in np.array_split(points, most)]


def _panel(height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    return figure, figure.subplots()


def _dot(axes: Axes, score: Score, place: int) -> None:
    colour = model_colour(place)
    if score.interval is not None:
        axes.plot(score.interval, (place, place), color=colour, linewidth=2.2, alpha=0.55, solid_capstyle="round")
    axes.plot(score.value, place, _MARKERS[place % len(_MARKERS)], color=colour, markersize=6)


def _widen(axes: Axes) -> None:
    """Room around the dots; where all of them and the floor coincide, room of one unit or half the value."""
    axes.margins(x=0.08)
    low, high = axes.dataLim.intervalx
    if high - low < 1e-9 * max(1.0, abs(high)):
        room = 1.0 if float(high).is_integer() else abs(high) / 2
        axes.set_xlim(low - room, high + room)


def _bars(score: Score) -> list[list[float]] | None:
    if score.interval is None:
        return None
    return [[score.value - score.interval[0]], [score.interval[1] - score.value]]


def _localise(axes: Axes, words: Words, *, x: bool = False, y: bool = False) -> None:
    """Tick labels in the signs of the language, with the decimals that the distance of the ticks needs."""
    for axis in [axes.xaxis] * x + [axes.yaxis] * y:

        def text(value: float, _: int | None, axis=axis) -> str:  # noqa: ANN001
            ticks = axis.get_majorticklocs()
            gap = abs(ticks[1] - ticks[0]) if len(ticks) > 1 else abs(value) or 1.0
            decimals = max(0, -math.floor(math.log10(gap) + 1e-9))
            if not math.isclose(gap * 10**decimals, round(gap * 10**decimals), rel_tol=1e-6):
                decimals += 1
            return RowFormat(decimals=min(decimals, 7)).number(value, words)

        axis.set_major_formatter(FuncFormatter(text))


def _svg(figure: Figure, alt: str) -> str:
    """The figure as an SVG element for a page: no prolog, no metadata, no style sheet, no ids but those it uses."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<style[^>]*>.*?</style>", "", text, flags=re.DOTALL)
    text = _unique_ids(text, alt)
    # Matplotlib before 3.11 writes one "font" property, later ones a property for each part.
    text = re.sub(r"font: (?:\w+ )*?([\d.]+px) [^;\"]*", r"font: \1 var(--sans)", text)
    text = re.sub(r"font-family: [^;\"]*", "font-family: var(--sans)", text)
    text = re.sub(r' transform="rotate\(-0 [^"]*"', "", text)
    text = re.sub(r' d="[^"]*"', lambda found: re.sub(r"(\.\d\d)\d+", r"\1", found[0]), text)
    for sentinel, name in ((_INK, "ink"), (_MUTED, "muted"), (_RULE, "rule"), (_PAPER, "paper")):
        text = text.replace(sentinel, f"var(--{name})")
    text = re.sub(r"#0500(\d\d)", lambda found: f"var(--model-{int(found[1])})", text)
    text = re.sub(r"\n\s*", "\n", text)
    width, height = (float(number) for number in re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', text)[0])
    opening = (
        f'<svg class="figure" role="img" viewBox="0 0 {width:g} {height:g}" style="max-width:{width * 4 / 3:.0f}px">'
    )
    title = f"<title>{escape(alt)}</title>"
    return opening + title + text[text.index(">") + 1 :].strip()


def _unique_ids(text: str, seed: str) -> str:
    """Keep only ids that are referred to, and make them differ from those of other figures on the page."""
    used = set(re.findall(r"(?:url\(#|href=\"#)([^)\"]+)", text))
    mark = f"{zlib.crc32(seed.encode()):x}"
    text = re.sub(r' id="([^"]+)"', lambda found: f' id="{found[1]}-{mark}"' if found[1] in used else "", text)
    return re.sub(r"(url\(#|href=\"#)([^)\"]+)", rf"\1\2-{mark}", text)
