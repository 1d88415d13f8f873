"""All that a studio holds while it is open."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tvir.studio.projecting import Approach
from tvir.studio.refusal import busy, missing
from tvir.studio.shelf import Place, Shelf
from tvir.studio.trainings import Trainings
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


@dataclass(frozen=True, kw_only=True)
class Atelier:
    """What requests are answered from.

    Args:
        shelf: The runs.
        works: What people have kept.
        trainings: What is being trained.
        approaches: Pictures that models are coming nearer to.
    """

    shelf: Shelf
    works: Works
    trainings: Trainings
    approaches: Approaches = field(default_factory=Approaches)

    @staticmethod
    def at(folder: Path, runs: Sequence[Path], places: Sequence[Place], trained: Path) -> Atelier:
        """The atelier that keeps its works in a folder.

        Args:
            folder: Of the studio.
            runs: Runs that were named.
            places: Where runs are looked for if none was.
            trained: Where new runs go.
        """
        return Atelier(shelf=Shelf(runs, places), works=Works(folder / "works.sqlite"), trainings=Trainings(trained))

    def close(self) -> None:
        """Let go of everything."""
        self.trainings.close()
        self.shelf.close()
        self.works.close()
