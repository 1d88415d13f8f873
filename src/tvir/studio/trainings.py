"""Runs that are trained from the page, each in a process of its own on a leash."""

from __future__ import annotations

import os
import shlex
import signal
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from tvir.contracts.model import ModelConfig
from tvir.contracts.run import RunFolder
from tvir.studio.leashed import Leashed, refuse_more
from tvir.studio.refusal import RefusalError
from tvir.studio.shelf import run_identity
from tvir.workflows.building import find_method
from tvir.workflows.locking import holder
from tvir.workflows.requesting import short_name
from tvir.workflows.starting import Start

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
        state: Whether it still runs, and how it ended.
        said: What a failed training has said.
    """

    id: str
    path: Path
    model: str
    state: State
    said: str = ""


@dataclass(frozen=True)
class _Training:
    process: Leashed
    model: str


class Trainings:
    """Starts trainings, goes on with them, and stops them.

    Args:
        place: Folder that gets the folders of the runs.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        self._trained: dict[Path, _Training] = {}
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
            refuse_more(self.processes())
            path = self._claimed(f"{order.model}-{short_name(order.data)}")
            self._train(order.words(path), path, order.model)
        return self._look(path)

    def resume(self, path: Path) -> None:
        """Go on with a run.

        Raises:
            RefusalError: It is being trained, or others keep the machine busy.
        """
        with self._lock:
            if holder(RunFolder(path)) is not None or self._is_trained_here(path):
                raise RefusalError("already-trained", f"{path.name} is being trained already", 409)
            refuse_more(self.processes())
            self._train(["resume", str(path)], path, RunFolder(path).read().model)

    def stop(self, path: Path) -> None:
        """Ask whoever trains a run to save and end; it can be resumed.

        Raises:
            RefusalError: It is trained on another machine.
        """
        if self._is_trained_here(path):
            self._trained[path].process.let_go()
            return
        found = holder(RunFolder(path))
        if found is None or (path, found.process) in self._stopped:
            return
        if not found.is_here or found.process <= 1:
            raise RefusalError("elsewhere", f"{path.name} is trained on another machine; stop it there", 409)
        self._stopped.add((path, found.process))
        os.kill(found.process, signal.SIGTERM)

    def looks(self) -> list[Look]:
        """All trainings that were started here."""
        return [self._look(path) for path in list(self._trained)]

    def processes(self) -> list[Leashed]:
        """All that were started here."""
        return [training.process for training in list(self._trained.values())]

    def _train(self, words: Sequence[str], path: Path, model: str) -> None:
        self._trained[path] = _Training(Leashed([*words, "--quiet"], path, "trained"), model)

    def _is_trained_here(self, path: Path) -> bool:
        return path in self._trained and self._trained[path].process.runs

    def _look(self, path: Path) -> Look:
        process, model = self._trained[path].process, self._trained[path].model
        fails = process.failed and not process.was_stopped
        state: State = "running" if process.runs else "failed" if fails else "finished"
        said = process.said() if state == "failed" else ""
        return Look(id=run_identity(path), path=path, model=model, state=state, said=said)

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
