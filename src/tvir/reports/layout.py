"""Where the boxes of a diagram stand: columns from left to right, arrows that pass between boxes, not through them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from tvir.contracts.diagram import Arrow

COLUMN_GAP = 58.0
ROW_GAP = 34.0
_LANE = 10.0
"""Height that a passing arrow takes in a column."""

Size = tuple[float, float]
Point = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a box stands, in pixels."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def middle(self) -> float:
        """Height of its centre."""
        return self.top + self.height / 2

    @property
    def centre(self) -> float:
        """Horizontal position of its centre."""
        return self.left + self.width / 2


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A diagram with places.

    Args:
        places: By name of the box.
        lanes: For every arrow that passes other columns, the places it passes them at, from left to right.
        backward: Arrows that point against the flow.
        width: Of everything.
        height: Of everything.
    """

    places: Mapping[str, Place]
    lanes: Mapping[Arrow, Sequence[Place]]
    backward: frozenset[Arrow]
    width: float
    height: float


def lay_out(sizes: Mapping[str, Size], arrows: Sequence[Arrow]) -> Layout:
    """Layered drawing after Sugiyama, Tagawa and Toda (1981): ranks, lanes for long arrows, order by barycentre.

    Args:
        sizes: Width and height of every box, by name.
        arrows: Between them; cycles are allowed.
    """
    backward = frozenset(_against_the_flow(list(sizes), arrows))
    forward = [arrow for arrow in dict.fromkeys(arrows) if arrow not in backward]
    ranks = _ranks(list(sizes), forward)
    columns: list[list[str]] = [[] for _ in range(max(ranks.values(), default=0) + 1)]
    for name in sizes:
        columns[ranks[name]].append(name)
    lanes: dict[Arrow, list[str]] = {}
    links: list[tuple[str, str]] = []
    all_sizes = dict(sizes)
    for number, arrow in enumerate(forward):
        passed = range(ranks[arrow.source] + 1, ranks[arrow.target])
        lanes[arrow] = [f"\0lane {number} {rank}" for rank in passed]
        for rank, lane in zip(passed, lanes[arrow], strict=True):
            columns[rank].append(lane)
            all_sizes[lane] = (0.0, _LANE)
        stops = [arrow.source, *lanes[arrow], arrow.target]
        links.extend(pairwise(stops))
    _order(columns, links)
    places, width, height = _places(columns, all_sizes)
    for found in lanes.values():
        _straighten(found, columns, places)
    return Layout(
        places={name: places[name] for name in sizes},
        lanes={arrow: [places[lane] for lane in found] for arrow, found in lanes.items()},
        backward=backward,
        width=width,
        height=height,
    )


def _against_the_flow(names: Sequence[str], arrows: Sequence[Arrow]) -> list[Arrow]:
    """Arrows that close a cycle when the boxes are walked in their order."""
    found: list[Arrow] = []
    done: set[str] = set()

    def walk(name: str, path: tuple[str, ...]) -> None:
        for arrow in arrows:
            if arrow.source == name and arrow.target in (*path, name):
                found.append(arrow)
            elif arrow.source == name and arrow.target not in done:
                walk(arrow.target, (*path, name))
        done.add(name)

    for name in names:
        if name not in done:
            walk(name, ())
    return list(dict.fromkeys(found))


def _ranks(names: Sequence[str], arrows: Sequence[Arrow]) -> dict[str, int]:
    """Longest path from the left; boxes that nothing points to stand right before what they point to."""
    ranks = dict.fromkeys(names, 0)
    for _ in names:
        for arrow in arrows:
            ranks[arrow.target] = max(ranks[arrow.target], ranks[arrow.source] + 1)
    targets = {arrow.target for arrow in arrows}
    for name in names:
        nexts = [ranks[arrow.target] for arrow in arrows if arrow.source == name]
        if name not in targets and nexts:
            ranks[name] = min(nexts) - 1
    return ranks


def _order(columns: list[list[str]], links: Sequence[tuple[str, str]]) -> None:
    """Sort every column by the mean position of its neighbours, sweeping right, left and right again."""
    for sweep in range(6):
        rightwards = sweep % 2 == 0
        pairs = links if rightwards else [(target, source) for source, target in links]
        for column in columns if rightwards else reversed(columns):
            position = {name: (place + 0.5) / len(names) for names in columns for place, name in enumerate(names)}
            means = {name: _barycentre(name, pairs, position) for name in column}
            column.sort(key=means.__getitem__)


def _straighten(lanes: Sequence[str], columns: Sequence[Sequence[str]], places: dict[str, Place]) -> None:
    """An arrow that runs below (or above) everything keeps one height."""
    for edge, outermost in ((-1, max), (0, min)):
        free = [lane for lane in lanes if any(len(column) > 1 and column[edge] == lane for column in columns)]
        for lane in free:
            places[lane] = replace(places[lane], top=outermost(places[other].top for other in free))


def _barycentre(name: str, pairs: Sequence[tuple[str, str]], position: Mapping[str, float]) -> float:
    """Mean position of the neighbours on one side; a box without any keeps its own."""
    neighbours = [position[source] for source, target in pairs if target == name]
    return sum(neighbours) / len(neighbours) if neighbours else position[name]


def _places(columns: Sequence[Sequence[str]], sizes: Mapping[str, Size]) -> tuple[dict[str, Place], float, float]:
    def tall(column: Sequence[str]) -> float:
        return sum(sizes[name][1] for name in column) + ROW_GAP * max(0, len(column) - 1)

    height = max((tall(column) for column in columns), default=0.0)
    places: dict[str, Place] = {}
    left = 0.0
    for column in columns:
        wide = max((sizes[name][0] for name in column), default=0.0)
        top = (height - tall(column)) / 2
        for name in column:
            lane = name.startswith("\0")
            width = wide if lane else sizes[name][0]
            places[name] = Place(left=left + (wide - width) / 2, top=top, width=width, height=sizes[name][1])
            top += sizes[name][1] + ROW_GAP
        left += wide + COLUMN_GAP
    return places, max(0.0, left - COLUMN_GAP), height
