"""Works: keeping, looking at them, saying something of them, undoing it."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from tvir.studio.api.given import (
    Form,
    GivenAtelier,
    GivenPerson,
    Identity,
    PointForm,
    drafted,
    need_pictures,
    points_of,
)
from tvir.studio.api.runs import BYTES
from tvir.studio.atelier import Atelier
from tvir.studio.record import Change
from tvir.studio.refusal import missing
from tvir.studio.works import Collection, Done, Selection, Work

router = APIRouter(prefix="/api", tags=["works"])

_ATTACHED = {"Cache-Control": "private, max-age=31536000, immutable"}


class WorkView(BaseModel):
    """A work; see ``tvir.studio.works.Work``."""

    id: str
    made: str
    kind: Literal["picture", "text"]
    origin: str
    weights: str | None
    model: str | None
    run: str | None
    alive: str | None
    """Id of the run that can go on from it; None where no run has its weights."""
    condition: int | None
    condition_name: str | None
    seed: int | None
    settings: dict[str, Any]
    numbers: int
    width: int
    height: int
    parents: list[str]
    text: str | None
    name: str
    note: str
    favourite: bool
    kept: bool
    collections: list[str]
    own: bool
    """Whether whoever asks has made it."""


class KeepForm(Form):
    """A point that shall become a work."""

    point: PointForm
    origin: Literal["explored", "blended", "bred", "encoded", "approached", "sampled"] = "explored"
    parents: Annotated[list[str], Field(max_length=8)] = Field(default_factory=list)
    settings: dict[str, Annotated[float, Field(allow_inf_nan=False)]] = Field(default_factory=dict)


class KeepAllForm(Form):
    """Points of one run that shall become works in one action."""

    run: str
    works: Annotated[list[KeepForm], Field(min_length=1, max_length=32)]


class SayForm(Form):
    """What is said of a work; what is left out stays."""

    name: Annotated[str, Field(max_length=120)] | None = None
    note: Annotated[str, Field(max_length=4000)] | None = None
    favourite: bool | None = None
    kept: bool | None = None


class CollectForm(Form):
    """What a collection is called."""

    name: Annotated[str, Field(min_length=1, max_length=120)]


class CountView(BaseModel):
    """How many works are meant."""

    works: int


class DoneView(BaseModel):
    """What can be undone and redone: keys of phrases."""

    undo: str | None
    redo: str | None
    turned: str | None


def selected(
    favourites: bool = False,
    collection: Annotated[str | None, Query(pattern="^[0-9a-f]{8,32}$")] = None,
    removed: bool = False,
) -> Selection:
    """The works that the query means: favourites, those of a collection, those taken out as well."""
    return Selection(favourites=favourites, collection=collection, also_removed=removed)


GivenSelection = Annotated[Selection, Depends(selected)]


@router.get("/works")
def works(
    given: GivenAtelier,
    who: GivenPerson,
    selection: GivenSelection,
    before: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 500,
) -> list[WorkView]:
    """Works, the newest first; ``before`` is the id of the last one of the page before."""
    alive = living(given)
    found = given.works.works(selection, before=before, limit=limit)
    return [work_view(work, alive, who) for work in found]


@router.get("/works/count")
def count(given: GivenAtelier, selection: GivenSelection) -> CountView:
    """How many there are."""
    return CountView(works=given.works.count(selection))


@router.post("/works", status_code=201)
def keep(form: KeepAllForm, given: GivenAtelier, who: GivenPerson) -> list[WorkView]:
    """Keep points as works; each is made anew here, so that a work is what its model makes of it."""
    opened = given.shelf.opened(form.run)
    need_pictures(opened)
    points = points_of([kept.point for kept in form.works], opened, given.works)
    rows = opened.worker.do(lambda: opened.maker.rows(points))
    drafts = [
        drafted(opened, point, row, origin=kept.origin, settings=kept.settings, parents=kept.parents)
        for kept, point, row in zip(form.works, points, rows, strict=True)
    ]
    alive = living(given)
    return [work_view(work, alive, who) for work in given.works.keep_all(who, drafts)]


@router.get("/works/{work}")
def work(work: Identity, given: GivenAtelier, who: GivenPerson) -> WorkView:
    """One work."""
    return work_view(given.works.work(work), living(given), who)


@router.get("/works/{work}/picture", response_class=Response, responses=BYTES)
def picture(work: Identity, given: GivenAtelier) -> Response:
    """The picture of a work, pixel for pixel."""
    return Response(given.works.picture(work), media_type="image/png", headers=_ATTACHED)


@router.patch("/works/{work}")
def say(work: Identity, form: SayForm, given: GivenAtelier, who: GivenPerson) -> WorkView:
    """Name it, note something, make it a favourite, take it out of the gallery or bring it back."""
    given.works.work(work)
    said = form.model_dump(exclude_none=True)
    changes: list[Change] = [(f"work:{work}", attribute, value) for attribute, value in said.items()]
    action = {"kept": "bring-back" if form.kept else "remove"}.get(next(iter(said), ""), next(iter(said), "say"))
    given.works.change(who, action, changes)
    return work_view(given.works.work(work), living(given), who)


@router.get("/collections")
def collections(given: GivenAtelier) -> list[Collection]:
    """The collections there are."""
    return given.works.collections()


@router.post("/collections", status_code=201)
def collect(form: CollectForm, given: GivenAtelier, who: GivenPerson) -> Collection:
    """Begin a collection."""
    return given.works.collect(who, form.name)


@router.delete("/collections/{collection}", status_code=204)
def scatter(collection: Identity, given: GivenAtelier, who: GivenPerson) -> None:
    """Take a collection away; its works stay."""
    _need_collection(given, collection)
    given.works.change(who, "scatter", [(f"collection:{collection}", "kept", False)])


@router.put("/collections/{collection}/works/{work}", status_code=204)
def put_in(collection: Identity, work: Identity, given: GivenAtelier, who: GivenPerson) -> None:
    """Put a work into a collection."""
    _need_collection(given, collection)
    given.works.work(work)
    given.works.change(who, "put-in", [(f"work:{work}", f"in:{collection}", True)])


@router.delete("/collections/{collection}/works/{work}", status_code=204)
def take_out(collection: Identity, work: Identity, given: GivenAtelier, who: GivenPerson) -> None:
    """Take a work out of a collection."""
    _need_collection(given, collection)
    given.works.work(work)
    given.works.change(who, "take-out", [(f"work:{work}", f"in:{collection}", False)])


@router.get("/done")
def done(given: GivenAtelier, who: GivenPerson) -> DoneView:
    """What can be undone and redone next."""
    return _done(given.works.done(who))


@router.post("/undo")
def undo(given: GivenAtelier, who: GivenPerson) -> DoneView:
    """Undo the last action of whoever asks."""
    return _done(given.works.turn(who, "undo"))


@router.post("/redo")
def redo(given: GivenAtelier, who: GivenPerson) -> DoneView:
    """Do again what was undone last."""
    return _done(given.works.turn(who, "redo"))


def living(given: Atelier) -> dict[str, str]:
    """Ids of runs by their weights."""
    return {listed.weights: listed.id for listed in reversed(given.shelf.listed())}


def work_view(work: Work, alive: dict[str, str], who: str) -> WorkView:
    """A work as it is sent."""
    fields = dataclasses.asdict(work)
    own = fields.pop("person") == who
    run = alive.get(work.weights or "") if work.numbers or work.seed is not None else None
    return WorkView(**fields, alive=run, own=own)


def _need_collection(given: Atelier, identity: str) -> None:
    if not any(collection.id == identity for collection in given.works.collections()):
        raise missing("collection")


def _done(done: Done) -> DoneView:
    return DoneView(undo=done.undo, redo=done.redo, turned=done.turned)
