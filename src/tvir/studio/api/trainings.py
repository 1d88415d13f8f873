"""Trainings that are started from the page."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from tvir.contracts.run import RunFolder
from tvir.studio.api.given import Form, GivenAtelier, Identity
from tvir.studio.atelier import Atelier
from tvir.studio.trainings import Look
from tvir.studio.watching import last_line

router = APIRouter(prefix="/api", tags=["trainings"])


class TrainForm(Form):
    """A training on the built-in digits."""

    model: Literal["vae", "gan", "unbalanced-gan"] = "vae"
    seconds: Annotated[int, Field(ge=1, le=120)] = 30


class TrainingView(BaseModel):
    """How far a training has come."""

    id: str
    state: Literal["running", "finished", "failed"]
    share: float
    losses: dict[str, float]
    """The last that were logged."""
    said: str
    run: str | None
    """Id of the run, once it can be opened."""


@router.post("/trainings", status_code=201)
def start(form: TrainForm, given: GivenAtelier) -> TrainingView:
    """Begin a training on the digits."""
    return _view(given, given.trainings.start(form.model, "digits", f"{form.seconds}s"))


@router.get("/trainings")
def looks(given: GivenAtelier) -> list[TrainingView]:
    """All trainings that were started here."""
    return [_view(given, look) for look in given.trainings.looks()]


@router.get("/trainings/{training}")
def look(training: Identity, given: GivenAtelier) -> TrainingView:
    """How far one has come."""
    return _view(given, given.trainings.look(training))


@router.delete("/trainings/{training}", status_code=202)
def stop(training: Identity, given: GivenAtelier) -> TrainingView:
    """Ask one to save and end."""
    given.trainings.stop(given.trainings.look(training).path)
    return _view(given, given.trainings.look(training))


def _view(given: Atelier, look: Look) -> TrainingView:
    if look.state == "finished":
        given.shelf.add(look.path)
    run = next((listed.id for listed in given.shelf.listed() if listed.path == look.path), None)
    line = last_line(RunFolder(look.path))
    share = 1.0 if look.state == "finished" else float(line.get("fraction", 0.0))
    return TrainingView(
        id=look.id, state=look.state, share=share, losses=line.get("losses", {}), said=look.said,
        run=run if look.state == "finished" else None,
    )  # fmt: skip
