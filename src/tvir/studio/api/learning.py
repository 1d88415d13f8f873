"""Learning: what can be trained on what, starting it, watching it, stopping it and going on."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from tvir.contracts.budget import Budget
from tvir.contracts.errors import TvirError, UsageError
from tvir.contracts.run import RunFolder
from tvir.reports.health import check_title
from tvir.studio import watching
from tvir.studio.api.given import Form, GivenAtelier, Identity, Language
from tvir.studio.api.watched import BEFORE, GivenWatched, RunView, need_weights, run_view
from tvir.studio.atelier import Atelier
from tvir.studio.describing import Described, Setting, models, settings
from tvir.studio.refusal import RefusalError
from tvir.studio.sources import Choice
from tvir.studio.trainings import Order, shown
from tvir.studio.watching import Curve, Phase, Watched

router = APIRouter(prefix="/api/learning", tags=["learning"])

_PNG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/png": {}}}}
_A_WHILE = {"Cache-Control": "private, max-age=3600"}

Name = Annotated[str, Field(pattern="^[a-z0-9-]{1,60}$")]


class ChoiceView(BaseModel):
    """What can be chosen from before a training begins."""

    models: list[Described]
    data: list[Choice]


class LearnForm(Form):
    """A training that is wanted."""

    model: Name
    data: Annotated[str, Field(max_length=600)]
    """Id of one of the choices of data."""
    budget: Annotated[str, Field(max_length=30)] = "2m"
    seed: Annotated[int, Field(ge=0, lt=2**53)] = 0
    size: Annotated[int, Field(ge=8, le=256)] | None = None
    """Side of the pictures in pixels."""
    settings: dict[Annotated[str, Field(pattern="^[a-z_0-9]{1,60}$")], Annotated[str, Field(max_length=300)]] = Field(
        default_factory=dict, max_length=60
    )
    start_from: Annotated[str, Field(pattern="^[0-9a-f]{8,32}$")] | None = None
    """Id of a run whose weights it begins from."""


class CheckedView(BaseModel):
    """Whether a training could begin so."""

    command: str
    """The same on the command line; empty where it could not."""
    wrong: str
    """Why it could not; empty where it could."""


class CloseView(RunView):
    """A run looked at closely."""

    curves: list[Curve]
    phases: list[Phase]
    film: list[int]
    findings: list[str]
    """What was noticed about the data and on the way, in English."""
    settings: dict[str, str]
    images: str | None
    """Id of the set of pictures it learns from, if that still has the same ones."""


class FilmView(BaseModel):
    """Texts of a frame of the film strip."""

    texts: list[str]


@router.get("/choices")
def choices(given: GivenAtelier) -> ChoiceView:
    """What can be trained on what."""
    return ChoiceView(models=models(), data=given.sources.choices())


@router.get("/models/{model}")
def describe(model: Annotated[str, Path(pattern="^[a-z0-9-]{1,60}$")], language: Language = "en") -> list[Setting]:
    """The settings of a model or a recipe."""
    return settings(model, language)


@router.post("/check")
def check(form: LearnForm, given: GivenAtelier) -> CheckedView:
    """Whether a training could begin so; what it is on the command line."""
    try:
        order = _ordered(form, given)
        order.check()
        words = order.words(given.trainings.place / "NEW")
    except UsageError as error:
        return CheckedView(command="", wrong=str(error))
    del words[words.index("--out") : words.index("--out") + 2]
    return CheckedView(command=shown(words), wrong="")


@router.post("/runs", status_code=201)
def start(form: LearnForm, given: GivenAtelier) -> RunView:
    """Begin a training."""
    look = given.trainings.begin(_ordered(form, given))
    return _preparing(look.id, look.path.name, look.model, form.budget, "preparing", "")


@router.get("/runs")
def every(given: GivenAtelier) -> list[RunView]:
    """All runs, those that learn now first, then the newest."""
    views: list[tuple[float, RunView]] = []
    for path in given.every_run():
        try:
            changed = RunFolder(path).record_path.stat().st_mtime
            views.append((changed, run_view(given, watching.watch(path))))
        except (TvirError, OSError):
            continue
    views += [(0.0, view) for view in _unwritten(given)]
    first = ("preparing", "running")
    return [view for _, view in sorted(views, key=lambda pair: (pair[1].state not in first, -pair[0], pair[1].name))]


@router.get("/runs/{run}")
def close(run: Identity, given: GivenAtelier) -> CloseView:
    """A run looked at closely; one whose data is still being read has nothing to show yet."""
    preparing = next((view for view in _unwritten(given) if view.id == run), None)
    if preparing is not None:
        return CloseView(
            **preparing.model_dump(), curves=[], phases=[], film=[], findings=[], settings={}, images=None
        )  # fmt: skip
    found = watching.watch(given.watched(run))
    log = given.watcher.log(found.path)
    titles = {check_title(finding.check) for finding in given.watcher.findings(found.path, found.share)}
    return CloseView(
        **run_view(given, found).model_dump(),
        curves=log.curves,
        phases=log.phases,
        film=watching.film(found.path),
        findings=[text for text in found.record.findings if text.partition(":")[0] not in titles],
        settings={name: str(value) for name, value in found.record.config.items()},
        images=_images(given, found),
    )


@router.get("/runs/{run}/film/{step}.png", response_class=Response, responses=_PNG)
def frame(found: GivenWatched, step: Annotated[int, Path(ge=0, lt=10**12)]) -> Response:
    """The fixed latents at a step, as a picture."""
    seen = watching.frame_of_film(found.path, step)
    if isinstance(seen, list):
        raise RefusalError("no-picture", "this run makes no pictures", 422)
    return Response(seen, media_type="image/png", headers=_A_WHILE)


@router.get("/runs/{run}/film/{step}")
def texts(found: GivenWatched, step: Annotated[int, Path(ge=0, lt=10**12)]) -> FilmView:
    """The fixed latents at a step, as texts."""
    seen = watching.frame_of_film(found.path, step)
    return FilmView(texts=seen[:32] if isinstance(seen, list) else [])


@router.post("/runs/{run}/opened", status_code=202)
def put_on_shelf(found: GivenWatched, given: GivenAtelier) -> RunView:
    """Put a run among those that are created with, though others were named when the studio was opened."""
    need_weights(found)
    given.shelf.add(found.path)
    return run_view(given, found)


@router.post("/runs/{run}/stop", status_code=202)
def stop(found: GivenWatched, given: GivenAtelier) -> RunView:
    """Ask a training to save and end; it can be resumed."""
    given.trainings.stop(found.path)
    return run_view(given, found)


@router.post("/runs/{run}/resume", status_code=202)
def resume(found: GivenWatched, given: GivenAtelier) -> RunView:
    """Go on with a run until its budget is spent."""
    given.trainings.resume(found.path)
    return run_view(given, found)


def _ordered(form: LearnForm, given: Atelier) -> Order:
    Budget.parse(form.budget)
    return Order(
        model=form.model,
        data=given.sources.reference(form.data),
        budget=form.budget,
        seed=form.seed,
        settings=form.settings,
        options={} if form.size is None else {"size": str(form.size)},
        start_from=None if form.start_from is None else given.watched(form.start_from),
    )


def _unwritten(given: Atelier) -> list[RunView]:
    """Trainings that were started here and have no run.json: their data is being read, or could not be."""
    return [
        _preparing(look.id, look.path.name, look.model, "", BEFORE[look.state], look.said)
        for look in given.trainings.looks()
        if not RunFolder(look.path).record_path.exists()
    ]


def _preparing(
    identity: str, name: str, model: str, budget: str, state: Literal["preparing", "failed"], said: str
) -> RunView:
    return RunView(
        id=identity, name=name, model=model, data="", kind="", state=state, share=0.0, seconds_left=None, stage=None,
        step=0, budget=budget, losses={}, said=said, start_from=None, weights=False,
    )  # fmt: skip


def _images(given: Atelier, found: Watched) -> str | None:
    return given.images.of_folder(found.record.data.reference.rstrip("/").rpartition("/")[2])
