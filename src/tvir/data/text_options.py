"""How text is to be read, as a person asks for it, and what becomes of a source that is read so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Self, get_args

import numpy as np

from tvir.contracts.data import TextSpec
from tvir.contracts.errors import TvirError, UsageError
from tvir.contracts.pieces import MOST_PIECES
from tvir.data.blocks import TextBlock
from tvir.data.building import Settled
from tvir.data.files import printable
from tvir.data.parquet_texts import ParquetTexts
from tvir.data.source import Contents, Progress
from tvir.data.splits import SPLITS, assign_splits
from tvir.data.text_tables import TextTables
from tvir.data.texts import TextFiles
from tvir.data.tokenising import FEWEST_LEARNED, TextForm, Tokeniser, Tokens, learn
from tvir.data.windows import stretches, tokens_of, windows

LONGEST = 4096
"""Tokens of an example at most."""

_DEFAULT_LEARNED = 2048
_DEFAULT_WINDOW = 128
_LONGEST_DEFAULT = 256
"""Texts of different lengths are cut to at most so many tokens unless a length is given: it trains on a CPU."""


@dataclass(frozen=True, kw_only=True)
class TextOptions:
    """What was asked for; None where the source decides.

    Args:
        tokens: What text is cut into.
        vocabulary: Most pieces.
        length: Tokens of an example.
        windows: Whether all lines are one running text.
        column: The column of text in a table.
    """

    tokens: Tokens | None
    vocabulary: int | None
    length: int | None
    windows: bool
    column: str | None

    @classmethod
    def checked(
        cls, tokens: str | None, vocabulary: int | None, length: int | None, windows: bool, column: str | None
    ) -> Self:
        """The options as asked for.

        Raises:
            UsageError: One of them is out of range.
        """
        if tokens is not None and tokens not in get_args(Tokens):
            raise UsageError(f"--tokens {tokens} is not possible; choose one of: {', '.join(get_args(Tokens))}")
        if vocabulary is not None:
            if tokens == "bytes":
                raise UsageError("--tokens bytes has a vocabulary of its own; leave --vocabulary out")
            least = FEWEST_LEARNED if tokens in ("bpe", "unigram") else 3
            if not least <= vocabulary <= MOST_PIECES:
                raise UsageError(f"--vocabulary {vocabulary} is not possible; choose from {least} to {MOST_PIECES:,}")
        if length is not None and not 2 <= length <= LONGEST:
            raise UsageError(f"--length {length} is not possible; choose from 2 to {LONGEST:,} tokens")
        return cls(tokens=tokens, vocabulary=vocabulary, length=length, windows=windows, column=column)  # type: ignore[arg-type]

    def asked(self) -> dict[str, Any]:
        """The options in the form in which they are remembered; those that ask for nothing are left out."""
        wishes = {
            "tokens": self.tokens,
            "vocabulary": self.vocabulary,
            "length": self.length,
            "windows": self.windows or None,
            "column": self.column,
        }
        return {name: wish for name, wish in wishes.items() if wish is not None}

    def settle(self, reference: str, source: TextFiles, tell: Progress) -> Settled:
        """What a source is to become.

        Raises:
            UsageError: A column was asked of a source without columns.
            TvirError: It cannot be read, or there is nothing in it.
        """
        if self.column is not None:
            if not isinstance(source, TextTables | ParquetTexts):
                raise UsageError(f"{printable(reference)} has no columns; leave --column out")
            source = source.with_column(self.column)
        return self._running(reference, source, tell) if self.windows else self._lines(reference, source, tell)

    def _lines(self, reference: str, source: TextFiles, tell: Progress) -> Settled:
        contents = source.contents()
        if not contents.count:
            raise TvirError(f"{printable(reference)} holds no text")
        assignment, _ = assign_splits(contents)
        training = assignment == SPLITS.index("train")
        tell("learning a vocabulary", 0, contents.count)
        tokeniser = self._learned(_texts(source, training))
        lengths: list[int] = []
        unknown = 0
        for text in _texts(source, np.ones(contents.count, bool)):
            (tokens,) = tokeniser.encode([text])
            lengths.append(len(tokens))
            unknown += self._unknown(tokens)
        tell("learning a vocabulary", contents.count, contents.count)
        length = self.length or max(2, min(_LONGEST_DEFAULT, max(lengths, default=0) + 1))
        findings = (*contents.findings, *_about_running(lengths, contents), *_about_unknown(unknown, sum(lengths)))
        form = TextForm(tokeniser=tokeniser, length=length)
        return Settled(
            contents=replace(contents, findings=findings),
            blocks=source.blocks,
            form=form,
            spec=TextSpec(
                vocabulary=len(tokeniser.pieces), length=length, pieces=tokeniser.pieces, classes=contents.classes
            ),
            options=self._options(length),
            noun="texts",
        )

    def _running(self, reference: str, source: TextFiles, tell: Progress) -> Settled:
        parts, dealt = stretches(source)
        if not parts["train"].stop:
            raise TvirError(f"{printable(reference)} holds no text")
        tell("learning a vocabulary", 0, 1)
        tokeniser = self._learned(parts["train"].pieces())
        tokens = {split: tokens_of(stretch, tokeniser) for split, stretch in parts.items()}
        tell("learning a vocabulary", 1, 1)
        unknown = sum(self._unknown(found) for found in tokens.values())
        length = self.length or _DEFAULT_WINDOW
        findings = _about_unknown(unknown, sum(map(len, tokens.values())))
        contents, blocks = windows(tokens, length, tuple(findings))
        form = TextForm(tokeniser=tokeniser, length=length)
        return Settled(
            contents=contents,
            blocks=lambda: iter(blocks),
            form=form,
            spec=TextSpec(vocabulary=len(tokeniser.pieces), length=length, pieces=tokeniser.pieces),
            options=self._options(length),
            noun="windows",
            dealing=() if dealt is None else (dealt,),
        )

    def _learned(self, texts: Iterator[str]) -> Tokeniser:
        kind = self.tokens or "characters"
        size = self.vocabulary or (MOST_PIECES if kind == "characters" else _DEFAULT_LEARNED)
        return learn(kind, texts, size)

    def _unknown(self, tokens: np.ndarray[Any, Any]) -> int:
        return int((tokens == 1).sum()) if self.tokens in (None, "characters") else 0

    def _options(self, length: int) -> dict[str, Any]:
        return {**self.asked(), "tokens": self.tokens or "characters", "length": length}


def _texts(source: TextFiles, wanted: np.ndarray[Any, Any]) -> Iterator[str]:
    """The readable texts among those that are wanted, in order."""
    place = 0
    for block in source.blocks():
        assert isinstance(block, TextBlock)
        for content in block.contents:
            if wanted[place] and isinstance(content, str):
                yield content
            place += 1


def _about_running(lengths: list[int], contents: Contents) -> Iterator[str]:
    if contents.count == 1 and lengths and lengths[0] > _LONGEST_DEFAULT:
        yield "all text is on one line and so one example: --windows cuts running text into many"


def _about_unknown(unknown: int, count: int) -> Iterator[str]:
    if unknown:
        yield f"{unknown:,} of {count:,} characters are not in the vocabulary and are read as \N{REPLACEMENT CHARACTER}"
