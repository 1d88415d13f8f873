"""Examining the health of a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from tvir.contracts.data import Array, Dataset
from tvir.contracts.errors import UsageError
from tvir.contracts.health import Finding
from tvir.evaluation.features.classifier import Classifier
from tvir.health.age import age_at
from tvir.health.check import Case, Classify
from tvir.health.examining import examine_log, examine_model
from tvir.health.history import History
from tvir.workflows.evaluate import subject_of
from tvir.workflows.requesting import Reading
from tvir.workflows.run import Run, load


@dataclass(frozen=True, kw_only=True)
class Health:
    """What the doctor says of a run.

    Args:
        subject: What the run is called.
        fraction: Share of its budget that was spent when it was examined, 0 to 1.
        findings: One for each check that applies, the healthy ones too.
    """

    subject: str
    fraction: float
    findings: tuple[Finding, ...]

    @property
    def is_well(self) -> bool:
        """Whether no check that applies found anything to mend."""
        return all(finding.is_well for finding in self.findings)

    def to_json(self) -> bytes:
        """As indented JSON."""
        return _HEALTH.dump_json(self, indent=2) + b"\n"


_HEALTH = TypeAdapter(Health)


def read_health(content: bytes) -> Health | None:
    """What ``Health.to_json`` wrote; None where it cannot be read, as after a change of version."""
    try:
        return _HEALTH.validate_json(content)
    except ValidationError:
        return None


def doctor(
    run: Run | Path | str, *, size: int = 1000, allow_changed_data: bool = False, progress: Reading | None = None
) -> Health:
    """Examine a finished or a running run; nothing is written into it.

    Args:
        run: A run or its folder.
        size: Examples of each kind (training, held-out, made) that are looked at, at least 2.
        allow_changed_data: Go on although the data is no longer what the run began with.
        progress: Told while data is read and while the classifier that names modes is trained.

    Raises:
        UsageError: The run has no weights yet, or its data is gone or has changed.

    Example:
        >>> import tvir
        >>> tvir.doctor("runs/gan-ring8-seed0").is_well  # doctest: +SKIP
        True
    """
    run = run if isinstance(run, Run) else load(run)
    if size < 2:
        raise UsageError(f"{size} examples say nothing about a run; look at 2 or more")
    if run.record.status == "planned":
        raise UsageError(f"{run.path} has not been trained yet; begin it with: tvir resume {run.path}")
    dataset = run.dataset(allow_changed=allow_changed_data, progress=progress)
    model = run.model
    stages = model.stages()
    history = History(run.folder.metrics(), stages)
    fraction = 1.0 if run.record.status == "finished" else history.fraction
    age = age_at(history, stages, fraction)
    case = Case(model, dataset, history, size=size, classify=_classifier(dataset, progress))
    findings = (*examine_log(history, model.config, age=age), *examine_model(case, age=age))
    ordered = tuple(sorted(findings, key=lambda finding: finding.check))
    return Health(subject=subject_of(run), fraction=fraction, findings=ordered)


def _classifier(dataset: Dataset, progress: Reading | None) -> Classify | None:
    """Names classes as the scorecard does; not needed where the truth is known."""
    if dataset.modes is not None:
        return None
    found = Classifier.prepare(dataset, seed=0, report=progress or (lambda description, done, total: None))
    if found is None:
        return None

    def classify(rows: Array) -> Array:
        return found.classify(found.features(rows))

    return classify
