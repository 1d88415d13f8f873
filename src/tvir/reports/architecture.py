"""A model's architecture as an SVG: boxes and arrows, with the real layers inside the networks."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from html import escape

from tvir.contracts.data import DataSpec, ImageSpec, TextSpec
from tvir.contracts.diagram import Arrow, Box, Diagram, Role
from tvir.contracts.model import GenerativeModel
from tvir.reports.language import load_words
from tvir.reports.layout import COLUMN_GAP, Layout, Place, Size, lay_out
from tvir.reports.measuring import Layer, Network, measure
from tvir.reports.numbers import compact

_SANS = "'Helvetica Neue',Helvetica,Arial,'Liberation Sans','DejaVu Sans',sans-serif"
_MONO = "ui-monospace,Menlo,Consolas,'Liberation Mono','DejaVu Sans Mono',monospace"

# Widths are worked out, not measured: the reader's fonts are not known. These are the widest of the fonts above.
_SANS_EM, _BOLD_EM, _MONO_EM = 0.62, 0.70, 0.61

_PAPER, _INK, _MUTED, _LINE = "#fbfaf7", "#23211e", "#6d675f", "#8b857b"
_FILL = {
    Role.NOISE: ("#ece7f6", "#6a51a3"),
    Role.NETWORK: ("#ffffff", "#2c5f8a"),
    Role.DATA: ("#f6ecd2", "#8a6508"),
    Role.DISTRIBUTION: ("#e0f0e6", "#2b7a4b"),
    Role.SAMPLE: ("#fbe6d8", "#b0520f"),
    Role.DECISION: ("#f8e1e6", "#a8324f"),
}
_MARGIN, _HEADER = 28.0, 62.0
_NAME, _TEXT, _ROW = 14.0, 11.0, 18.0
_ICON = 26.0
_NARROW = 14
"""Characters of a line in a small box."""


def architecture_svg(model: GenerativeModel) -> str:
    """The model as people draw it, as a complete SVG document with a background of its own.

    Layer shapes are those of one example and are measured by running a copy of the model once; the model itself
    is not touched. Networks with many layers are told block by block.

    Args:
        model: Any model; only its contract is used.
    """
    diagram, networks = measure(model)
    sizes = {box.name: _size(box, networks.get(box.name)) for box in diagram.boxes}
    layout = lay_out(sizes, diagram.arrows)
    title = type(model).__name__
    subtitle = f"{_spec_words(model.spec)}, {_count(_trainable(model))} trainable parameters"
    width = max(layout.width, _text_width(subtitle, 12, _SANS_EM), _text_width(title, 20, _BOLD_EM)) + 2 * _MARGIN
    below = 40.0 if layout.backward else 0.0
    height = layout.height + below + _HEADER + 2 * _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" role="img" font-family="{_SANS}">',
        f"<title>{escape(title)}: {escape(subtitle)}</title>",
        f"<desc>{escape(_description(diagram))}</desc>",
        f'<rect width="100%" height="100%" rx="10" fill="{_PAPER}"/>',
        _text(title, _MARGIN, _MARGIN + 18, 20, weight="700"),
        _text(subtitle, _MARGIN, _MARGIN + 38, 12, fill=_MUTED),
        f'<g transform="translate({_MARGIN + (width - 2 * _MARGIN - layout.width) / 2:.1f} {_MARGIN + _HEADER:.1f})">',
        *(_arrow(arrow, diagram, layout) for arrow in dict.fromkeys(diagram.arrows)),
        *(_box(box, layout.places[box.name], networks.get(box.name)) for box in diagram.boxes),
        "</g></svg>",
    ]
    return "\n".join(parts) + "\n"


def _size(box: Box, network: Network | None) -> Size:
    if network is None:
        lines = _lines(box.name)
        text = max(_text_width(line, _NAME, _BOLD_EM) for line in lines)
        # Slanted and round ends cost width.
        extra = 56 if box.role in (Role.DECISION, Role.NOISE, Role.DISTRIBUTION) else 28
        return max(96.0, text + extra), 18 + _ICON + 8 + 18 * len(lines) + 8
    head = max(_text_width(box.name, _NAME, _BOLD_EM), _text_width(_total(network), _TEXT, _SANS_EM)) + 28
    rows = sum(_columns(network.layers)) + 2 * 18 + 28
    return max(head, rows, 150.0), 54 + 12 + _ROW * (len(network.layers) + 1) + 6


def _columns(layers: Sequence[Layer]) -> tuple[float, float, float]:
    """Widths of the three columns: layer, output shape, parameters."""
    rows = [
        ("layer", "output", "parameters"),
        *((layer.words, _shape(layer), _count(layer.parameters)) for layer in layers),
    ]
    first, second, third = (max(_text_width(row[column], _TEXT, _MONO_EM) for row in rows) for column in range(3))
    return first, second, third


def _box(box: Box, place: Place, network: Network | None) -> str:
    return _small_box(box, place) if network is None else _network_box(box, place, network)


def _small_box(box: Box, place: Place) -> str:
    fill, stroke = _FILL[box.role]
    parts = [_outline(box.role, place, fill, stroke), _icon(box.role, place.centre, place.top + 18 + _ICON / 2, stroke)]
    for number, line in enumerate(_lines(box.name)):
        baseline = place.top + 18 + _ICON + 8 + 14 + 18 * number
        parts.append(_text(line, place.centre, baseline, _NAME, weight="600", anchor="middle"))
    return f"<g>{''.join(parts)}</g>"


def _network_box(box: Box, place: Place, network: Network) -> str:
    fill, stroke = _FILL[box.role]
    parts = [
        _rectangle(place, 8, fill, stroke),
        f'<path d="M{place.left:.1f} {place.top + 54:.1f}v-46a8 8 0 0 1 8 -8h{place.width - 16:.1f}'
        f'a8 8 0 0 1 8 8v46z" fill="{stroke}"/>',
        _text(box.name, place.left + 14, place.top + 23, _NAME, weight="700", fill="#ffffff"),
        _text(_total(network), place.left + 14, place.top + 42, _TEXT, fill="#ffffff"),
    ]
    # Spare width goes between the first two columns, so that numbers stay right-aligned at the edge.
    right = place.right - 14
    shape_right = right - _columns(network.layers)[2] - 18
    baseline = place.top + 54 + 12 + 12
    rows = [("layer", "output", "parameters")]
    rows += [(layer.words, _shape(layer), _count(layer.parameters)) for layer in network.layers]
    for number, (words, shape, count) in enumerate(rows):
        ink = _MUTED if number == 0 else _INK
        height = baseline + _ROW * number
        parts.append(_text(words, place.left + 14, height, _TEXT, fill=ink, mono=True))
        parts.append(_text(shape, shape_right, height, _TEXT, fill=ink, anchor="end", mono=True))
        parts.append(_text(count, right, height, _TEXT, fill=_MUTED, anchor="end", mono=True))
    return f"<g>{''.join(parts)}</g>"


def _outline(role: Role, place: Place, fill: str, stroke: str) -> str:
    left, top, right, bottom = place.left, place.top, place.right, place.top + place.height
    match role:
        case Role.DECISION:
            points = [(left, place.middle), (left + 20, top), (right - 20, top), (right, place.middle)]
            points += [(right - 20, bottom), (left + 20, bottom)]
            text = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            return (
                f'<polygon points="{text}" fill="{fill}" stroke="{stroke}" stroke-width="1.4" stroke-linejoin="round"/>'
            )
        case Role.DATA:
            # A stack of cards: many examples.
            behind = [
                Place(left=left + shift, top=top - shift, width=place.width, height=place.height) for shift in (8, 4)
            ]
            return "".join(_rectangle(card, 5, fill, stroke) for card in [*behind, place])
        case Role.NOISE | Role.DISTRIBUTION:
            return _rectangle(place, 30, fill, stroke)
        case _:
            return _rectangle(place, 5, fill, stroke)


def _icon(role: Role, x: float, y: float, colour: str) -> str:
    """A small picture that says what the box stands for without words."""
    line = f'fill="none" stroke="{colour}" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round"'
    match role:
        case Role.NOISE:
            dots = [
                (-15, 3),
                (-9, -6),
                (-6, 7),
                (-1, -1),
                (2, -9),
                (5, 6),
                (9, -3),
                (14, 4),
                (13, -8),
                (-16, -9),
                (-12, 10),
            ]
            return "".join(f'<circle cx="{x + dx:.1f}" cy="{y + dy:.1f}" r="1.7" fill="{colour}"/>' for dx, dy in dots)
        case Role.DISTRIBUTION:
            bell = f"M{x - 20:.1f} {y + 10:.1f}c12 0 11 -20 20 -20s8 20 20 20"
            return f'<path d="{bell}" {line}/><path d="M{x - 22:.1f} {y + 10:.1f}h44" {line} opacity="0.5"/>'
        case Role.DECISION:
            return (
                f'<path d="M{x - 16:.1f} {y:.1f}l5 6l9 -12" {line}/>'
                f'<path d="M{x + 5:.1f} {y - 6:.1f}l11 12m0 -12l-11 12" {line}/>'
            )
        case Role.SAMPLE:
            # A die: something that was drawn.
            pips = [(-5, -5), (5, -5), (0, 0), (-5, 5), (5, 5)]
            die = f'<rect x="{x - 12:.1f}" y="{y - 12:.1f}" width="24" height="24" rx="5" {line}/>'
            return die + "".join(
                f'<circle cx="{x + dx:.1f}" cy="{y + dy:.1f}" r="2" fill="{colour}"/>' for dx, dy in pips
            )
        case _:
            # A table: rows of examples.
            frame = f'<rect x="{x - 16:.1f}" y="{y - 12:.1f}" width="32" height="24" rx="2" {line}/>'
            return frame + f'<path d="M{x - 16:.1f} {y - 4:.1f}h32m-32 8h32m-21 -16v24m10 0v-24" {line}/>'


def _arrow(arrow: Arrow, diagram: Diagram, layout: Layout) -> str:
    source, target = layout.places[arrow.source], layout.places[arrow.target]
    if arrow in layout.backward:
        path = _path_below(source, target, layout.height)
        end = (target.centre, target.top + target.height)
        head = f"M{end[0] - 4:.1f} {end[1] + 8:.1f}l4 -8l4 8z"
    else:
        end = (target.left, _port(arrow, diagram, layout))
        lanes = layout.lanes[arrow]
        path = _path_through(_exit(source, arrow, diagram), lanes, end)
        head = f"M{end[0] - 8:.1f} {end[1] - 4.2:.1f}l8 4.2l-8 4.2z"
    return f'<path d="{path}" fill="none" stroke="{_LINE}" stroke-width="1.7"/><path d="{head}" fill="{_LINE}"/>'


def _exit(source: Place, arrow: Arrow, diagram: Diagram) -> tuple[float, float]:
    # The cards behind a data box reach a little further to the right.
    role = next(box.role for box in diagram.boxes if box.name == arrow.source)
    return source.right + (8 if role is Role.DATA else 0), source.middle


def _port(arrow: Arrow, diagram: Diagram, layout: Layout) -> float:
    """Where an arrow meets its target: several share the side of a network, in the order of where they come from."""
    target = layout.places[arrow.target]
    box = next(box for box in diagram.boxes if box.name == arrow.target)
    arriving = [
        one for one in dict.fromkeys(diagram.arrows) if one.target == arrow.target and one not in layout.backward
    ]
    if box.role is not Role.NETWORK or len(arriving) == 1:
        return target.middle
    arriving.sort(key=lambda one: (layout.lanes[one] or [layout.places[one.source]])[-1].middle)
    step = min(30.0, target.height / (len(arriving) + 1))
    return target.middle + step * (arriving.index(arrow) - (len(arriving) - 1) / 2)


def _path_through(start: tuple[float, float], lanes: Sequence[Place], end: tuple[float, float]) -> str:
    path = f"M{start[0]:.1f} {start[1]:.1f}"
    x, y = start
    for lane in lanes:
        path += _curve(x, y, lane.left, lane.middle) + f"H{lane.right:.1f}"
        x, y = lane.right, lane.middle
    return path + _curve(x, y, end[0] - 7, end[1])


def _curve(x: float, y: float, to_x: float, to_y: float) -> str:
    # All of the bend lies in the gap before the target, so that a curve never cuts the corner of a box.
    start = max(x, to_x - COLUMN_GAP)
    middle = (start + to_x) / 2
    return f"H{start:.1f}C{middle:.1f} {y:.1f} {middle:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"


def _path_below(source: Place, target: Place, bottom: float) -> str:
    return (
        f"M{source.centre:.1f} {source.top + source.height:.1f}V{bottom + 12:.1f}q0 12 -12 12"
        f"H{target.centre + 12:.1f}q-12 0 -12 -12V{target.top + target.height + 7:.1f}"
    )


def _rectangle(place: Place, radius: float, fill: str, stroke: str) -> str:
    return (
        f'<rect x="{place.left:.1f}" y="{place.top:.1f}" width="{place.width:.1f}" height="{place.height:.1f}" '
        f'rx="{radius:g}" fill="{fill}" stroke="{stroke}" stroke-width="1.4"/>'
    )


def _text(
    words: str,
    x: float,
    y: float,
    size: float,
    *,
    fill: str = _INK,
    weight: str = "",
    anchor: str = "",
    mono: bool = False,
) -> str:
    more = f' font-weight="{weight}"' if weight else ""
    more += f' text-anchor="{anchor}"' if anchor else ""
    more += f' font-family="{_MONO}"' if mono else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{fill}"{more}>{escape(words)}</text>'


def _text_width(words: str, size: float, em: float) -> float:
    return len(words) * size * em


def _lines(name: str) -> list[str]:
    return textwrap.wrap(name, _NARROW, break_long_words=False) or [name]


def _shape(layer: Layer) -> str:
    if layer.shape is None:
        return "–"
    return "×".join(map(str, layer.shape)) or "1"


def _total(network: Network) -> str:
    return f"{_count(network.parameters)} parameters"


def _count(number: int) -> str:
    return "–" if number == 0 else compact(number, load_words("en"))


def _trainable(model: GenerativeModel) -> int:
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def _spec_words(spec: DataSpec) -> str:
    match spec:
        case ImageSpec():
            return f"images of {spec.channels}×{spec.height}×{spec.width}"
        case TextSpec():
            return f"text of {spec.length} tokens"
        case _:
            return f"vectors of {'×'.join(map(str, spec.shape))}"


def _description(diagram: Diagram) -> str:
    """The drawing for those who cannot see it."""
    return "; ".join(f"{arrow.source} to {arrow.target}" for arrow in diagram.arrows)
