"""Errors that a person can mend: one line saying what happened, what was expected, how to mend it."""

from __future__ import annotations


class TvirError(Exception):
    """A failure to report in one line, without a traceback (exit status 1)."""

    exit_status = 1


class UsageError(TvirError):
    """What was asked for cannot be understood or does not exist (exit status 2)."""

    exit_status = 2


class MissingExtraError(TvirError):
    """A part needs an optional dependency that is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs packages that are not installed; install them with: pip install 'tvir[{extra}]'"
        )
        self.extra = extra
