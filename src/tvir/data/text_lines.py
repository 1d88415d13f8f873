"""Plain text: one sentence or document per line."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from tvir.contracts.errors import TvirError
from tvir.data.blocks import Unreadable
from tvir.data.files import FileState, printable
from tvir.data.texts import LONGEST_LINE, Line, TextFiles, decoded, opened_text


class TextLines(TextFiles):
    """One ``.txt`` file, or all below a folder: each line is a text, or all of it is one running text."""

    expects = "a .txt file or a folder of them"
    suffixes = (".txt",)
    noun = "lines"
    precedence = -1  # notes beside tables describe them

    def lines(self, file: FileState) -> Iterator[Line]:
        with opened_text(file) as stream:
            start, number = stream.tell(), 0
            # Only "\n" ends a line: U+2028 and others may stand inside a sentence.
            while line := stream.readline(LONGEST_LINE + 1):
                number += 1
                place = f"{file.name} line {number}"
                if len(line) > LONGEST_LINE:
                    while line and not line.endswith(b"\n"):
                        line = stream.readline(LONGEST_LINE)
                    yield Line(Unreadable(f"longer than the {LONGEST_LINE:,} bytes that are read of one line"), place)
                else:
                    text = decoded(line.removesuffix(b"\n").removesuffix(b"\r"), start)
                    yield Line("" if isinstance(text, str) and not text.strip() else text, place)
                start = stream.tell()

    def running(self, file: FileState) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder("utf-8")()
        with opened_text(file) as stream:
            start = stream.tell()
            while piece := stream.readline(LONGEST_LINE):
                if piece.endswith(b"\r"):
                    piece += stream.readline(1)
                pending = len(decoder.getstate()[0])
                try:
                    text = decoder.decode(piece)
                except UnicodeDecodeError as error:
                    place = start - pending + error.start
                    raise TvirError(
                        f"{printable(file.name)}: byte {place:,} (0x{error.object[error.start]:02x}) is not UTF-8; "
                        "running text cannot leave it out"
                    ) from None
                if "\0" in text:
                    raise TvirError(f"{printable(file.name)}: byte {start + piece.index(0):,} is NUL, no text holds it")
                yield text.replace("\r\n", "\n")
                start = stream.tell()
        if decoder.getstate()[0]:
            raise TvirError(f"{printable(file.name)}: its last character is cut off: it is not UTF-8")
