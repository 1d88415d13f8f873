"""Beginning from a picture of one's own: encoded, approached, or filled in."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from tvir.contracts.data import Array, ImageSpec
from tvir.studio.api.given import (
    Form,
    GivenAtelier,
    GivenPerson,
    GivenRun,
    Identity,
    PointForm,
    drafted,
    need_pictures,
)
from tvir.studio.api.runs import PointView, point_view
from tvir.studio.api.works import WorkView, living, work_view
from tvir.studio.atelier import Atelier
from tvir.studio.frames import png_of, row_of
from tvir.studio.making import Point
from tvir.studio.projecting import approach, filled_in
from tvir.studio.provenance import Provenance, read_from
from tvir.studio.refusal import RefusalError
from tvir.studio.shelf import Opened
from tvir.studio.uploads import read_picture
from tvir.studio.works import Draft, Work

router = APIRouter(prefix="/api", tags=["mine"])

_PICTURE = {
    "requestBody": {"required": True, "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}}}
}

Mask = Annotated[str, Field(max_length=2_000_000)]
"""Base64 of a byte for each pixel, by rows: 0 where the picture stays."""


class ApproachForm(Form):
    """A picture that shall be come nearer to."""

    work: str
    condition: Annotated[int, Field(ge=0, le=10**6)] | None = None
    mask: Mask | None = None
    steps: Annotated[int, Field(ge=5, le=2000)] = 250


class ApproachView(BaseModel):
    """How near it has been come."""

    id: str
    share: float
    distance: float | None
    finished: bool
    failed: str | None
    point: PointView | None


class EncodeForm(Form):
    """A picture that shall be encoded."""

    work: str
    condition: Annotated[int, Field(ge=0, le=10**6)] | None = None


class FillForm(Form):
    """A picture, what of it is masked, and the point that fills it in."""

    work: str
    mask: Mask
    point: PointForm
    feather: Annotated[int, Field(ge=0, le=16)] = 2


@router.post("/runs/{run}/mine", status_code=201, openapi_extra=_PICTURE)
async def bring(run: Identity, request: Request, given: GivenAtelier, who: GivenPerson) -> WorkView:
    """Bring a picture: PNG, JPEG, WebP, GIF, BMP or TIFF. One that was exported here opens as the work it is."""
    content = await request.body()
    return await run_in_threadpool(_brought, given, run, content, who)


@router.post("/runs/{run}/encode")
def encode(opened: GivenRun, form: EncodeForm, given: GivenAtelier) -> PointView:
    """Where the encoder of a model says that a picture lies."""
    need_pictures(opened)
    if not opened.maker.encodes:
        raise RefusalError("cannot-encode", "this model does not encode; come nearer to the picture instead", 422)
    row = _row(opened, given, form.work)
    condition = (form.condition or 0) if opened.maker.classes else None
    latent = opened.worker.do(lambda: opened.maker.encoded(row[None], condition)[0])
    return point_view(opened, latent, condition, None)


@router.post("/runs/{run}/approaches", status_code=202)
def begin(opened: GivenRun, form: ApproachForm, given: GivenAtelier) -> ApproachView:
    """Begin to come nearer to a picture by optimisation; what is masked does not matter."""
    need_pictures(opened)
    row = _row(opened, given, form.work)
    free = None if form.mask is None else _read_mask(form.mask, row)
    steps = approach(opened.maker, row, condition=form.condition, free=free, steps=form.steps)
    identity = given.approaches.add(opened.worker.walk(steps))
    return _view(opened, given, identity)


@router.get("/runs/{run}/approaches/{identity}")
def look(opened: GivenRun, identity: Identity, given: GivenAtelier) -> ApproachView:
    """How near it has been come."""
    return _view(opened, given, identity)


@router.delete("/runs/{run}/approaches/{identity}", status_code=204)
def stop(identity: Identity, given: GivenAtelier) -> None:
    """Leave it at what was found so far."""
    given.approaches.find(identity).stop()


@router.post("/runs/{run}/fillings", status_code=201)
def fill(opened: GivenRun, form: FillForm, given: GivenAtelier, who: GivenPerson) -> WorkView:
    """Keep a picture whose masked part is what the model makes at a point."""
    need_pictures(opened)
    row = _row(opened, given, form.work)
    free = _read_mask(form.mask, row)
    point = form.point.resolved(opened, given.works)
    made = opened.worker.do(lambda: opened.maker.rows([point]))[0]
    filled = filled_in(row, made, free, form.feather)
    settings = {"feather": form.feather, "masked": round(float(free.mean()), 4)}
    draft = drafted(opened, point, filled, origin="filled", settings=settings, parents=[form.work])
    work = given.works.keep(who, draft)
    return work_view(work, living(given), who)


def _brought(given: Atelier, run: str, content: bytes, who: str) -> WorkView:
    alive = living(given)
    found = read_from(content)
    if found is not None and found[0].weights in alive and (found[1] is not None or found[0].seed is not None):
        return work_view(_reopened(given, alive[found[0].weights], *found, content, who), alive, who)
    opened = given.shelf.opened(run)
    need_pictures(opened)
    row = _picture(opened, content)
    settings = {} if found is None else {"model": found[0].model, "weights": found[0].weights}
    draft = Draft(origin="mine", settings=settings, picture=png_of(row), width=row.shape[1], height=row.shape[0])
    return work_view(given.works.keep(who, draft), alive, who)


def _reopened(given: Atelier, run: str, provenance: Provenance, latent: Array | None, content: bytes, who: str) -> Work:
    """The work that an exported picture is of: the one that is here, or it once more."""
    if provenance.work is not None and (here := _here(given, provenance)) is not None:
        if not here.kept:
            given.works.change(who, "bring-back", [(f"work:{here.id}", "kept", True)])
        return given.works.work(here.id)
    opened = given.shelf.opened(run)
    need_pictures(opened)
    point = opened.maker.checked(Point(latent=latent, condition=provenance.condition, seed=provenance.seed))
    made = opened.worker.do(lambda: opened.maker.rows([point]))[0]
    # What was filled in is more than what its latent makes.
    row = _picture(opened, content) if provenance.origin == "filled" else made
    settings = {"origin": provenance.origin, "made": provenance.made}
    return given.works.keep(who, drafted(opened, point, row, origin="opened", settings=settings))


def _here(given: Atelier, provenance: Provenance) -> Work | None:
    try:
        work = given.works.work(provenance.work or "")
    except RefusalError:
        return None
    return work if work.weights == provenance.weights else None


def _picture(opened: Opened, content: bytes) -> Array:
    assert isinstance(opened.maker.model.spec, ImageSpec)
    return read_picture(content, opened.maker.model.spec)


def _row(opened: Opened, given: Atelier, work: str) -> Array:
    """The picture of a work in the size of a model."""
    row = row_of(given.works.picture(work))
    if row.shape == opened.maker.model.spec.row_shape:
        return row
    return _picture(opened, given.works.picture(work))


def _read_mask(text: str, row: Array) -> Array:
    """Where the picture may be changed, (height, width) of bool."""
    try:
        content = np.frombuffer(base64.b64decode(text, validate=True), np.uint8)
    except (binascii.Error, ValueError):
        raise RefusalError("invalid", "the mask is no base64", 422) from None
    if content.size != row.shape[0] * row.shape[1]:
        raise RefusalError("invalid", f"the mask has {content.size} bytes, not one for each pixel", 422)
    return content.reshape(row.shape[:2]) > 0


def _view(opened: Opened, given: Atelier, identity: str) -> ApproachView:
    walk = given.approaches.find(identity)
    newest = walk.newest
    return ApproachView(
        id=identity,
        share=1.0 if walk.finished.is_set() else 0.0 if newest is None else newest.share,
        distance=None if newest is None else newest.distance,
        finished=walk.finished.is_set(),
        failed=None if walk.failure is None else str(walk.failure),
        point=None if newest is None else point_view(opened, newest.point.latent, newest.point.condition, None),
    )
