"""The runs that a studio creates with: found, named by opaque ids, and opened when they are first needed."""

from __future__ import annotations

import hashlib
import math
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tvir.contracts.errors import TvirError
from tvir.contracts.run import RunFolder, RunRecord
from tvir.studio.exploring import Chart, chart_of
from tvir.studio.making import Maker
from tvir.studio.refusal import RefusalError, missing
from tvir.studio.workers import Worker
from tvir.training.checkpoint import newest_step, weights_hash
from tvir.workflows.run import load

_FRESH = 1.0
"""Seconds for which a list of runs is not made again."""

_MOST = 300
"""Runs that are listed."""

_OPEN = 6
"""Models that are held in memory; the one not used longest is let go."""


@dataclass(frozen=True)
class Place:
    """A folder that is searched for runs.

    Args:
        path: The folder.
        depth: How many folders deep; a comparison keeps its runs two deep.
    """

    path: Path
    depth: int = 3


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A run that can be opened.

    Args:
        id: Opaque; the same as long as the run stays where it is.
        path: Its folder.
        record: Its run.json.
        weights: Hash of its newest averaged weights.
    """

    id: str
    path: Path
    record: RunRecord
    weights: str


class Opened:
    """A run whose model is in memory.

    Args:
        listed: The run.
    """

    def __init__(self, listed: Listed) -> None:
        self.listed = listed
        self.run = load(listed.path)
        self.maker = Maker(self.run.model)
        self.worker = Worker(self.maker)
        self._charting = threading.Lock()

    @property
    def chart(self) -> Chart:
        """The map and the directions; looked for when first asked."""
        with self._charting:
            return self._chart

    @cached_property
    def _chart(self) -> Chart:
        return self.worker.do(lambda: chart_of(self.maker, lambda: self.run.dataset(allow_changed=True).train))


class Shelf:
    """Finds runs and opens them.

    Args:
        runs: Runs that were named; none means those that are found.
        places: Folders that are searched where none was named.
    """

    def __init__(self, runs: Sequence[Path], places: Sequence[Place]) -> None:
        self._named = list(runs)
        self._places = [] if runs else list(places)
        self._seen: dict[Path, tuple[int, Listed]] = {}
        self._opened: OrderedDict[str, Opened] = OrderedDict()
        self._lock = threading.RLock()
        self._list: tuple[float, list[Listed]] = (-math.inf, [])

    def add(self, path: Path) -> None:
        """Show a run that was trained here, whether or not runs were named."""
        with self._lock:
            if path not in self._named:
                self._named.append(path)
            self._list = (-math.inf, [])

    def listed(self) -> list[Listed]:
        """The runs with weights, the newest weights first."""
        with self._lock:
            made, runs = self._list
            if time.monotonic() - made < _FRESH:
                return runs
            seen = {listed.id: (changed, listed) for changed, listed in filter(None, map(self._look, self._paths()))}
            runs = [listed for _, listed in sorted(seen.values(), key=lambda pair: (-pair[0], pair[1].path.name))]
            self._list = (time.monotonic(), runs)
            return runs

    def everything(self, *more: Place) -> list[Path]:
        """Folders of all runs, those without weights too, and of those in further places; each once."""
        paths = [path for path in self._paths() if (path / "run.json").is_file()]
        paths += [path for place in more for path in _runs_below(place)]
        return list({run_identity(path): path for path in paths}.values())

    def find(self, identity: str) -> Listed:
        """A run by its id.

        Raises:
            RefusalError: There is none.
        """
        for listed in self.listed():
            if listed.id == identity:
                return listed
        raise missing("run")

    def opened(self, identity: str) -> Opened:
        """A run with its model, of the newest weights.

        Raises:
            RefusalError: There is none, or it cannot be opened.
        """
        listed = self.find(identity)
        with self._lock:
            opened = self._opened.pop(identity, None)
            if opened is not None and opened.listed.weights != listed.weights:
                opened.worker.close()
                opened = None
            if opened is None:
                opened = _open(listed)
            self._opened[identity] = opened
            if len(self._opened) > _OPEN:
                self._opened.popitem(last=False)[1].worker.close()
            return opened

    def close(self) -> None:
        """Let all models go."""
        with self._lock:
            for opened in self._opened.values():
                opened.worker.close()
            self._opened.clear()

    def _paths(self) -> Iterator[Path]:
        yield from self._named
        for place in self._places:
            yield from _runs_below(place)

    def _look(self, path: Path) -> tuple[int, Listed] | None:
        folder = RunFolder(path)
        try:
            changed = max(folder.checkpoints.stat().st_mtime_ns, folder.record_path.stat().st_mtime_ns)
            seen = self._seen.get(path)
            if seen is None or seen[0] != changed:
                step = newest_step(folder)
                if step is None:
                    return None
                seen = (changed, _listed(path, folder.read(), weights_hash(folder, step)))
                self._seen[path] = seen
            return seen
        except (OSError, TvirError):
            return None


def run_identity(path: Path) -> str:
    """The opaque id of the run in a folder."""
    return hashlib.blake2b(os.fsencode(path.resolve()), digest_size=6).hexdigest()


def _listed(path: Path, record: RunRecord, weights: str) -> Listed:
    return Listed(id=run_identity(path), path=path, record=record, weights=weights)


def _open(listed: Listed) -> Opened:
    try:
        return Opened(listed)
    except TvirError as error:
        raise RefusalError("cannot-open", str(error), 422) from None


def _runs_below(place: Place) -> Iterator[Path]:
    """Folders with a run.json, few levels down; links are not followed."""
    waiting, found = [(place.path, 0)], 0
    while waiting and found < _MOST:
        folder, depth = waiting.pop(0)
        if (folder / "run.json").is_file():
            found += 1
            yield folder
        elif depth < place.depth:
            waiting += [(below, depth + 1) for below in _folders(folder)]


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(
            entry for entry in folder.iterdir()
            if entry.is_dir() and not entry.is_symlink() and not entry.name.startswith(".")
        )  # fmt: skip
    except OSError:
        return []
