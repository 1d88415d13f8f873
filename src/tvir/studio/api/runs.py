"""Runs: which there are, what they can do, and how to find one's way in their latent space."""

from __future__ import annotations

import base64
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from tvir.contracts.data import Array, ImageSpec
from tvir.contracts.errors import TvirError
from tvir.contracts.model import Conditional, DecodesLatents, EncodesData
from tvir.models.catalogue import find_model
from tvir.studio.api.given import (
    Form,
    GivenAtelier,
    GivenPerson,
    GivenRun,
    PointForm,
    Seed,
    class_name,
    need_pictures,
    points_of,
)
from tvir.studio.evolving import children
from tvir.studio.exporting import films
from tvir.studio.frames import sheaf
from tvir.studio.shelf import Listed, Opened

BYTES: dict[int | str, dict[str, Any]] = {200: {"content": {"application/octet-stream": {}}}}
"""What OpenAPI says of answers that are no JSON."""

router = APIRouter(prefix="/api", tags=["runs"])


class RunView(BaseModel):
    """A run as it is listed."""

    id: str
    name: str
    model: str
    data: str
    kind: Literal["image", "vector", "text"]
    status: str
    weights: str
    steps: int
    shape: list[int]
    """Of a row: height, width, channels for pictures."""
    latents: bool
    encodes: bool
    classes: list[str]
    """What it can be asked for."""


class AboutView(BaseModel):
    """The studio itself."""

    films: bool
    """Whether MP4 can be written."""
    runs: int


class DirectionView(BaseModel):
    """A direction; ``vector`` is base64 of little-endian float32."""

    vector: str
    low: float
    high: float
    kind: str
    towards: str | None
    name: str
    """What people call it; empty if nothing."""


class ChartView(BaseModel):
    """Map and directions; arrays are base64 of little-endian float32."""

    numbers: int
    centre: str
    axes: str
    points: str
    labels: list[int]
    classes: list[str]
    encoded: bool
    """Whether the points are training examples; else they are draws from the prior."""
    directions: list[DirectionView]


class PicturesForm(Form):
    """Points to make pictures of."""

    points: Annotated[list[PointForm], Field(min_length=1, max_length=256)]


class LitterForm(Form):
    """Whose children are wanted and how bold they are."""

    parents: Annotated[list[PointForm], Field(min_length=1, max_length=8)]
    count: Annotated[int, Field(ge=1, le=32)] = 9
    boldness: Annotated[float, Field(ge=0, le=1)] = 0.35
    crossover: Annotated[float, Field(ge=0, le=1)] = 0.5
    seed: Seed = 0


class PointView(BaseModel):
    """A point that was made."""

    latent: list[float] | None
    condition: int | None
    condition_name: str | None
    seed: int | None


class NameForm(Form):
    """What a direction shall be called."""

    name: Annotated[str, Field(max_length=80)]


@router.get("/about")
def about(given: GivenAtelier) -> AboutView:
    """What this studio can do."""
    return AboutView(films=films(), runs=len(given.shelf.listed()))


@router.get("/runs")
def runs(given: GivenAtelier) -> list[RunView]:
    """The runs there are, those with the newest weights first."""
    return [view for listed in given.shelf.listed() if (view := _view(listed)) is not None]


@router.get("/runs/{run}/chart")
def chart(opened: GivenRun, given: GivenAtelier) -> ChartView:
    """The map of a run's latent space and directions in it. The first time takes a few seconds."""
    need_pictures(opened)
    if not opened.maker.numbers:
        return ChartView(
            numbers=0, centre="", axes="", points="", labels=[], classes=[], encoded=False, directions=[]
        )  # fmt: skip
    found = opened.chart
    names = given.works.present(f"run:{opened.listed.weights}")
    return ChartView(
        numbers=opened.maker.numbers,
        centre=_packed(found.centre),
        axes=_packed(found.axes),
        points=_packed(found.points),
        labels=found.labels.tolist(),
        classes=list(opened.maker.model.spec.classes),
        encoded=len(found.indices) > 0,
        directions=[
            DirectionView(
                vector=_packed(direction.vector),
                low=direction.low,
                high=direction.high,
                kind=direction.kind,
                towards=direction.towards,
                name=names.get(f"direction.{number}", ""),
            )
            for number, direction in enumerate(found.directions)
        ],
    )


@router.put("/runs/{run}/directions/{number}")
def name_direction(opened: GivenRun, number: int, form: NameForm, given: GivenAtelier, who: GivenPerson) -> NameForm:
    """Call a direction by a name of one's own."""
    given.works.change(
        who, "name-direction", [(f"run:{opened.listed.weights}", f"direction.{min(max(number, 0), 99)}", form.name)]
    )
    return form


@router.post("/runs/{run}/pictures", response_class=Response, responses=BYTES)
def pictures(opened: GivenRun, form: PicturesForm, given: GivenAtelier) -> Response:
    """Pictures of points: a header (count, width, height, channels), then their bytes."""
    need_pictures(opened)
    points = points_of(form.points, opened, given.works)
    rows = opened.worker.do(lambda: opened.maker.rows(points))
    return Response(sheaf(rows), media_type="application/octet-stream")


@router.post("/runs/{run}/litter")
def litter(opened: GivenRun, form: LitterForm, given: GivenAtelier) -> list[PointView]:
    """Children of one to eight points."""
    need_pictures(opened)
    parents = points_of(form.parents, opened, given.works)
    born = opened.worker.do(
        lambda: children(
            opened.maker, parents, form.count, boldness=form.boldness, crossover=form.crossover, seed=form.seed
        )
    )
    return [point_view(opened, child.latent, child.condition, child.seed) for child in born]


@router.post("/runs/{run}/point")
def point(opened: GivenRun, form: PointForm, given: GivenAtelier) -> PointView:
    """The numbers of a point that is given otherwise: by a seed, a work or a blend."""
    found = form.resolved(opened, given.works)
    return point_view(opened, found.latent, found.condition, found.seed)


def point_view(opened: Opened, latent: Array | None, condition: int | None, seed: int | None) -> PointView:
    """A point as it is sent."""
    return PointView(
        latent=None if latent is None else latent.tolist(),
        condition=condition,
        condition_name=class_name(opened.maker, condition),
        seed=seed,
    )


def _view(listed: Listed) -> RunView | None:
    record = listed.record
    try:
        kind: type[Any] = find_model(record.model)
        spec = record.data.spec.spec()
    except TvirError:
        return None
    return RunView(
        id=listed.id,
        name=listed.path.name,
        model=record.model,
        data=record.data.reference.rstrip("/").rpartition("/")[2] or record.data.reference,
        kind=record.data.spec.kind,
        status=record.status,
        weights=listed.weights,
        steps=record.spent.steps,
        shape=list(spec.row_shape) if isinstance(spec, ImageSpec) else [],
        latents=issubclass(kind, DecodesLatents),
        encodes=issubclass(kind, EncodesData),
        classes=list(spec.classes) if issubclass(kind, Conditional) else [],
    )


def _packed(array: Array) -> str:
    return base64.b64encode(np.ascontiguousarray(array, dtype="<f4").tobytes()).decode()
