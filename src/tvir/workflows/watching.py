"""Looking after the health of a run while it trains."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tvir.contracts.data import Dataset, VectorSpec
from tvir.contracts.health import Condition, Finding
from tvir.contracts.model import GenerativeModel
from tvir.contracts.run import RunFolder, RunRecord
from tvir.health.age import Age, age_at
from tvir.health.check import Case, Check, find_checks
from tvir.health.examining import examine_log, examine_model
from tvir.health.history import History
from tvir.reports.health import check_title, finding_text
from tvir.training.observer import Observer, Progress

_LINES = 20
_GROWTH = 0.05
"""The log is looked at when it has grown by so many lines and by such a share: the time it takes stays a small one."""

_IMAGES, _VECTORS = 64, 256
"""Examples of each kind that the model is looked at with: a look takes about as long as two steps of training, and
vectors cost next to nothing."""


class HealthWatch(Observer):
    """Tells of illnesses once each, as soon as they show, and writes them into run.json; passes all else on.

    It only looks: training is bit for bit what it would be without it. Models are looked at whenever a picture of them
    is drawn, which is not counted as training time; what has to train a classifier first is left to ``tvir doctor``.

    Args:
        told: Hears everything.
        folder: Of the run.
        dataset: What it learns from.
        model: As it is trained.
    """

    def __init__(self, told: Observer, folder: RunFolder, dataset: Dataset, model: GenerativeModel) -> None:
        self._told = told
        self._folder = folder
        self._dataset = dataset
        self._config = model.config
        self._stages = model.stages()
        self._lines: list[dict[str, Any]] = []
        self._looked_at = 0
        self._known: set[str] = set()

    @property
    def picture_shares(self) -> Sequence[float]:
        return self._told.picture_shares

    def started(self, record: RunRecord) -> None:
        self._lines = [line for line in self._folder.metrics() if line.get("step", 0) <= record.spent.steps]
        self._looked_at = len(self._lines)
        self._known = {finding.partition(":")[0] for finding in record.findings}
        self._told.started(record)

    def stage_started(self, name: str, share: float) -> None:
        self._told.stage_started(name, share)

    def stepped(self, progress: Progress) -> None:
        self._told.stepped(progress)
        # After a rollback the steps come again.
        while self._lines and self._lines[-1].get("step", 0) >= progress.step:
            self._lines.pop()
        self._lines.append(
            {
                "stage": progress.stage,
                "step": progress.step,
                "fraction": progress.fraction,
                "losses": progress.losses,
                "gradient_norms": progress.gradient_norms,
            }
        )
        self._looked_at = min(self._looked_at, len(self._lines))
        if len(self._lines) - self._looked_at >= max(_LINES, _GROWTH * len(self._lines)):
            self._looked_at = len(self._lines)
            self._read(self._history(), progress.fraction)

    def pictured(self, model: GenerativeModel, fraction: float) -> None:
        self._told.pictured(model, fraction)
        history = self._history()
        self._read(history, fraction)
        if due := self._due(age_at(history, self._stages, fraction)):
            size = _VECTORS if isinstance(model.spec, VectorSpec) else _IMAGES
            self._say(examine_model(Case(model, self._dataset, history, size=size), checks=due))

    def saved(self, path: Path) -> None:
        self._told.saved(path)

    def noticed(self, text: str) -> None:
        self._told.noticed(text)

    def finished(self, record: RunRecord) -> None:
        self._told.finished(record)

    def _history(self) -> History:
        return History(self._lines, self._stages)

    def _read(self, history: History, fraction: float) -> None:
        self._say(examine_log(history, self._config, checks=self._due(age_at(history, self._stages, fraction))))

    def _due(self, age: Age) -> Sequence[Check]:
        return [check for check in find_checks() if check.is_due(age)]

    def _say(self, findings: Iterable[Finding]) -> None:
        """What is new; an illness that cannot be looked for is left to the doctor."""
        for finding in findings:
            title = check_title(finding.check)
            if finding.condition in (Condition.ILL, Condition.REMARK) and title not in self._known:
                self._known.add(title)
                text = finding_text(finding)
                self._folder.update(findings=(*self._folder.read().findings, text))
                self._told.noticed(text)
