"""Ctrl-C and SIGTERM end a training at the end of a step, with everything saved."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from tvir.contracts.errors import TvirError


class Interrupted(TvirError):  # noqa: N818
    """Training was asked to stop; exit status 130 after Ctrl-C, 143 after SIGTERM.

    Args:
        number: Of the signal.
        text: What to say.
    """

    def __init__(self, number: int, text: str) -> None:
        super().__init__(text)
        self.exit_status = 128 + number


class Signals:
    """The first signal is remembered; the second ends the process at once."""

    def __init__(self) -> None:
        self.received = 0

    def handle(self, number: int, frame: FrameType | None = None) -> None:
        """The handler itself."""
        if self.received:
            os._exit(128 + number)
        self.received = number


@contextmanager
def caught_signals() -> Iterator[Signals]:
    """Catch SIGINT and SIGTERM inside the block, in the main thread; Python allows it in no other."""
    signals = Signals()
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.signal(number, signals.handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
