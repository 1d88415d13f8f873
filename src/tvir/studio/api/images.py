"""Sets of pictures to learn from: made, filled, looked at, and thinned out."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from tvir.studio.api.given import Form, GivenAtelier, GivenPerson, Identity
from tvir.studio.images import ImageSet

router = APIRouter(prefix="/api/images", tags=["images"])

_PICTURE = {
    "requestBody": {"required": True, "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}}}
}
_PNG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/png": {}}}}
_FOR_EVER = {"Cache-Control": "private, max-age=31536000, immutable"}

Address = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]


class PictureView(BaseModel):
    """A picture of a set."""

    address: str
    name: str


class SetView(BaseModel):
    """A set of pictures."""

    id: str
    name: str
    pictures: list[PictureView]


class BeginForm(Form):
    """What a new set is called."""

    name: Annotated[str, Field(min_length=1, max_length=120)]


class AddedView(BaseModel):
    """What became of a picture that was sent."""

    address: str
    known_as: str | None
    """What the same picture is called where the set had it already; it is not added twice."""


class TakeOutForm(Form):
    """Pictures that shall leave a set."""

    addresses: Annotated[list[Annotated[str, Field(pattern="^[0-9a-f]{32}$")]], Field(min_length=1, max_length=5000)]


@router.get("")
def sets(given: GivenAtelier) -> list[SetView]:
    """All sets."""
    return [_view(one) for one in given.images.sets()]


@router.post("", status_code=201)
def begin(form: BeginForm, given: GivenAtelier, who: GivenPerson) -> SetView:
    """Begin a set."""
    return _view(given.images.begin(who, form.name))


@router.get("/{images}")
def one(images: Identity, given: GivenAtelier) -> SetView:
    """One set."""
    return _view(given.images.find(images))


@router.delete("/{images}", status_code=204)
def remove(images: Identity, given: GivenAtelier, who: GivenPerson) -> None:
    """Take a set away; what has learned from it keeps its pictures."""
    given.images.remove(who, images)


@router.post("/{images}/pictures", status_code=201, openapi_extra=_PICTURE)
async def add(
    images: Identity,
    request: Request,
    given: GivenAtelier,
    who: GivenPerson,
    name: Annotated[str, Query(max_length=255)] = "",
) -> AddedView:
    """Add a picture, whose bytes are the body. ``name`` is only shown."""
    content = await request.body()
    address, known = await run_in_threadpool(given.images.add, who, images, name, content)
    return AddedView(address=address, known_as=known)


@router.post("/{images}/taken-out")
def take_out(images: Identity, form: TakeOutForm, given: GivenAtelier, who: GivenPerson) -> SetView:
    """Take pictures out of a set, in one action that can be undone."""
    given.images.take_out(who, images, form.addresses)
    return _view(given.images.find(images))


@router.get("/pictures/{address}", response_class=Response, responses=_PNG)
def thumbnail(address: Address, given: GivenAtelier) -> Response:
    """A picture, small and square."""
    return Response(given.images.thumbnail(address), media_type="image/png", headers=_FOR_EVER)


def _view(images: ImageSet) -> SetView:
    pictures = [PictureView(address=address, name=name) for address, name in images.pictures.items()]
    return SetView(id=images.id, name=images.name, pictures=pictures)
