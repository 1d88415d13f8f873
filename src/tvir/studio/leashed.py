"""Commands of ``tvir`` in processes of their own, which save and end when the studio lets go of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from tvir.contracts.errors import UsageError
from tvir.studio.refusal import RefusalError

_AT_ONCE = 2
"""Processes of one sort that run beside each other."""

_SAID = 2_000
"""Characters of the end of what a process has said."""

_PATIENCE = 20.0
"""Seconds that processes get to save when the studio is closed."""


class Leashed:
    """A command about a run, in a process that holds one end of a pipe: when the other end is gone, it saves and ends.

    Args:
        words: The arguments of ``tvir``.
        run: Folder of the run; what the process says is written beside it.
        task: What is done to the run, in one word.
        output: File for its standard output; None throws that away.

    Raises:
        UsageError: No process can be started.
    """

    def __init__(self, words: Sequence[str], run: Path, task: str, output: Path | None = None) -> None:
        self._log = run.parent / f".{run.name}.{task}.log"
        command = [sys.executable, "-m", "tvir.cli.leash", *words]
        try:
            with self._log.open("wb") as log, (output or Path(os.devnull)).open("wb") as out:
                self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=log)
        except OSError as error:
            raise UsageError(f"no training can be started here: {error}") from None

    @property
    def runs(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    @property
    def succeeded(self) -> bool:
        """Whether it has ended well."""
        return self._process.poll() == 0

    @property
    def failed(self) -> bool:
        """Whether it has ended with an error, or was made to end."""
        return self._process.poll() not in (None, 0)

    @property
    def was_stopped(self) -> bool:
        """Whether it was asked to end, which it says with its exit status once it has saved."""
        return self._process.poll() in (128 + signal.SIGTERM, -signal.SIGTERM)

    def said(self) -> str:
        """The end of what it has said."""
        try:
            return self._log.read_text("utf-8", "replace")[-_SAID:].strip()
        except OSError:
            return ""

    def let_go(self) -> None:
        """Ask it to save and end; once, for the second signal would end it at once."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()

    def end_until(self, moment: float) -> None:
        """Wait until it has ended, and end it at a moment of the monotonic clock if it has not."""
        try:
            self._process.wait(max(0.0, moment - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()


def refuse_more(processes: Iterable[Leashed]) -> None:
    """Refuse to run one more of a sort.

    Raises:
        RefusalError: As many as may run beside each other already do.
    """
    if sum(process.runs for process in processes) >= _AT_ONCE:
        raise RefusalError("busy", f"{_AT_ONCE} of these run already; wait for one of them", 503)


def end(processes: Iterable[Leashed]) -> None:
    """Ask all to save and end, and wait for them a while."""
    every = list(processes)
    for process in every:
        process.let_go()
    moment = time.monotonic() + _PATIENCE
    for process in every:
        process.end_until(moment)
