"""All that a studio holds while it is open."""

from __future__ import annotations

import secrets
import threading
from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tvir.studio.images import Images
from tvir.studio.inspections import Inspections
from tvir.studio.leashed import end
from tvir.studio.projecting import Approach
from tvir.studio.refusal import busy, missing
from tvir.studio.shelf import Place, Shelf, run_identity
from tvir.studio.sources import Sources
from tvir.studio.trainings import Trainings
from tvir.studio.watching import Watcher
from tvir.studio.workers import Walk
from tvir.studio.works import Works

_APPROACHES = 64
"""Approaches that are remembered; finished ones are forgotten first."""


class Approaches:
    """Walks towards pictures, by opaque ids."""

    def __init__(self) -> None:
        self._walks: OrderedDict[str, Walk[Approach]] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, walk: Walk[Approach]) -> str:
        """Remember a walk.

        Raises:
            RefusalError: Too many are under way.
        """
        identity = secrets.token_hex(8)
        with self._lock:
            for old in [name for name, other in self._walks.items() if other.finished.is_set()]:
                if len(self._walks) >= _APPROACHES:
                    del self._walks[old]
            if len(self._walks) >= _APPROACHES:
                walk.stop()
                raise busy()
            self._walks[identity] = walk
        return identity

    def find(self, identity: str) -> Walk[Approach]:
        """A walk by its id.

        Raises:
            RefusalError: There is none.
        """
        try:
            return self._walks[identity]
        except KeyError:
            raise missing("approach") from None


class Lines:
    """Counts open connections, so that nobody takes them all.

    Args:
        of_one: That one person may hold.
        of_all: That all may hold together.
    """

    def __init__(self, of_one: int = 16, of_all: int = 400) -> None:
        self._of_one = of_one
        self._of_all = of_all
        self._open: Counter[str] = Counter()

    @contextmanager
    def held(self, person: str) -> Iterator[None]:
        """Hold a connection inside the block.

        Raises:
            RefusalError: Too many are open.
        """
        if self._open[person] >= self._of_one or self._open.total() >= self._of_all:
            raise busy()
        self._open[person] += 1
        try:
            yield
        finally:
            self._open[person] -= 1
            if not self._open[person]:
                del self._open[person]


@dataclass(frozen=True, kw_only=True)
class Atelier:
    """What requests are answered from.

    Args:
        shelf: The runs.
        works: What people have kept.
        trainings: What is being trained.
        inspections: What is being judged and examined.
        images: Sets of pictures to learn from.
        sources: All that may be learned from.
        watcher: Reads the logs of runs.
        approaches: Pictures that models are coming nearer to.
        lines: The connections of those who drag.
    """

    shelf: Shelf
    works: Works
    trainings: Trainings
    inspections: Inspections
    images: Images
    sources: Sources
    watcher: Watcher = field(default_factory=Watcher)
    approaches: Approaches = field(default_factory=Approaches)
    lines: Lines = field(default_factory=Lines)

    @staticmethod
    def at(
        folder: Path, runs: Sequence[Path], places: Sequence[Place], trained: Path, data: Path | None = None
    ) -> Atelier:
        """The atelier that keeps its works in a folder.

        Args:
            folder: Of the studio.
            runs: Runs that were named.
            places: Where runs are looked for if none was.
            trained: Where new runs go.
            data: A folder whose files and folders may be learned from.
        """
        works = Works(folder / "works.sqlite")
        images = Images(folder, works)
        return Atelier(
            shelf=Shelf(runs, places),
            works=works,
            trainings=Trainings(trained),
            inspections=Inspections(folder / "health"),
            images=images,
            sources=Sources(images, data),
        )

    def watched(self, identity: str) -> Path:
        """The folder of a run, whether or not it has weights yet.

        Raises:
            RefusalError: There is none.
        """
        for path in self.every_run():
            if run_identity(path) == identity:
                return path
        raise missing("run")

    def every_run(self) -> list[Path]:
        """Folders of all runs that can be watched: those on the shelf, and those that are trained here."""
        return self.shelf.everything(Place(self.trainings.place))

    def close(self) -> None:
        """Let go of everything."""
        end([*self.trainings.processes(), *self.inspections.processes()])
        self.shelf.close()
        self.works.close()
