"""Looking at a run while it is trained, by whomever: everything comes from its folder."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tvir.contracts.data import Array
from tvir.contracts.errors import TvirError
from tvir.contracts.health import Finding
from tvir.contracts.metric import Scorecard
from tvir.contracts.model import Stage
from tvir.contracts.run import RunFolder, RunRecord
from tvir.evaluation.scorecard import from_json
from tvir.health.age import age_at
from tvir.health.examining import examine_log
from tvir.health.history import History
from tvir.models.catalogue import find_model
from tvir.studio.refusal import missing
from tvir.workflows.building import build_model, read_config
from tvir.workflows.locking import holder

_POINTS = 200
"""Points of a curve that are drawn; neighbours are averaged where there are more."""

_LARGEST_PICTURE = 16 * 2**20
"""Bytes of a frame of the film strip."""

_LONGEST_TEXTS = 64 * 1024
"""Bytes of a frame of texts that are read."""

_TAIL = 16_384
"""Bytes of the end of a log in which its last line lies."""

State = Literal["planned", "running", "interrupted", "finished", "failed"]


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A run as it is now.

    Args:
        path: Its folder.
        record: Its run.json.
        state: What it is doing: ``running`` only where a process trains it at this moment.
        share: Of its budget that is spent, 0 to 1.
        seconds_left: Of training, as far as can be known; None while nothing was logged.
        stage: In which it is.
        step: That was logged last.
        losses: That were logged last.
    """

    path: Path
    record: RunRecord
    state: State
    share: float
    seconds_left: float | None
    stage: str | None
    step: int
    losses: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One term of the losses over the steps: the mean of each of some stretches of the log."""

    name: str
    steps: list[float]
    values: list[float]


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A stage of the training: from which step to which."""

    name: str
    first: int
    last: int


@dataclass(frozen=True, kw_only=True)
class Log:
    """What metrics.jsonl says, for a drawing."""

    curves: list[Curve] = field(default_factory=list)
    phases: list[Phase] = field(default_factory=list)


def watch(path: Path) -> Watched:
    """A run as it is now.

    Raises:
        TvirError: It is no run.
    """
    folder = RunFolder(path)
    record, line = folder.read(), last_line(folder)
    runs = holder(folder) is not None
    broken_off = record.status == "running" and not runs
    state: State = "running" if runs else "interrupted" if broken_off else record.status
    share = 1.0 if state == "finished" else min(1.0, float(line.get("fraction", 0.0)))
    seconds = float(line.get("seconds", 0.0))
    return Watched(
        path=path,
        record=record,
        state=state,
        share=share,
        seconds_left=seconds * (1 - share) / share if share > 0 and seconds > 0 else None,
        stage=line.get("stage"),
        step=int(line.get("step", record.spent.steps)),
        losses=_finite(line.get("losses", {})),
    )


def last_line(folder: RunFolder) -> dict[str, Any]:
    """The newest report of a training, from the end of its log."""
    try:
        with folder.metrics_path.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
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


