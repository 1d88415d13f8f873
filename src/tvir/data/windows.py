"""Running text cut into windows of equal length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from tvir.contracts.data import END, Array
from tvir.data.blocks import Block, TokenBlock
from tvir.data.source import Contents
from tvir.data.splits import SPLITS
from tvir.data.texts import TextFiles
from tvir.data.tokenising import Tokeniser

_HELD_BACK = 0.1
"""Share of running text that goes to each split that has to be made: neighbouring windows stay together."""


@dataclass(frozen=True)
class Stretch:
    """A part of a running text.

    Args:
        source: Of the text.
        split: The source's own split that it lies in; empty where there are none.
        start: Its first character.
        stop: The one after its last.
    """

    source: TextFiles
    split: str
    start: int
    stop: int

    def pieces(self) -> Iterator[str]:
        """Its text in pieces."""
        place = 0
        for split, text in self.source.whole():
            if split == self.split:
                for piece in text:
                    if part := piece[max(0, self.start - place) : max(0, self.stop - place)]:
                        yield part
                    place += len(piece)
                    if place >= self.stop:
                        return


def stretches(source: TextFiles) -> tuple[dict[str, Stretch], str | None]:
    """Where the splits lie in running text, and what there is to say about it.

    Splits that the source does not have are made from the end of its training text.

    Raises:
        TvirError: The text cannot be read.
    """
    sizes = {split: sum(map(len, text)) for split, text in source.whole()}
    found = {split: Stretch(source, split, 0, size) for split, size in sizes.items() if split and size}
    missing = [split for split in SPLITS if split not in found]
    if not missing:
        return found, None
    own = "train" if "train" in found else ""
    size = sizes.get(own, 0)
    held = round(_HELD_BACK * size)
    train = size - held * (len(missing) - (not own))
    cuts = [(split, train + index * held) for index, split in enumerate(split for split in missing if split != "train")]
    found["train"] = Stretch(source, own, 0, train)
    found |= {split: Stretch(source, own, start, start + held) for split, start in cuts}
    named = " and ".join(split for split, _ in cuts)
    return (
        found,
        f"{named}: the last {held * len(cuts):,} of the {size:,} characters of training text, {held:,} for each",
    )


def tokens_of(stretch: Stretch, tokeniser: Tokeniser) -> Array:
    """All tokens of a stretch, (N,)."""
    kind = np.uint16 if len(tokeniser.pieces) <= 2**16 else np.int32
    parts = [np.concatenate(tokeniser.encode([piece])).astype(kind) for piece in stretch.pieces()]
    return np.concatenate(parts) if parts else np.empty(0, kind)


def windows(splits: Mapping[str, Array], length: int, findings: tuple[str, ...]) -> tuple[Contents, list[Block]]:
    """What windows of so many tokens there are, each without an end.

    Args:
        splits: Tokens (N,) of each split.
        length: Tokens of a window.
        findings: What was noticed before.
    """
    rows = {split: _whole(splits[split], length) for split in SPLITS if split in splits}
    counts = tuple((split, len(found)) for split, found in rows.items())
    contents = Contents(count=sum(count for _, count in counts), splits=counts, findings=findings)
    return contents, [TokenBlock(found) for found in rows.values() if len(found)]


def _whole(tokens: Array, length: int) -> Array:
    """Whole windows; the rest is left out, unless it is all there is."""
    whole = len(tokens) // length
    if whole or not len(tokens):
        return tokens[: whole * length].reshape(whole, length)
    return np.pad(tokens, (0, length - len(tokens)), constant_values=END)[None]
