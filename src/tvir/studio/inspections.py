"""Runs that are judged, and examined by the doctor, from the page."""

from __future__ import annotations

import threading
from pathlib import Path

from tvir.studio.leashed import Leashed, refuse_more


class Inspections:
    """Has runs judged and examined, and remembers what the doctor found.

    Args:
        kept: Folder that gets what the doctor found.
    """

    def __init__(self, kept: Path) -> None:
        self._kept = kept
        self._judged: dict[Path, Leashed] = {}
        self._examined: dict[Path, tuple[Leashed, str]] = {}
        self._lock = threading.Lock()

    def judge(self, path: Path, language: str, limit: int) -> None:
        """Have a run judged; its scorecard and its report appear in its folder.

        Args:
            path: Folder of the run.
            language: Of the report.
            limit: The most real and generated examples that are compared.

        Raises:
            RefusalError: It is being judged, or others are.
        """
        words = ["evaluate", str(path), "--language", language, "--limit", str(limit), "--json", "--allow-changed-data"]
        with self._lock:
            refuse_more(self.processes())
            self._judged[path] = Leashed(words, path, "judged")

    def is_judged(self, path: Path) -> bool:
        """Whether a run is being judged now."""
        return path in self._judged and self._judged[path].runs

    def examine(self, path: Path, weights: str) -> None:
        """Have the doctor examine a run.

        Raises:
            RefusalError: It is being examined, or others are.
        """
        words = ["doctor", str(path), "--json", "--allow-changed-data"]
        with self._lock:
            refuse_more(self.processes())
            self._kept.mkdir(parents=True, exist_ok=True)
            self._examined[path] = (Leashed(words, path, "examined", self._kept / f".{weights}.tmp"), weights)

    def is_examined(self, path: Path) -> bool:
        """Whether the doctor is at a run now."""
        return path in self._examined and self._examined[path][0].runs

    def health(self, path: Path, weights: str) -> bytes | None:
        """What the doctor found of the weights, as JSON; None before it has looked at them."""
        process, examined = self._examined.get(path, (None, ""))
        if process is not None and process.succeeded:
            unsealed = self._kept / f".{examined}.tmp"
            if unsealed.exists():
                unsealed.replace(self._kept / f"{examined}.json")
        try:
            return (self._kept / f"{weights}.json").read_bytes()
        except OSError:
            return None

    def trouble(self, path: Path) -> str:
        """What judging or examining a run has said when it failed last; empty where it did not."""
        last = [self._judged.get(path), self._examined.get(path, (None, ""))[0]]
        return "\n".join(process.said() for process in last if process and process.failed)

    def processes(self) -> list[Leashed]:
        """All that were started here."""
        return [*self._judged.values(), *(process for process, _ in self._examined.values())]
