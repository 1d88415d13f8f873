"""The ground that figures are drawn on: inline SVG that takes its colours and its font from the page, light or dark."""

from __future__ import annotations

import io
import math
import re
import zlib
from html import escape
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from tvir.reports.language import Words
from tvir.reports.numbers import RowFormat

MODEL_COLOURS = 8
"""Colours before they repeat; the page defines ``--model-0`` and so on, twice: for light and for dark."""

# Colours that stand for the page's own; replaced once the figure has become text.
INK, MUTED, RULE, PAPER = "#010101", "#020202", "#030303", "#040404"
WIDTH = 3.3
"""Inches: three side by side on a page, one on a phone."""
STEPS = [1, 2, 2.5, 5, 10]
"""Round distances of ticks."""

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # Text stays text: a tenth of the bytes, and readable to a screen reader.
    "svg.hashsalt": "tvir",
    "font.size": 8.5,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.edgecolor": RULE,
    "axes.labelcolor": MUTED,
    "axes.titlecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
}


def model_colour(index: int) -> str:
    """The sentinel of the colour of model ``index``; the page turns it into ``--model-N``."""
    return f"#0500{index % MODEL_COLOURS:02d}"


def panel(height: float, width: float = WIDTH) -> tuple[Figure, Axes]:
    """An empty figure of a size in inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def localise(axes: Axes, words: Words, *, x: bool = False, y: bool = False) -> None:
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


def svg(figure: Figure, alt: str) -> str:
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
    for sentinel, name in ((INK, "ink"), (MUTED, "muted"), (RULE, "rule"), (PAPER, "paper")):
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
