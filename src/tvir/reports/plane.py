"""The plane of quality and diversity: a curve over temperatures, models as points, real data as a star."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from tvir.contracts.plane import PlanePoint

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999999")
"""Okabe and Ito's, which colour-blind readers tell apart."""

_MARKS = "osD^vP*"


def draw_plane(
    curves: Sequence[Sequence[PlanePoint]],
    points: Mapping[str, Sequence[PlanePoint]],
    real: PlanePoint,
    labels: Mapping[str, str],
    to: Path,
) -> None:
    """Draw the plane as a PNG.

    Args:
        curves: Of the language model, one for each seed.
        points: Those of every other model by its name, one for each seed.
        real: Real text.
        labels: Words of the figure: ``curve``, ``real``, ``repetition`` and ``fidelity``.
        to: Where it is written.
    """
    figure = Figure(figsize=(7.2, 4.6), layout="constrained", dpi=110)
    axes = figure.subplots()
    for number, curve in enumerate(curves):
        ordered = sorted(curve, key=lambda point: point.temperature)
        along, up = [point.repetition for point in ordered], [point.fidelity for point in ordered]
        axes.plot(
            along, up, "-o", color="black", markersize=3, linewidth=1.2, label=labels["curve"] if not number else None
        )
        if number == 0:
            for point in ordered:
                axes.annotate(
                    f"{point.temperature:g}", (point.repetition, point.fidelity), fontsize=7, color="#555555",
                    xytext=(4, -9), textcoords="offset points",
                )  # fmt: skip
    for number, (name, found) in enumerate(points.items()):
        colour, mark = _COLOURS[number % len(_COLOURS)], _MARKS[number % len(_MARKS)]
        along, up = [point.repetition for point in found], [point.fidelity for point in found]
        axes.plot(along, up, mark, color=colour, markersize=7, linestyle="none", label=name)
    axes.plot(
        [real.repetition],
        [real.fidelity],
        "*",
        color="#E6B800",
        markeredgecolor="black",
        markersize=15,
        label=labels["real"],
    )
    axes.set_xlabel(labels["repetition"])
    axes.set_ylabel(labels["fidelity"])
    axes.grid(color="#dddddd", linewidth=0.5)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.legend(fontsize=8, frameon=False)
    figure.savefig(to, format="png", metadata={"Software": None})
