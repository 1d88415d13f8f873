"""From words to a checked form, through tyro; what cannot be read becomes one line."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Sequence
from typing import Any, TypeVar

import tyro
from tyro.constructors import ConstructorRegistry

from tvir.contracts.errors import UsageError

Form = TypeVar("Form")

_MARKERS = (tyro.conf.DisallowNone, tyro.conf.FlagCreatePairsOff)


def parse(
    form: type[Form],
    words: Sequence[str],
    *,
    program: str,
    description: str | None = None,
    registry: ConstructorRegistry | None = None,
) -> Form:
    """Fill in a form (a dataclass) from the words of a command line.

    Args:
        form: A dataclass; its docstring and those of its fields are the help text.
        words: What follows ``program``.
        program: How the command is called.
        description: Shown above the options; by default the docstring of ``form``.
        registry: Further types that can be read from text.

    Raises:
        UsageError: A word is unknown, missing or of the wrong type.
        SystemExit: Help was asked for and has been printed.
    """
    asks_help = any(word in ("-h", "--help") for word in words)
    complaint = io.StringIO()
    try:
        with contextlib.nullcontext() if asks_help else contextlib.redirect_stderr(complaint):
            return _tyro(form, words, program, description, registry)
    except SystemExit as leaving:
        if not leaving.code:
            raise
        said = _flat(complaint.getvalue(), program).rstrip(".")
        raise UsageError(f"{said}; see {program} --help") from None


def _tyro(
    form: Any, words: Sequence[str], program: str, description: str | None, registry: ConstructorRegistry | None
) -> Any:
    return tyro.cli(form, args=list(words), prog=program, description=description, registry=registry, config=_MARKERS)


def _flat(box: str, program: str) -> str:
    """The messages inside the box that tyro draws, on one line, without the help texts it repeats."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", box)
    lines = [line.strip("│|").rstrip(" │|")[1:] for line in plain.splitlines() if not re.match(r"[╭╰+]", line)]
    sections = re.split(r"^[─-]{4,}$", "\n".join(lines), flags=re.MULTILINE)
    told = [
        # Lines that are set in deeply repeat what --help says.
        " ".join(line.strip() for line in section.splitlines() if not line.startswith(" " * 8))
        for section in sections
        if not re.match(r"\s*(Argument helptext|For full helptext)", section)
    ]
    text = re.sub(r"\s+", " ", "; ".join(told)).strip()
    return text.replace(f"Missing from {program}:", "missing:").replace("Error parsing ", "") or "unreadable arguments"
