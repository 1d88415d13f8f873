"""What every router is given: the atelier, who asks, the run that is meant, and points in the forms people send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from tvir.contracts.data import Array
from tvir.studio.atelier import Atelier
from tvir.studio.evolving import blended
from tvir.studio.frames import png_of
from tvir.studio.making import Maker, Point
from tvir.studio.refusal import RefusalError
from tvir.studio.shelf import Opened
from tvir.studio.works import Draft, Works

_LONGEST = 200_000
"""Numbers of a latent; that of a flow has as many as its pictures."""

Identity = Annotated[str, Path(pattern="^[0-9a-f]{8,32}$")]
"""An opaque id; nothing else of a request is ever looked up."""

Number = Annotated[float, Field(ge=-1e30, le=1e30)]
"""Of a latent: whatever a float32 holds."""

Seed = Annotated[int, Field(ge=0, lt=2**53)]
Language = Annotated[Literal["en", "uk"], Query()]


def atelier(request: Request) -> Atelier:
    """The atelier of the studio that was asked."""
    return request.app.state.atelier


def person(request: Request) -> str:
    """Who asks."""
    return request.state.person


def opened(run: Identity, given: Annotated[Atelier, Depends(atelier)]) -> Opened:
    """The run that is named in the path, with its model in memory."""
    return given.shelf.opened(run)


GivenAtelier = Annotated[Atelier, Depends(atelier)]
GivenPerson = Annotated[str, Depends(person)]
GivenRun = Annotated[Opened, Depends(opened)]


class Form(BaseModel):
    """JSON that somebody sends; what is not known is refused."""

    model_config = ConfigDict(extra="forbid")


class BlendForm(Form):
    """A point between works."""

    works: Annotated[list[str], Field(min_length=2, max_length=8)]
    weights: Annotated[list[Annotated[float, Field(ge=0, le=1e6)]], Field(min_length=2, max_length=8)]


class PointForm(Form):
    """A point of a model: its latent, a kept work, a blend of works, or a seed."""

    latent: Annotated[list[Number], Field(max_length=_LONGEST)] | None = None
    work: str | None = None
    blend: BlendForm | None = None
    seed: Seed | None = None
    condition: Annotated[int, Field(ge=0, le=10**6)] | None = None

    def resolved(self, run: Opened, works: Works) -> Point:
        """The point that is meant.

        Raises:
            RefusalError: It is none of this run.
        """
        if self.blend is not None:
            ends = [point_of_work(run, works, identity) for identity in self.blend.works]
            between = blended(ends, self.blend.weights)
            condition = between.condition if self.condition is None else self.condition
            return run.maker.checked(Point(latent=between.latent, condition=condition))
        if self.work is not None:
            return point_of_work(run, works, self.work)
        latent = None if self.latent is None else np.array(self.latent, np.float32)
        return run.maker.checked(Point(latent=latent, condition=self.condition, seed=self.seed))


def point_of_work(run: Opened, works: Works, identity: str) -> Point:
    """Where a kept work lies in a run.

    Raises:
        RefusalError: It was made by other weights, or lies nowhere.
    """
    work = works.work(identity)
    if work.weights != run.listed.weights:
        raise RefusalError(
            "other-weights", "this work was made by another model, or by this one before it learned on", 409
        )
    latent = works.latent(identity)
    return run.maker.checked(Point(latent=latent, condition=work.condition, seed=work.seed))


def class_name(maker: Maker, condition: int | None) -> str | None:
    """What a class is called, where there are classes."""
    return None if condition is None or not maker.classes else maker.classes[condition]


def need_pictures(run: Opened) -> None:
    """Refuse what the studio can only do with pictures.

    Raises:
        RefusalError: The run makes something else.
    """
    if not run.maker.makes_images:
        raise RefusalError("no-pictures", f"{run.run.record.model} does not make pictures here", 422)


def points_of(forms: Sequence[PointForm], run: Opened, works: Works) -> list[Point]:
    """The points that are meant."""
    return [form.resolved(run, works) for form in forms]


def drafted(
    opened: Opened, point: Point, row: Array, *, origin: str, settings: Mapping[str, Any], parents: Sequence[str] = ()
) -> Draft:
    """A picture (height, width, channels) at a point of a run, about to be kept; see ``Work``."""
    return Draft(
        origin=origin,
        weights=opened.listed.weights,
        model=opened.listed.record.model,
        run=opened.listed.path.name,
        latent=point.latent,
        condition=point.condition,
        condition_name=class_name(opened.maker, point.condition),
        seed=point.seed,
        settings=settings,
        picture=png_of(row),
        width=row.shape[1],
        height=row.shape[0],
        parents=parents,
    )
