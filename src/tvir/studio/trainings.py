"""Runs that are trained from the page, each in a process of its own."""

from __future__ import annotations

import itertools
import json
import re
import secrets
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tvir.contracts.run import RunFolder
from tvir.studio.refusal import RefusalError, missing

_AT_ONCE = 2
"""Trainings that run beside each other."""

_SAID = 2_000
"""Characters of the end of what a failed training has said."""

State = Literal["running", "finished", "failed"]


@dataclass(frozen=True, kw_only=True)
class Look:
    """How far a training has come.

    Args:
        id: Of the training.
        path: Folder of the run.
        state: Whether it still runs, and how it ended.
        share: Of its budget, 0 to 1.
        losses: The last that were logged.
        said: What a failed training has said.
    """

    id: str
    path: Path
    state: State
    share: float
    losses: dict[str, float] = field(default_factory=dict)
    said: str = ""


class Trainings:
    """Starts trainings, looks at them and ends them.

    Args:
        place: Folder that gets the folders of the runs.
    """

    def __init__(self, place: Path) -> None:
        self._place = place
        self._started: dict[str, tuple[Path, subprocess.Popen[bytes]]] = {}
        self._lock = threading.Lock()

    def start(self, model: str, data: str, budget: str) -> Look:
        """Begin a training in a new folder.

        Raises:
            RefusalError: As many as may run beside each other already do.
        """
        with self._lock:
            if sum(process.poll() is None for _, process in self._started.values()) >= _AT_ONCE:
                raise RefusalError("busy", f"{_AT_ONCE} trainings run already; wait for one of them", 503)
            identity = secrets.token_hex(6)
            path = self._free(f"{model}-{_short(data)}")
            path.mkdir(parents=True)
            command = [sys.executable, "-m", "tvir", "train", model, "--data", data, "--budget", budget]
            with (path.parent / f".{path.name}.log").open("wb") as log:
                process = subprocess.Popen(
                    [*command, "--out", str(path), "--quiet"], stdin=subprocess.DEVNULL, stdout=log, stderr=log
                )
            self._started[identity] = (path, process)
        return self.look(identity)

    def look(self, identity: str) -> Look:
        """How far a training has come.

        Raises:
            RefusalError: There is none.
        """
        if identity not in self._started:
            raise missing("training")
        path, process = self._started[identity]
        ended = process.poll()
        state: State = "running" if ended is None else "finished" if ended == 0 else "failed"
        line = _last_line(RunFolder(path).metrics_path)
        share = 1.0 if state == "finished" else float(line.get("fraction", 0.0))
        said = _tail(path.parent / f".{path.name}.log") if state == "failed" else ""
        return Look(id=identity, path=path, state=state, share=share, losses=line.get("losses", {}), said=said)

    def looks(self) -> list[Look]:
        """All trainings that were started here."""
        return [self.look(identity) for identity in list(self._started)]

    def stop(self, identity: str) -> Look:
        """Ask a training to save and end; its run can be resumed."""
        look = self.look(identity)
        if look.state == "running":
            self._started[identity][1].terminate()
        return look

    def close(self) -> None:
        """Ask all to save and end."""
        for _, process in self._started.values():
            if process.poll() is None:
                process.terminate()

    def _free(self, name: str) -> Path:
        numbered = (self._place / f"{name}-{number}" for number in itertools.count(1))
        return next(path for path in numbered if not path.exists())


def _short(data: str) -> str:
    return re.sub(r"[^\w-]+", "-", Path(data).name).strip("-") or "data"


def _last_line(path: Path) -> dict[str, Any]:
    """The newest report of a training, from the end of its log."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 16_384))
            lines = file.read().decode("utf-8", "replace").split("\n")
    except OSError:
        return {}
    for line in reversed(lines):
        try:
            found = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(found, dict):
            return found
    return {}


def _tail(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")[-_SAID:].strip()
    except OSError:
        return ""
