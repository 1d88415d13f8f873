"""Trainings that are started from the page."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from tvir.studio.api.given import Form, GivenAtelier, Identity
from tvir.studio.atelier import Atelier
from tvir.studio.trainings import Look

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
    return _view(given, given.trainings.stop(training))


def _view(given: Atelier, look: Look) -> TrainingView:
    if look.state == "finished":
        given.shelf.add(look.path)
    run = next((listed.id for listed in given.shelf.listed() if listed.path == look.path), None)
    return TrainingView(
        id=look.id, state=look.state, share=look.share, losses=look.losses, said=look.said,
        run=run if look.state == "finished" else None,
    )  # fmt: skip
