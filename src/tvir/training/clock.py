"""Seconds of training: what is spent on checkpoints and pictures does not count."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Measures from one lap to the next."""

    def __init__(self) -> None:
        self._mark = time.perf_counter()

    def lap(self) -> float:
        """Seconds since the last lap or reset, paused time left out."""
        now = time.perf_counter()
        seconds, self._mark = now - self._mark, now
        return seconds

    def reset(self) -> None:
        """Forget what has passed."""
        self._mark = time.perf_counter()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Time inside the block does not pass."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self._mark += time.perf_counter() - begin
