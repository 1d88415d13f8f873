"""Taking works along: PNG with their provenance, contact sheets, ZIP, and paths as moving pictures."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field

from tvir.studio.api.given import Form, GivenAtelier, GivenRun, Identity, PointForm, need_pictures, points_of
from tvir.studio.api.runs import BYTES
from tvir.studio.atelier import Atelier
from tvir.studio.evolving import walk_through
from tvir.studio.exporting import MEDIA_TYPES, exported_path, exported_png, exported_zip, sheet_of
from tvir.studio.exporting import Form as FileForm
from tvir.studio.refusal import RefusalError
from tvir.studio.works import Work

router = APIRouter(prefix="/api", tags=["exports"])

Chosen = Annotated[list[str], Query(min_length=1, max_length=500, alias="work")]
_SUFFIXES: dict[FileForm, str] = {"gif": "gif", "sheet": "png", "mp4": "mp4"}


class PathForm(Form):
    """A path through points and what it becomes."""

    points: Annotated[list[PointForm], Field(min_length=2, max_length=256)]
    frames: Annotated[int, Field(ge=2, le=240)] = 48
    frames_per_second: Annotated[int, Field(ge=1, le=50)] = 12
    form: Literal["gif", "sheet", "mp4"] = "gif"


@router.get("/works/{work}/png", response_class=Response, responses=BYTES)
def png(work: Identity, given: GivenAtelier, side: Annotated[int, Query(ge=1, le=2048)] = 512) -> Response:
    """A PNG that holds hash of the model, run, latent, class, seed and settings; it opens as the work again."""
    found = given.works.work(work)
    return _attached(exported_png(given.works, found, side), "image/png", f"tvir-{found.id}.png")


@router.get("/export/works.zip", response_class=Response, responses=BYTES)
def archive(given: GivenAtelier, chosen: Chosen) -> Response:
    """Works as PNG files with a contact sheet and what is known of them as JSON."""
    return _attached(exported_zip(given.works, _works(given, chosen)), "application/zip", "tvir-works.zip")


@router.get("/export/contact-sheet.png", response_class=Response, responses=BYTES)
def sheet(given: GivenAtelier, chosen: Chosen) -> Response:
    """Works side by side in one PNG."""
    pictures = [work for work in _works(given, chosen) if work.kind == "picture"]
    if not pictures:
        raise RefusalError("no-picture", "none of these works is a picture", 422)
    return _attached(sheet_of(given.works, pictures), "image/png", "tvir-contact-sheet.png")


@router.post("/runs/{run}/path", response_class=Response, responses=BYTES)
def path(opened: GivenRun, form: PathForm, given: GivenAtelier) -> Response:
    """A walk through points as a GIF, a contact sheet or, where ffmpeg is, an MP4."""
    need_pictures(opened)
    points = walk_through(points_of(form.points, opened, given.works), form.frames)
    rows = opened.worker.do(lambda: opened.maker.rows(points))
    content = exported_path(rows, form.form, form.frames_per_second)
    return _attached(content, MEDIA_TYPES[form.form], f"tvir-path.{_SUFFIXES[form.form]}")


def _works(given: Atelier, chosen: list[str]) -> list[Work]:
    return [given.works.work(identity) for identity in dict.fromkeys(chosen)]


def _attached(content: bytes, media_type: str, name: str) -> Response:
    """A file for the downloads, never shown in the page."""
    return Response(content, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})