class Watcher:
    """Reads logs and films; remembers what did not change. For several threads."""

    def __init__(self) -> None:
        self._lines: dict[Path, tuple[tuple[int, int], list[dict[str, Any]]]] = {}
        self._stages: dict[Path, tuple[str, Sequence[Stage]]] = {}

    def log(self, path: Path) -> Log:
        """The curves and phases of a run."""
        lines = [line for line in self._read(path) if isinstance(line.get("losses"), dict) and "stage" in line]
        names = dict.fromkeys(name for line in lines for name in line["losses"])
        phases: list[Phase] = []
        for line in lines:
            name, step = str(line["stage"]), int(line.get("step", 0))
            if phases and phases[-1].name == name:
                phases[-1] = Phase(name=name, first=phases[-1].first, last=step)
            else:
                phases.append(Phase(name=name, first=step, last=step))
        return Log(curves=[curve for name in names if (curve := _curve(name, lines)) is not None], phases=phases)

    def findings(self, path: Path, share: float) -> list[Finding]:
        """What the doctor reads in the log alone, which takes no look at the model and can be done at any moment."""
        record = RunFolder(path).read()
        try:
            stages = self._stages_of(path, record)
            history = History(self._read(path), stages)
            config = read_config(find_model(record.model), record.config)
            found = examine_log(history, config, age=age_at(history, stages, share))
            return sorted(found, key=lambda finding: finding.check)
        except (TvirError, ValueError, KeyError, TypeError):
            return []

    def _read(self, path: Path) -> list[dict[str, Any]]:
        folder = RunFolder(path)
        try:
            found = folder.metrics_path.stat()
        except OSError:
            return []
        stamp = (found.st_mtime_ns, found.st_size)
        if path not in self._lines or self._lines[path][0] != stamp:
            if len(self._lines) > 32:
                self._lines.clear()
            self._lines[path] = (stamp, [line for line in folder.metrics() if isinstance(line, dict)])
        return self._lines[path][1]

    def _stages_of(self, path: Path, record: RunRecord) -> Sequence[Stage]:
        settings = json.dumps([record.model, record.config], sort_keys=True)
        if path not in self._stages or self._stages[path][0] != settings:
            if len(self._stages) > 8:
                self._stages.clear()
            self._stages[path] = (settings, build_model(record).stages())
        return self._stages[path][1]


def film(path: Path) -> list[int]:
    """Steps at which the fixed latents were drawn, in order."""
    try:
        names = [entry.name for entry in os.scandir(RunFolder(path).samples)]
    except OSError:
        return []
    return sorted({int(found[1]) for name in names if (found := re.fullmatch(r"(\d{8,12})\.(png|txt)", name))})


def frame_of_film(path: Path, step: int) -> bytes | list[str]:
    """What the fixed latents were at a step: a PNG, or texts.

    Raises:
        RefusalError: There is no such step.
    """
    samples = RunFolder(path).samples
    picture = _regular(samples / f"{step:08d}.png", _LARGEST_PICTURE)
    if picture is not None:
        return picture
    texts = _regular(samples / f"{step:08d}.txt", _LONGEST_TEXTS)
    if texts is None:
        raise missing("picture")
    said = texts.decode("utf-8", "replace")
    return said.split("\n---\n") if "\n---\n" in said else said.splitlines()


def scorecard(path: Path) -> Scorecard | None:
    """The scorecard of a run, None where it was not judged or cannot be read."""
    content = _regular(RunFolder(path).scorecard_path, _LARGEST_PICTURE)
    try:
        return None if content is None else from_json(content)
    except TvirError:
        return None


def report(path: Path) -> bytes:
    """The report of a run as HTML.

    Raises:
        RefusalError: There is none.
    """
    content = _regular(RunFolder(path).report_path, 4 * _LARGEST_PICTURE)
    if content is None:
        raise missing("report")
    return content


def _regular(path: Path, largest: int) -> bytes | None:
    """The bytes of a plain file that is no link: what lies in a run may come from a stranger."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(file.fileno())
        return file.read(largest) if stat.S_ISREG(found.st_mode) and found.st_size <= largest else None


def _curve(name: str, lines: Sequence[dict[str, Any]]) -> Curve | None:
    points = [
        (float(line.get("step", 0)), float(line["losses"][name]))
        for line in lines
        if isinstance(line["losses"].get(name), int | float)
    ]
    found = np.array([point for point in points if np.isfinite(point).all()], dtype=np.float64)
    if not len(found):
        return None
    stretches: list[Array] = np.array_split(found, min(len(found), _POINTS))
    means = np.array([stretch.mean(axis=0) for stretch in stretches])
    return Curve(name=name, steps=means[:, 0].tolist(), values=means[:, 1].tolist())


def _finite(losses: Any) -> dict[str, float]:
    if not isinstance(losses, dict):
        return {}
    return {
        str(name): float(value)
        for name, value in losses.items()
        if isinstance(value, int | float) and np.isfinite(value)
    }
