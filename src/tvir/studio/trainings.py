"""Runs that are trained, judged and examined from the page, each in a process of its own on a leash."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from tvir.contracts.errors import UsageError
from tvir.contracts.model import ModelConfig
from tvir.contracts.run import RunFolder
from tvir.studio.refusal import RefusalError
from tvir.studio.shelf import run_identity
from tvir.workflows.building import find_method
from tvir.workflows.locking import holder
from tvir.workflows.planning import short_name
from tvir.workflows.starting import Start

_AT_ONCE = 2
"""Trainings that run beside each other, and as many that are judged or examined."""

_SAID = 2_000
"""Characters of the end of what a failed training has said."""

_PATIENCE = 20.0
"""Seconds that trainings get to save when the studio is closed."""

_JUDGED, _EXAMINED = "judged", "examined"

State = Literal["running", "finished", "failed"]


@dataclass(frozen=True, kw_only=True)
class Order:
    """A training that somebody wants.

    Args:
        model: Name of a model or a recipe.
        data: Reference to the data; whoever fills this in has checked that it may be read.
        budget: As ``Budget.parse`` reads it.
        seed: Of weights, order and noise.
        settings: Of the model, as text; those left out suit the data.
        options: How the data is read and the like: further flags of ``tvir train`` without their dashes.
        start_from: A run whose weights it begins from.
    """

    model: str
    data: str
    budget: str
    seed: int = 0
    settings: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    start_from: Path | None = None

    def check(self) -> None:
        """What can be known without reading data, found by what the command would find it with.

        Raises:
            UsageError: The model, a setting or the run to start from is not usable.
        """
        if self.start_from is not None:
            Start.of(self.start_from).refuse_other_model(find_method(self.model).model)
        find_method(self.model, self._inherited())

    def words(self, out: Path) -> list[str]:
        """The arguments of ``tvir`` that fulfil it.

        Raises:
            UsageError: As ``check``.
        """
        words = ["train", self.model, "--data", self.data, "--budget", self.budget, "--seed", str(self.seed)]
        words += ["--out", str(out)]
        for name, value in self.options.items():
            words += [f"--{name}", value]
        if self.start_from is not None:
            words += ["--start-from", str(self.start_from)]
        return words + _flags(find_method(self.model, self._inherited()).config, self.settings)

    def _inherited(self) -> dict[str, Any]:
        before = {} if self.start_from is None else Start.of(self.start_from).record.config
        return {**before, **self.settings}


@dataclass(frozen=True, kw_only=True)
class Look:
    """How far a training that was started here has come.

    Args:
        id: That of its run.
        path: Folder of the run.
        model: Name of its model.
        data: Reference to its data.
        state: Whether it still runs, and how it ended.
        said: What a failed training has said.
    """

    id: str
    path: Path
    model: str
    data: str
    state: State
    said: str = ""


@dataclass
class _Process:
    process: subprocess.Popen[bytes]
    model: str = ""
    data: str = ""

    @property
    def runs(self) -> bool:
        return self.process.poll() is None

    def let_go(self) -> None:
        """Ask it to save and end; once, for the second signal would end it at once."""
        if self.process.stdin is not None and not self.process.stdin.closed:
            self.process.stdin.close()


class Trainings:
    """Starts trainings, goes on with them, has them judged and examined, and ends them.

    Args:
        place: Folder that gets the folders of the runs.
        kept: Folder that gets what the doctor found.
    """

    def __init__(self, place: Path, kept: Path | None = None) -> None:
        self.place = place
        self._kept = kept or place / ".health"
        self._trained: dict[Path, _Process] = {}
        self._judged: dict[Path, _Process] = {}
        self._examined: dict[Path, tuple[_Process, str]] = {}
        self._stopped: set[tuple[Path, int]] = set()
        self._lock = threading.Lock()

    def begin(self, order: Order) -> Look:
        """Begin a training in a new folder.

        Raises:
            RefusalError: As many as may run beside each other already do.
            UsageError: Something that was asked for is not usable.
        """
        order.check()
        with self._lock:
            self._refuse_more(self._trained.values())
            path = self._claimed(f"{order.model}-{short_name(order.data)}")
            words = order.words(path)
            process = _started([*words, "--quiet"], path)
            self._trained[path] = _Process(process, order.model, order.data)
        return self._look(path)

    def resume(self, path: Path) -> None:
        """Go on with a run.

        Raises:
            RefusalError: It is being trained, or others keep the machine busy.
        """
        with self._lock:
            if holder(RunFolder(path)) is not None or (path in self._trained and self._trained[path].runs):
                raise RefusalError("already-trained", f"{path.name} is being trained already", 409)
            self._refuse_more(self._trained.values())
            record = RunFolder(path).read()
            process = _started(["resume", str(path), "--quiet"], path)
            self._trained[path] = _Process(process, record.model, record.data.reference)

    def stop(self, path: Path) -> None:
        """Ask whoever trains a run to save and end; it can be resumed.

        Raises:
            RefusalError: It is trained on another machine.
        """
        if path in self._trained and self._trained[path].runs:
            self._trained[path].let_go()
            return
        found = holder(RunFolder(path))
        if found is None or (path, found.process) in self._stopped:
            return
        if not found.is_here or found.process <= 1:
            raise RefusalError("elsewhere", f"{path.name} is trained on another machine; stop it there", 409)
        self._stopped.add((path, found.process))
        os.kill(found.process, signal.SIGTERM)

    def judge(self, path: Path, language: str, limit: int) -> None:
        """Have a run judged; its scorecard and its report appear in its folder.

        Args:
            path: Folder of the run.
            language: Of the report.
            limit: The most real and generated examples that are compared.

        Raises:
            RefusalError: It is being judged, or others are.
        """
        with self._lock:
            self._refuse_more([*self._judged.values(), *(process for process, _ in self._examined.values())])
            words = [
                "evaluate",
                str(path),
                "--language",
                language,
                "--limit",
                str(limit),
                "--json",
                "--allow-changed-data",
            ]
            self._judged[path] = _Process(_started(words, path, _JUDGED))

    def is_judged(self, path: Path) -> bool:
        """Whether a run is being judged now."""
        return path in self._judged and self._judged[path].runs

    def examine(self, path: Path, weights: str) -> None:
        """Have the doctor examine a run.

        Raises:
            RefusalError: It is being examined, or others are.
        """
        with self._lock:
            self._refuse_more([*self._judged.values(), *(process for process, _ in self._examined.values())])
            self._kept.mkdir(parents=True, exist_ok=True)
            words = ["doctor", str(path), "--json", "--allow-changed-data"]
            process = _started(words, path, _EXAMINED, self._kept / f".{weights}.tmp")
            self._examined[path] = (_Process(process), weights)

    def is_examined(self, path: Path) -> bool:
        """Whether the doctor is at a run now."""
        return path in self._examined and self._examined[path][0].runs

    def health(self, path: Path, weights: str) -> bytes | None:
        """What the doctor found of the weights, as JSON; None before it has looked at them."""
        process, examined = self._examined.get(path, (None, ""))
        if process is not None and process.process.poll() == 0:
            unsealed = self._kept / f".{examined}.tmp"
            if unsealed.exists():
                unsealed.replace(self._kept / f"{examined}.json")
        try:
            return (self._kept / f"{weights}.json").read_bytes()
        except OSError:
            return None

    def trouble(self, path: Path) -> str:
        """What judging or examining a run has said when it failed last; empty where it did not."""
        last = {_JUDGED: self._judged.get(path), _EXAMINED: self._examined.get(path, (None, ""))[0]}
        failed = [task for task, process in last.items() if process and process.process.poll() not in (None, 0)]
        return "\n".join(_tail(_log(path, task)) for task in failed)

    def looks(self) -> list[Look]:
        """All trainings that were started here."""
        return [self._look(path) for path in list(self._trained)]

    def close(self) -> None:
        """Ask all to save and end, and wait for them a while."""
        every = [*self._trained.values(), *self._judged.values(), *(process for process, _ in self._examined.values())]
        for process in every:
            process.let_go()
        end = time.monotonic() + _PATIENCE
        for process in every:
            try:
                process.process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.process.kill()

    def _look(self, path: Path) -> Look:
        started = self._trained[path]
        ended = started.process.poll()
        # A training that was asked to stop has saved and says so with its exit status.
        stopped = ended in (128 + signal.SIGTERM, -signal.SIGTERM)
        state: State = "running" if ended is None else "finished" if ended == 0 or stopped else "failed"
        said = _tail(_log(path)) if state == "failed" else ""
        return Look(
            id=run_identity(path), path=path, model=started.model, data=started.data, state=state, said=said
        )  # fmt: skip

    def _refuse_more(self, processes: Sequence[_Process] | Any) -> None:
        if sum(process.runs for process in processes) >= _AT_ONCE:
            raise RefusalError("busy", f"{_AT_ONCE} of these run already; wait for one of them", 503)

    def _claimed(self, name: str) -> Path:
        number = 1
        while True:
            path = self.place / f"{name}-{number}"
            try:
                path.mkdir(parents=True)  # making the folder is what claims the name
            except FileExistsError:
                number += 1
                continue
            return path


def shown(words: Sequence[str]) -> str:
    """A command as a person would type it."""
    return shlex.join(["tvir", *words])


def _flags(config: ModelConfig, named: Mapping[str, str]) -> list[str]:
    """Settings as words of the command line, from their checked values."""
    words: list[str] = []
    values = {setting.name: getattr(config, setting.name) for setting in fields(config)}
    defaults = {setting.name: getattr(type(config)(), setting.name) for setting in fields(config)}
    for name in named:
        flag, value = name.replace("_", "-"), values[name]
        if isinstance(value, bool):
            if value != defaults[name]:
                words.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            words += [f"--{flag}", str(value)]
    return words


def _started(
    words: Sequence[str], path: Path, task: str = "trained", output: Path | None = None
) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tvir.cli.leash", *words]
    try:
        with _log(path, task).open("wb") as log, (output or Path(os.devnull)).open("wb") as out:
            return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=log)
    except OSError as error:
        raise UsageError(f"no training can be started here: {error}") from None


def _log(path: Path, task: str = "trained") -> Path:
    return path.parent / f".{path.name}.{task}.log"


def _tail(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")[-_SAID:].strip()
    except OSError:
        return ""
