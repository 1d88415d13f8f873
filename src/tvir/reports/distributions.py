"""Figures of what lies behind the scores: real data in the ink of the page, every model in its own colour."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, NullFormatter

from tvir.contracts.evidence import ClassHistogram, DistanceHistogram, Spectrum
from tvir.reports.drawing import INK, MUTED, RULE, STEPS, STYLE, localise, model_colour, panel, svg
from tvir.reports.figures import MARKERS
from tvir.reports.language import Words

_HEIGHT = 2.7
_LINES: Sequence = ("-", (0, (5, 1.5)), (0, (1.5, 1)), (0, (6, 1.5, 1.5, 1.5)))
"""Line styles by model, so that they are told apart without colour as well."""
_MOST_NAMES = 12
"""Classes whose names have room below the axis."""


def spectra(title: str, found: Mapping[str, Spectrum], models: Sequence[str], words: Words, alt: str) -> str:
    """Radial power spectra of real data and of every model, on a log scale.

    Args:
        title: Above the figure.
        found: By model.
        models: All models of the page, for their colours.
        words: Of the labels.
        alt: What the figure shows, in words.
    """
    with mpl.rc_context(STYLE):
        _, axes = panel(_HEIGHT)
        first = next(iter(found.values()))
        # The ring around 0 holds nothing: every image is taken less its mean.
        axes.plot(
            first.frequencies[1:], first.real[1:], color=INK, linewidth=3.2, alpha=0.35, label=words("evidence.real")
        )
        for model, spectrum in found.items():
            _line(axes, spectrum.frequencies[1:], spectrum.generated[1:], models.index(model), model)
        axes.set_yscale("log")
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=STEPS))
        localise(axes, words, x=True)
        return _finished(axes, title, words("spectrum.x"), words("spectrum.y"), alt)


def distances(
    title: str,
    found: Mapping[str, DistanceHistogram],
    models: Sequence[str],
    words: Words,
    alt: str,
    *,
    threshold: float | None = None,
) -> str:
    """Histograms of distances; those of real data are filled.

    Args:
        title: Above the figure.
        found: By model; their bins are equally wide.
        models: All models of the page, for their colours.
        words: Of the labels.
        alt: What the figure shows, in words.
        threshold: Where a copy begins.
    """
    with mpl.rc_context(STYLE):
        _, axes = panel(_HEIGHT)
        first = next(iter(found.values()))
        edges = _edges(first)
        axes.stairs(first.real, edges, fill=True, color=INK, alpha=0.18, linewidth=0, label=words("evidence.real"))
        for model, histogram in found.items():
            place = models.index(model)
            axes.stairs(
                histogram.generated, _edges(histogram), color=model_colour(place), linewidth=1.3, label=model,
                linestyle=_LINES[place % len(_LINES)],
            )  # fmt: skip
        if threshold is not None:
            axes.axvline(threshold, color=INK, linewidth=1, linestyle=(0, (4, 3)), label=words("nearest.threshold"))
        axes.set_xlim(0, _reach(found.values()))
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=STEPS))
        axes.yaxis.set_major_locator(MaxNLocator(4, steps=STEPS))
        localise(axes, words, x=True, y=True)
        return _finished(axes, title, words("distance.x"), words("distance.y"), alt)


def classes(title: str, found: Mapping[str, ClassHistogram], models: Sequence[str], words: Words, alt: str) -> str:
    """Share of every class among real data (bars) and among the samples of every model (markers).

    Args:
        title: Above the figure.
        found: By model.
        models: All models of the page, for their colours.
        words: Of the labels.
        alt: What the figure shows, in words.
    """
    with mpl.rc_context(STYLE):
        _, axes = panel(_HEIGHT)
        first = next(iter(found.values()))
        count = len(first.classes)
        # Many classes are told apart by their rank alone, so the most frequent come first.
        order = np.argsort(-np.array(first.real), kind="stable") if count > _MOST_NAMES else np.arange(count)
        axes.bar(range(count), np.array(first.real)[order], 0.86, color=INK, alpha=0.18, label=words("evidence.real"))
        for turn, (model, histogram) in enumerate(found.items()):
            place = models.index(model)
            shift = 0.0 if len(found) == 1 else 0.56 * (turn / (len(found) - 1) - 0.5)
            axes.plot(
                np.arange(count) + shift, np.array(histogram.generated)[order], MARKERS[place % len(MARKERS)],
                color=model_colour(place), markersize=4.5 if count <= 2 * _MOST_NAMES else 2.5, label=model,
            )  # fmt: skip
        _name_classes(axes, first.classes, order, words)
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_locator(MaxNLocator(4, steps=STEPS))
        localise(axes, words, y=True)
        x = words("classes.x") if count <= _MOST_NAMES else words("classes.x.ranked")
        return _finished(axes, title, x, words("classes.y"), alt)


def _name_classes(axes: Axes, names: Sequence[str], order: np.ndarray, words: Words) -> None:
    if len(names) > _MOST_NAMES:
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        localise(axes, words, x=True)
        return
    short = [name if len(name) <= _MOST_NAMES else name[: _MOST_NAMES - 1] + "…" for name in names]
    crowded = max(map(len, short)) * len(short) > 40
    axes.set_xticks(range(len(names)), [short[index] for index in order], rotation=60 if crowded else 0)
    if crowded:
        for label in axes.get_xticklabels():
            label.set_horizontalalignment("right")
            label.set_rotation_mode("anchor")
    axes.tick_params(axis="x", length=0)


def _line(axes: Axes, x: Sequence[float], y: Sequence[float], place: int, model: str) -> None:
    axes.plot(x, y, color=model_colour(place), linewidth=1.4, linestyle=_LINES[place % len(_LINES)], label=model)


def _edges(histogram: DistanceHistogram) -> np.ndarray:
    return np.arange(len(histogram.real) + 1) * histogram.width


def _reach(found: Iterable[DistanceHistogram]) -> float:
    """End of the axis: the last bin with a thousandth of any set, so that one far sample cannot squeeze the rest."""
    return max(
        histogram.width * (1 + max((i for i, share in enumerate(shares) if share >= 1e-3), default=0))
        for histogram in found
        for shares in (histogram.real, histogram.generated)
    )


def _finished(axes: Axes, title: str, x: str, y: str, alt: str) -> str:
    axes.set_title(title)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(axis="y", color=RULE, linewidth=0.5, alpha=0.6)
    handles, labels = axes.get_legend_handles_labels()
    # Below the axes: in them it would lie on the data sooner or later.
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.legend(
        handles, labels, loc="outside lower left", ncols=1 if max(map(len, labels)) > 20 else 2, frameon=False,
        labelcolor=INK, handlelength=2.2, borderpad=0, columnspacing=1.2, fontsize=8,
    )  # fmt: skip
    axes.tick_params(colors=RULE, labelcolor=MUTED)
    return svg(figure, alt)
