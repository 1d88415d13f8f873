"""Runs as they are watched: what both learning and judging tell of them."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Depends
from pydantic import BaseModel

from tvir.contracts.errors import TvirError
from tvir.contracts.run import RunFolder
from tvir.studio import watching
from tvir.studio.api.given import GivenAtelier, Identity
from tvir.studio.atelier import Atelier
from tvir.studio.refusal import RefusalError
from tvir.studio.shelf import run_identity
from tvir.studio.trainings import State
from tvir.studio.watching import Watched
from tvir.training.checkpoint import newest_step, weights_hash

RunState = Literal["preparing", "planned", "running", "interrupted", "finished", "failed"]

BEFORE: dict[State, Literal["preparing", "failed"]] = {
    "running": "preparing", "finished": "failed", "failed": "failed",
}  # fmt: skip
"""What trainings are called that have not taken a step yet."""


class RunView(BaseModel):
    """A run as it is now."""

    id: str
    name: str
    model: str
    data: str
    kind: str
    state: RunState
    share: float
    seconds_left: float | None
    stage: str | None
    step: int
    budget: str
    losses: dict[str, float]
    said: str
    """Why it failed, or what noticed."""
    start_from: str | None
    """Name of the run whose weights it began from."""
    weights: bool
    """Whether there are any that can be created with."""


def watched(run: Identity, given: GivenAtelier) -> Watched:
    """The run that is named in the path."""
    return watching.watch(given.watched(run))


GivenWatched = Annotated[Watched, Depends(watched)]


def run_view(given: Atelier, found: Watched) -> RunView:
    """A run as it is sent."""
    record = found.record
    state, said = _begun(given, found)
    return RunView(
        id=run_identity(found.path),
        name=found.path.name,
        model=record.model,
        data=_called(given, record.data.reference),
        kind=record.data.spec.kind,
        state=state,
        share=found.share,
        seconds_left=found.seconds_left if found.state == "running" else None,
        stage=found.stage,
        step=found.step,
        budget=record.budget,
        losses=found.losses,
        said=said,
        start_from=None if record.start is None else record.start.run.rstrip("/").rpartition("/")[2],
        weights=_has_weights(found),
    )


def _begun(given: Atelier, found: Watched) -> tuple[RunState, str]:
    """The state of a run and why it failed; before its first step only its process knows."""
    if found.state == "planned":
        for look in given.trainings.looks():
            if look.path == found.path and look.state != "finished":
                return BEFORE[look.state], look.said
    return found.state, found.record.failure or ""


def _has_weights(found: Watched) -> bool:
    """Whether there is a checkpoint; it is not verified here, which would read it whole."""
    checkpoints = RunFolder(found.path).checkpoints
    try:
        return any(entry.name.isdecimal() for entry in checkpoints.iterdir())
    except OSError:
        return False


def weights_of(found: Watched) -> str | None:
    """Hash of the newest weights; None where there are none."""
    folder = RunFolder(found.path)
    try:
        step = newest_step(folder)
        return None if step is None else weights_hash(folder, step)
    except TvirError:
        return None


def need_weights(found: Watched) -> str:
    """Hash of the newest weights.

    Raises:
        RefusalError: There are none yet.
    """
    weights = weights_of(found)
    if weights is None:
        raise RefusalError("no-weights", f"{found.path.name} has no weights yet", 409)
    return weights


def _called(given: Atelier, reference: str) -> str:
    """What people call data: never a path."""
    last = reference.rstrip("/").rpartition("/")[2] or reference
    return given.images.called(last) or last
