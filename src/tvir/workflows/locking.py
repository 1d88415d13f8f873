"""One process at a time trains a run."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from tvir.contracts.errors import TvirError
from tvir.contracts.run import RunFolder


@contextmanager
def alone(folder: RunFolder) -> Iterator[None]:
    """Hold the run; the operating system lets go of it when the process ends, however it ends.

    Raises:
        TvirError: Another process trains this run now.
    """
    with (folder.path / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise TvirError(
                f"{folder.path} is being trained by another process; wait for it, or stop it first"
            ) from None
        yield
