"""The pieces of a vocabulary as JSON texts that a person can read, and back."""

from __future__ import annotations

import re

from tvir.contracts.errors import UsageError

MOST_PIECES = 2**15
"""Tokens of text at most: a run's record holds them all."""

LONGEST_PIECE = 256
"""Bytes of one token at most."""

_ESCAPE = re.compile(rb"\\(\\|x[0-9a-f]{2})")


def write_piece(piece: bytes) -> str:
    r"""A piece as text. Bytes that are no UTF-8 by themselves are written ``\xNN``, a backslash twice.

    Example:
        >>> print(write_piece("їжак".encode()), write_piece(b"\xd1\\"))
        їжак \xd1\\
    """
    return piece.replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")


def read_piece(text: str) -> bytes:
    r"""The piece that ``write_piece`` wrote.

    Raises:
        UsageError: It has not written this.

    Example:
        >>> read_piece(r"\xd1\\")
        b'\xd1\\'
    """
    piece = _ESCAPE.sub(lambda found: _unescaped(found[1]), text.encode("utf-8", "surrogatepass"))
    if len(piece) > LONGEST_PIECE or write_piece(piece) != text:
        raise UsageError(f"run.json: {text[:40]!r} is no piece of a vocabulary")
    return piece


def _unescaped(escaped: bytes) -> bytes:
    return b"\\" if escaped == b"\\" else bytes([int(escaped[1:], 16)])
