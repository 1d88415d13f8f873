"""Draw the families of generative models, and which models of each there are, in English and Ukrainian.

    python recipes/taxonomy.py [--out docs/images]

The branches are those of Goodfellow 2016 (NIPS Tutorial: Generative Adversarial Networks, arXiv 1701.00160, figure 9),
with diffusion where its training bound puts it; the models are those that the package finds in itself.
"""

from __future__ import annotations

import argparse
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tvir.models.catalogue import catalogue

Language = Literal["en", "uk"]


@dataclass(frozen=True, kw_only=True)
class Branch:
    """A family, what is known of a density there, and how it makes an example."""

    family: str
    place: tuple[float, float]
    title: dict[Language, str]
    how: dict[Language, str]


@dataclass(frozen=True, kw_only=True)
class Fork:
    """What several families share."""

    place: tuple[float, float]
    title: dict[Language, str]
    leads_to: tuple[str, ...]


BRANCHES = (
    Branch(
        family="autoregressive",
        place=(0.0, 0.0),
        title={"en": "autoregressive", "uk": "авторегресійні"},
        how={"en": "one number after the other", "uk": "число за числом"},
    ),
    Branch(
        family="flow",
        place=(1.0, 0.0),
        title={"en": "flows", "uk": "потоки"},
        how={"en": "noise through invertible layers", "uk": "шум через оборотні шари"},
    ),
    Branch(
        family="vae",
        place=(2.0, 0.0),
        title={"en": "variational autoencoders", "uk": "варіаційні автокодувальники"},
        how={"en": "a latent, decoded", "uk": "розкодований латентний вектор"},
    ),
    Branch(
        family="diffusion",
        place=(3.0, 0.0),
        title={"en": "diffusion and flow matching", "uk": "дифузія та узгодження потоків"},
        how={"en": "noise, cleaned in steps", "uk": "шум, очищений крок за кроком"},
    ),
    Branch(
        family="hybrid",
        place=(4.0, 0.0),
        title={"en": "hybrids", "uk": "гібриди"},
        how={"en": "an autoencoder and a game", "uk": "автокодувальник і гра"},
    ),
    Branch(
        family="gan",
        place=(5.0, 0.0),
        title={"en": "adversarial networks", "uk": "змагальні мережі"},
        how={"en": "a latent, in one pass", "uk": "латентний вектор, за один прохід"},
    ),
)

FORKS = (
    Fork(
        place=(0.5, 1.0),
        title={"en": "density: exact", "uk": "густина: точна"},
        leads_to=("autoregressive", "flow"),
    ),
    Fork(place=(2.5, 1.0), title={"en": "density: a bound", "uk": "густина: межа"}, leads_to=("vae", "diffusion")),
    Fork(place=(4.5, 1.0), title={"en": "density: unknown", "uk": "густина: невідома"}, leads_to=("hybrid", "gan")),
)

CONTROLS: dict[Language, str] = {
    "en": "controls, fitted without a step: ",
    "uk": "для порівняння, припасовані без жодного кроку: ",
}

ROOT: dict[Language, str] = {"en": "learns from examples to make new ones", "uk": "вчиться на прикладах робити нові"}
TOP = (2.5, 1.9)


def draw(language: Language) -> Figure:
    """The whole tree."""
    figure = Figure(figsize=(13, 6.4), layout="constrained", facecolor="white")
    axes = figure.subplots()
    axes.set(xlim=(-0.55, 5.55), ylim=(-1.9, 2.15))
    axes.axis("off")
    places = {branch.family: branch.place for branch in BRANCHES}
    for fork in FORKS:
        _line(axes, TOP, fork.place)
        for family in fork.leads_to:
            _line(axes, fork.place, places[family])
        _box(axes, fork.place, fork.title[language], "#e8e4f3")
    # A hybrid is as much the child of the one as of the other.
    _line(axes, FORKS[1].place, places["hybrid"], dashed=True)
    _box(axes, TOP, ROOT[language], "#f4f4f4")
    for branch in BRANCHES:
        _box(axes, branch.place, "\n".join(textwrap.wrap(branch.title[language], 16)), "#dcecf7", bold=True)
        x, y = branch.place
        how = "\n".join(textwrap.wrap(branch.how[language], 20))
        axes.text(x, y - 0.3, how, ha="center", va="top", fontsize=9.5, style="italic", color="#444444")
        names = "\n".join(_names(branch.family))
        axes.text(x, y - 0.72, names, ha="center", va="top", fontsize=9.5, family="monospace")
    controls = CONTROLS[language] + ", ".join(_names("control"))
    axes.text(TOP[0], -1.85, controls, ha="center", va="bottom", fontsize=9.5, color="#444444")
    return figure


def _names(family: str) -> list[str]:
    return [name for name, entry in catalogue().items() if entry.family == family]


def _line(axes: Axes, start: tuple[float, float], end: tuple[float, float], *, dashed: bool = False) -> None:
    axes.plot(*zip(start, end, strict=True), color="#999999", linewidth=1, linestyle="--" if dashed else "-", zorder=0)


def _box(axes: Axes, place: tuple[float, float], text: str, colour: str, *, bold: bool = False) -> None:
    axes.text(
        *place, text, ha="center", va="center", fontsize=10.5, weight="bold" if bold else "normal",
        bbox={"boxstyle": "round,pad=0.45", "facecolor": colour, "edgecolor": "#888888"},
    )  # fmt: skip


def main() -> None:
    """Write both pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    asked = parser.parse_args()
    draw("en").savefig(asked.out / "taxonomy.png", dpi=110)
    draw("uk").savefig(asked.out / "taxonomy.uk.png", dpi=110)


if __name__ == "__main__":
    main()
