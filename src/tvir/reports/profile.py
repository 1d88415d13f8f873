"""All models on all scores in one picture: parallel coordinates, every score measured from its own floor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib as mpl
from matplotlib.axes import Axes

from tvir.contracts.metric import Axis
from tvir.reports.drawing import INK, MUTED, RULE, STYLE, model_colour, panel, svg
from tvir.reports.figures import MARKERS
from tvir.reports.language import Words
from tvir.reports.scores import FromFloor, ScoreRow, from_floor

_BETTER, _WORSE = -0.12, 1.12
"""Ends of the scale; what lies beyond is drawn there."""
_GAP = 1.25
"""Height of a heading, in rows."""


def profile_rows(rows: Mapping[Axis, Sequence[ScoreRow]]) -> dict[Axis, list[ScoreRow]]:
    """The scores that have a place in the picture: those read first, with a floor."""
    chosen = {axis: [row for row in found if row.first and row.floor is not None] for axis, found in rows.items()}
    return {axis: found for axis, found in chosen.items() if found}


def profile(rows: Mapping[Axis, Sequence[ScoreRow]], subjects: Sequence[str], words: Words, alt: str) -> str:
    """Parallel coordinates, laid on their side so that the names of the scores can be read.

    Args:
        rows: As ``profile_rows`` chooses them.
        subjects: The models, in the order of the rows' scores.
        words: Of the labels.
        alt: What the figure shows, in words.
    """
    heights, headings, below = _heights(rows)
    with mpl.rc_context(STYLE):
        figure, axes = panel(0.75 + 0.185 * below, 4.7)
        places = [[from_floor(row) for row in found] for found in rows.values()]
        for index, subject in enumerate(subjects):
            for line, at in zip(places, heights, strict=True):
                _line(axes, [scores[index] for scores in line], at, index, subject)
        axes.axvline(0, color=INK, linewidth=1, linestyle=(0, (4, 3)))
        labels = [row.label(words) for found in rows.values() for row in found]
        ticks = [*headings.values(), *(at for found in heights for at in found)]
        axes.set_yticks(ticks, [*(words(f"axis.{axis}") for axis in headings), *labels])
        for label in axes.get_yticklabels()[: len(headings)]:
            label.set_fontweight("bold")
        axes.tick_params(axis="y", length=0, labelcolor=INK, labelsize=8)
        axes.set_ylim(below - 0.3, -0.7)
        axes.set_xlim(_BETTER - 0.06, _WORSE + 0.06)
        axes.set_xticks([0, 1], [words("profile.floor"), words("profile.furthest")])
        axes.tick_params(axis="x", labelcolor=MUTED)
        axes.grid(axis="y", color=RULE, linewidth=0.5, alpha=0.6)
        axes.spines["left"].set_visible(False)
        handles, names = axes.get_legend_handles_labels()
        unique = dict(zip(names, handles, strict=True))
        figure.legend(
            unique.values(), unique.keys(), loc="outside upper left", ncols=3, frameon=False, labelcolor=INK,
            borderpad=0, columnspacing=1.4,
        )  # fmt: skip
        return svg(figure, alt)


def _heights(rows: Mapping[Axis, Sequence[ScoreRow]]) -> tuple[list[list[float]], dict[Axis, float], float]:
    """Heights of the rows, of the headings above them, and the height below everything."""
    below, heights, headings = 0.0, [], {}
    for axis, found in rows.items():
        headings[axis] = below
        heights.append([below + _GAP + place for place in range(len(found))])
        below += _GAP + len(found) + 0.15
    return heights, headings, below


def _line(axes: Axes, scores: Sequence[FromFloor | None], heights: Sequence[float], index: int, subject: str) -> None:
    """The line of one model through the scores of one axis; a missing score leaves a gap."""
    colour = model_colour(index)
    places = [float("nan") if score is None else _clip(score.place) for score in scores]
    for score, at in zip(scores, heights, strict=True):
        if score is not None and score.interval is not None:
            ends = [_clip(end) for end in score.interval]
            axes.plot(ends, [at, at], color=colour, linewidth=2.6, alpha=0.4, solid_capstyle="round")
    axes.plot(
        places, heights, "-", marker=MARKERS[index % len(MARKERS)], color=colour, linewidth=1, markersize=5,
        label=subject,
    )  # fmt: skip


def _clip(place: float) -> float:
    return min(max(place, _BETTER), _WORSE)
