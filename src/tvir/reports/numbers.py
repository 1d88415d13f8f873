"""Numbers as people read them: as many digits as the interval supports, one layout per row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tvir.contracts.metric import Score
from tvir.reports.language import Words

_MOST_DECIMALS = 6


@dataclass(frozen=True, kw_only=True)
class RowFormat:
    """How all numbers of one row are written, so that they can be compared at a glance.

    Args:
        decimals: Digits after the decimal mark.
        scientific: Whether the row needs powers of ten.
    """

    decimals: int
    scientific: bool = False

    def number(self, value: float, words: Words) -> str:
        """One number."""
        if not math.isfinite(value):
            return "–"
        if self.scientific:
            mantissa, _, exponent = f"{value:.{self.decimals}e}".partition("e")
            return words.number(mantissa) + "·10" + str(int(exponent)).translate(_SUPERSCRIPTS)
        text = f"{value:,.{self.decimals}f}"
        # Rounding must not leave "-0.00".
        return words.number(text.lstrip("-") if not text.strip("-0.,") else text)

    def score(self, score: Score, words: Words) -> str:
        """The value with the half-width of its interval, where it has one."""
        value = self.number(score.value, words)
        half = half_width(score)
        return value if half is None else f"{value} ± {self.number(half, words)}"


_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def half_width(score: Score) -> float | None:
    """Half the length of a score's interval, or None where it has none."""
    return None if score.interval is None else (score.interval[1] - score.interval[0]) / 2


def row_format(scores: Sequence[Score]) -> RowFormat:
    """The layout for a row of scores: two digits of a typical interval, else three of a typical value.

    Example:
        >>> from tvir.contracts.metric import Axis, Direction
        >>> score = Score(axis=Axis.FIDELITY, metric="density", space="pixels", value=0.91234, interval=(0.90, 0.93),
        ...               floor=1.0, better=Direction.HIGHER, n_real=100, n_generated=100)
        >>> row_format([score])
        RowFormat(decimals=3, scientific=False)
    """
    values = [score.value for score in scores] + [score.floor for score in scores if score.floor is not None]
    halves = [half for score in scores if (half := half_width(score))]
    sizes = [abs(value) for value in values if value and math.isfinite(value)]
    if not sizes and not halves:
        return RowFormat(decimals=0)
    sizes = sizes or halves
    if max(sizes) >= 1e7 or _decimals(max(sizes), 2) > _MOST_DECIMALS:
        return RowFormat(decimals=2, scientific=True)
    if not halves and all(value.is_integer() for value in map(float, values) if math.isfinite(value)):
        return RowFormat(decimals=0)
    wanted = _decimals(_middle(halves), 2) if halves else min(_decimals(_middle(sizes), 3), _decimals(max(sizes), 4))
    return RowFormat(decimals=min(wanted, _MOST_DECIMALS))


def floor_format(row: RowFormat, floor: float) -> RowFormat:
    """The layout of a row's floor: more decimals than the row where it would otherwise be rounded to nothing."""
    if row.scientific or not floor or not math.isfinite(floor):
        return row
    needed = _decimals(abs(floor), 2)
    if abs(floor) >= 10.0**-row.decimals or needed > _MOST_DECIMALS + 2:
        return row
    return RowFormat(decimals=needed)


def _decimals(size: float, digits: int) -> int:
    """Decimals that show a number with so many significant digits."""
    return max(0, digits - 1 - math.floor(math.log10(size)))


def _middle(sizes: Sequence[float]) -> float:
    return sorted(sizes)[len(sizes) // 2]


def compact(number: float, words: Words) -> str:
    """A count in at most four characters and a prefix.

    Example:
        >>> from tvir.reports.language import load_words
        >>> [compact(number, load_words("en")) for number in (950, 12_345, 2_500_000)]
        ['950', '12.3 k', '2.50 M']
    """
    for factor, sign in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= factor:
            scaled = number / factor
            text = f"{scaled:.{max(0, 2 - math.floor(math.log10(scaled)))}f}"
            return f"{words.number(text)} {words('prefix.' + sign)}"
    return words.number(f"{number:.0f}")


def duration(seconds: float, words: Words) -> str:
    """Seconds as people say them.

    Example:
        >>> from tvir.reports.language import load_words
        >>> [duration(seconds, load_words("en")) for seconds in (12.34, 125, 7320)]
        ['12.3 s', '2 min 5 s', '2 h 2 min']
    """
    if round(seconds, 1) < 60:
        text = f"{seconds:.1f}".removesuffix(".0")
        return f"{words.number(text)} {words('unit.second')}"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} {words('unit.minute')}" + (f" {rest} {words('unit.second')}" if rest else "")
    hours, minutes = divmod(minutes, 60)
    return f"{hours} {words('unit.hour')}" + (f" {minutes} {words('unit.minute')}" if minutes else "")
