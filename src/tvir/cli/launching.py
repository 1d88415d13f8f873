"""Starting several processes on this machine that train one run together, as ``torchrun`` does.

Several machines need ``torchrun`` itself. For one, this starts sooner, ends with the status of the run instead of a
page about processes, and leaves one line where something was wrong.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence

from tvir.contracts.errors import UsageError

_LOOK_EVERY = 0.1
_PATIENCE = 10.0
"""Seconds that the others may take to notice that one has failed."""


def together(count: int, words: Sequence[str]) -> int:
    """Run ``tvir WORDS`` in ``count`` processes that know each other.

    Returns:
        Exit status: 0, or that of the main process, or of whichever failed first.

    Raises:
        UsageError: There are fewer cores than processes.
    """
    cores = os.cpu_count() or 1
    if count > cores:
        raise UsageError(f"{count} processes cannot train together on {cores} cores; choose at most {cores}")
    shared = {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(_free_port()),
        "WORLD_SIZE": str(count),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS") or str(max(1, cores // count)),
    }
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tvir", *words],
            env={**os.environ, **shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
        )
        for rank in range(count)
    ]
    # Ctrl-C on the terminal reaches the processes themselves; SIGTERM reaches only us.
    before = signal.signal(signal.SIGINT, lambda number, frame: None)
    before_term = signal.signal(signal.SIGTERM, lambda number, frame: _tell(processes, number))
    try:
        return _wait(processes)
    finally:
        signal.signal(signal.SIGINT, before)
        signal.signal(signal.SIGTERM, before_term)


def _wait(processes: Sequence[subprocess.Popen[bytes]]) -> int:
    failed: list[int] = []
    deadline = float("inf")
    while any(process.poll() is None for process in processes):
        if not failed and (failed := [process.returncode for process in processes if process.returncode]):
            deadline = time.monotonic() + _PATIENCE
        if time.monotonic() > deadline:
            _tell(processes, signal.SIGKILL)
        time.sleep(_LOOK_EVERY)
    status = processes[0].returncode or next((process.returncode for process in processes if process.returncode), 0)
    return status if status >= 0 else 128 - status


def _tell(processes: Sequence[subprocess.Popen[bytes]], number: int) -> None:
    for process in processes:
        if process.poll() is None:
            process.send_signal(number)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
