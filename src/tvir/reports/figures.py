"""Figures of scores and losses."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, NullFormatter

from tvir.contracts.metric import Score
from tvir.reports.drawing import INK, RULE, STEPS, STYLE, localise, model_colour, panel, svg
from tvir.reports.language import Words
from tvir.reports.scores import ScoreRow

Points = Sequence[tuple[float, float]]
"""A curve: (seconds, value)."""

MARKERS = "osD^vPX*"
_MOST_POINTS = 160


def learning_curve(title: str, curves: Sequence[Points], colour: int, words: Words, alt: str) -> str:
    """One term of a loss over the seconds of training, one thin line per seed.

    Args:
        title: Above the panel.
        curves: One per seed; values that are not finite are left out.
        colour: Index of the model.
        words: Of the labels.
        alt: What the figure shows, in words.
    """
    with mpl.rc_context(STYLE):
        figure, axes = panel(1.75)
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
            axes.yaxis.set_major_locator(MaxNLocator(4, steps=STEPS))
            localise(axes, words, y=True)
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=STEPS))
        localise(axes, words, x=True)
        axes.set_title(title)
        axes.set_xlabel(words("curves.seconds"))
        axes.grid(axis="y", color=RULE, linewidth=0.5, alpha=0.6)
        return svg(figure, alt)


def dot_plot(row: ScoreRow, subjects: Sequence[str], words: Words, alt: str) -> str:
    """One score of every model: a dot, the bar of its interval, and the floor as a dashed line."""
    with mpl.rc_context(STYLE):
        figure, axes = panel(0.75 + 0.22 * len(subjects))
        for place, score in enumerate(row.scores):
            if score in row.scaling:
                _dot(axes, score, place)
        if row.floor is not None:
            axes.axvline(row.floor, color=INK, linewidth=1, linestyle=(0, (4, 3)))
        axes.set_yticks(range(len(subjects)), subjects)
        axes.set_ylim(len(subjects) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0, labelcolor=INK)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x", color=RULE, linewidth=0.5, alpha=0.6)
        _widen(axes)
        low, high = axes.get_xlim()
        for place, score in enumerate(row.scores):
            if score is not None and score not in row.scaling:
                _dot(axes, _within(score, low, high), place)
        axes.set_xlim(low, high)
        axes.xaxis.set_major_locator(MaxNLocator(4, steps=STEPS))
        localise(axes, words, x=True)
        axes.set_title(f"{row.label(words)} {row.arrow}")
        return svg(figure, alt)


@dataclass(frozen=True, kw_only=True)
class Scale:
    """One side of a scatter plot.

    Args:
        label: What it shows.
        logarithmic: Whether it spans orders of magnitude.
        limits: Its ends, or None for what the points need.
    """

    label: str
    logarithmic: bool = False
    limits: tuple[float, float] | None = None


def scatter(
    title: str,
    points: Mapping[str, tuple[Score, Score]],
    scales: tuple[Scale, Scale],
    subjects: Sequence[str],
    words: Words,
    alt: str,
) -> str:
    """One score against another, with intervals, and real data against itself where both have a floor.

    Args:
        title: Above the panel.
        points: The scores along and up, by model.
        scales: Of the two sides.
        subjects: All models, for their colours.
        words: Of the labels.
        alt: What the figure shows, in words.
    """
    with mpl.rc_context(STYLE):
        figure, axes = panel(3.0)
        for name, (along, up) in points.items():
            place = list(subjects).index(name)
            axes.errorbar(
                along.value, up.value, xerr=_bars(along), yerr=_bars(up), label=name,
                fmt=MARKERS[place % len(MARKERS)], color=model_colour(place), markersize=6, elinewidth=1.1,
            )  # fmt: skip
        along, up = next(iter(points.values()))
        if along.floor is not None and up.floor is not None:
            axes.plot(
                along.floor, up.floor, "x", color=INK, markersize=7, label=words("scatter.real"), linestyle="none"
            )
        for scale, axis, set_scale, set_limits in (
            (scales[0], axes.xaxis, axes.set_xscale, axes.set_xlim),
            (scales[1], axes.yaxis, axes.set_yscale, axes.set_ylim),
        ):
            axis.set_label_text(scale.label)
            if scale.limits:
                set_limits(*scale.limits)
            if scale.logarithmic:
                set_scale("log")
                axis.set_minor_formatter(NullFormatter())
            else:
                axis.set_major_locator(MaxNLocator(5, steps=STEPS))
        localise(axes, words, x=not scales[0].logarithmic, y=not scales[1].logarithmic)
        axes.grid(color=RULE, linewidth=0.5, alpha=0.6)
        axes.legend(loc="best", frameon=False, labelcolor=INK)
        axes.set_title(title)
        return svg(figure, alt)


def expected_best(
    curves: Mapping[str, Sequence[float]], label: str, subjects: Sequence[str], words: Words, alt: str
) -> str:
    """The expected best of n settings, a line for every model.

    Args:
        curves: By model, the values for n = 1, 2, ...
        label: Of the score.
        subjects: All models, for their colours.
        words: Of the labels.
        alt: What the figure shows, in words.
    """
    with mpl.rc_context(STYLE):
        figure, axes = panel(2.6)
        for name, values in curves.items():
            place = list(subjects).index(name)
            style = {"color": model_colour(place), "marker": MARKERS[place % len(MARKERS)], "markersize": 4}
            axes.plot(range(1, len(values) + 1), values, label=name, linewidth=1.4, **style)
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(4, steps=STEPS))
        localise(axes, words, y=True)
        axes.set_xlabel(words("search.tried"))
        axes.set_ylabel(label)
        axes.grid(axis="y", color=RULE, linewidth=0.5, alpha=0.6)
        axes.legend(loc="best", frameon=False, labelcolor=INK)
        return svg(figure, alt)


def _dot(axes: Axes, score: Score, place: int) -> None:
    colour = model_colour(place)
    if score.interval is not None:
        axes.plot(score.interval, (place, place), color=colour, linewidth=2.2, alpha=0.55, solid_capstyle="round")
    axes.plot(score.value, place, MARKERS[place % len(MARKERS)], color=colour, markersize=6)


def _within(score: Score, low: float, high: float) -> Score:
    """A score brought onto the scale of others: at its edge where it lies beyond."""
    if low <= score.value <= high:
        return score
    return replace(score, value=min(max(score.value, low), high), interval=None)


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


def thin(curve: Points, most: int = _MOST_POINTS) -> list[tuple[float, float]]:
    """At most so many points, each the mean of a stretch of the curve; values that are not finite are left out."""
    points = np.array([point for point in curve if math.isfinite(point[0]) and math.isfinite(point[1])])
    if len(points) <= most:
        return [(float(x), float(y)) for x, y in points]
    return [(float(part[:, 0].mean()), float(part[:, 1].mean())) for part in np.array_split(points, most)]
