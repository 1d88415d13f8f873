"""One process at a time trains a run, and others can see which."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tvir.contracts.errors import TvirError
from tvir.contracts.run import RunFolder

_TRIES, _PAUSE = 5, 0.02
"""Whoever only looks holds the lock for an instant, and nobody may fail to train because of that."""

_LONGEST = 512
"""Bytes of a name of a process that are read."""


@dataclass(frozen=True, kw_only=True)
class Holder:
    """The process that trains a run.

    Args:
        machine: Name of the machine it runs on.
        process: Its number there.
    """

    machine: str
    process: int

    @property
    def is_here(self) -> bool:
        """Whether it runs on this machine, where it can be sent a signal."""
        return self.machine == socket.gethostname()


@contextmanager
def alone(folder: RunFolder) -> Iterator[None]:
    """Hold the run; the operating system lets go of it when the process ends, however it ends.

    Raises:
        TvirError: Another process trains this run now.
    """
    with _path(folder).open("a+") as file:
        if not any(_taken(file) or time.sleep(_PAUSE) for _ in range(_TRIES)):
            raise TvirError(f"{folder.path} is being trained by another process; wait for it, or stop it first")
        file.truncate(0)
        file.write(f"{socket.gethostname()} {os.getpid()}\n")
        file.flush()
        yield


def holder(folder: RunFolder) -> Holder | None:
    """Who trains the run now, None where nobody does."""
    try:
        with _path(folder).open("r") as file:
            if _taken(file, fcntl.LOCK_SH):
                return None
            machine, _, process = file.read(_LONGEST).strip().rpartition(" ")
    except OSError:
        return None
    return Holder(machine=machine, process=int(process) if process.isdecimal() else 0)


def _path(folder: RunFolder) -> Path:
    return folder.path / ".lock"


def _taken(file: IO[str], how: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
