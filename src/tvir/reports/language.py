"""The words of reports, kept in one JSON file per language."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from tvir.contracts.errors import UsageError

_FOLDER = Path(__file__).parent / "words"

Phrase = str | Mapping[str, str]
"""A phrase, or its plural forms."""


class Words:
    """The phrases of one language. A key that does not exist is an error, never an empty place in a report.

    Args:
        language: ISO 639-1 code.
        phrases: Phrases by key; those that depend on a number have one form per plural category.

    Example:
        >>> words = load_words("en")
        >>> words("floor")
        'floor'
        >>> words.count("count.runs", 1), words.count("count.runs", 3)
        ('1 run', '3 runs')
    """

    def __init__(self, language: str, phrases: Mapping[str, Phrase]) -> None:
        self.language = language
        self.phrases = MappingProxyType(dict(phrases))

    def __call__(self, key: str, **values: object) -> str:
        """The phrase with its placeholders filled."""
        phrase = self.phrases[key]
        if not isinstance(phrase, str):
            raise TypeError(f"{key!r} has plural forms; ask for it with count")
        return phrase.format(**values) if values else phrase

    def count(self, key: str, number: int, **values: object) -> str:
        """The phrase in the plural form that belongs to a number, which fills ``{n}``."""
        return self.form(key, number).format(n=self.number(f"{number:,}"), **values)

    def form(self, key: str, number: int) -> str:
        """The plural form that belongs to a number, with its placeholders still open."""
        forms = self.phrases[key]
        if isinstance(forms, str):
            raise TypeError(f"{key!r} has no plural forms; ask for it without a number")
        return forms[_plural_category(self.language, number)]

    def metric(self, name: str) -> str:
        """How people call a metric. One that a later version adds is shown by its own name."""
        phrase = self.phrases.get(f"metric.{name}")
        return phrase if isinstance(phrase, str) else name.replace("_", " ")

    def unit(self, name: str) -> str:
        """The unit of a metric, to follow its name; empty for pure numbers."""
        phrase = self.phrases.get(f"unit.of.{name}")
        return f", {phrase}" if isinstance(phrase, str) else ""

    def sees(self, name: str) -> str | None:
        """What a metric sees and is blind to, or None for one that is not described here."""
        phrase = self.phrases.get(f"metric.{name}.sees")
        return phrase if isinstance(phrase, str) else None

    def space(self, name: str) -> str:
        """A short name of what a metric looked through, in the reader's words where there are any.

        Neither the hash nor what follows a hyphen (``pixels-pca64``) is in it; full names have both.
        """
        short = name.partition("@")[0]
        phrase = self.phrases.get(f"space.{short}") or self.phrases.get(f"space.{short.partition('-')[0]}")
        return phrase if isinstance(phrase, str) else short

    def number(self, text: str) -> str:
        """A number written by Python in the signs of the language: its decimal mark, its thousands, a true minus."""
        marks = {".": self("sign.decimal"), ",": self("sign.thousands"), "-": "\N{MINUS SIGN}"}
        return "".join(marks.get(character, character) for character in text)

    def both(self, items: list[str]) -> str:
        """``a``, ``a and b``, ``a, b and c``."""
        if len(items) < 2:
            return "".join(items)
        return self("list.and", head=", ".join(items[:-1]), tail=items[-1])


@cache
def load_words(language: str) -> Words:
    """The words of a language.

    Raises:
        UsageError: There is no such language.
    """
    if language not in languages():
        raise UsageError(f"there are no words in the language {language!r}; choose one of: {', '.join(languages())}")
    return Words(language, json.loads((_FOLDER / f"{language}.json").read_text("utf-8")))


@cache
def languages() -> tuple[str, ...]:
    """Codes of the languages there are words for."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.json")))


def _plural_category(language: str, number: int) -> str:
    """The plural category of a whole number (Unicode CLDR, Language Plural Rules)."""
    if language == "uk":
        if number % 10 == 1 and number % 100 != 11:
            return "one"
        return "few" if number % 10 in (2, 3, 4) and number % 100 not in (12, 13, 14) else "many"
    return "one" if number == 1 else "many"


def capital(text: str) -> str:
    """The text with a capital first letter; the rest keeps its own (``str.capitalize`` would not)."""
    return text[:1].upper() + text[1:]
