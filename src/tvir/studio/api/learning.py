"""Learning: what can be trained on what, starting it, watching it, its health and its scorecard."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel, Field

from tvir.contracts.budget import Budget
from tvir.contracts.errors import TvirError, UsageError
from tvir.contracts.health import Condition, Finding
from tvir.contracts.metric import Scorecard
from tvir.contracts.run import RunFolder
from tvir.reports.health import check_title, mend_text, seen_text
from tvir.reports.language import Words, load_words
from tvir.reports.numbers import floor_format, half_width
from tvir.reports.scores import score_rows
from tvir.studio import watching
from tvir.studio.api.given import Form, GivenAtelier, Identity
from tvir.studio.atelier import Atelier
from tvir.studio.describing import Described, Setting, models, settings
from tvir.studio.refusal import RefusalError
from tvir.studio.shelf import run_identity
from tvir.studio.sources import Choice
from tvir.studio.trainings import Order, State, shown
from tvir.studio.watching import Curve, Phase, Watched
from tvir.training.checkpoint import newest_step, weights_hash
from tvir.workflows.doctor import read_health

router = APIRouter(prefix="/api/learning", tags=["learning"])

_PNG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/png": {}}}}
_HTML: dict[int | str, dict[str, Any]] = {200: {"content": {"text/html": {}}}}
_BEFORE: dict[State, Literal["preparing", "failed"]] = {
    "running": "preparing", "finished": "failed", "failed": "failed",
}  # fmt: skip
"""What trainings are called that have not taken a step yet."""

_A_WHILE = {"Cache-Control": "private, max-age=3600"}

RunState = Literal["preparing", "planned", "running", "interrupted", "finished", "failed"]
Language = Annotated[Literal["en", "uk"], Query()]
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


class FindingView(BaseModel):
    """One finding of the doctor, in words."""

    check: str
    title: str
    seen: str
    condition: Condition
    condition_name: str
    mend: str


class HealthView(BaseModel):
    """What the doctor says."""

    log: list[FindingView]
    """Read in the log alone, at this moment."""
    whole: list[FindingView] | None
    """After a look at the newest weights too; None before there was one."""
    examining: bool
    trouble: str


class ScoreView(BaseModel):
    """One score, written for the reader."""

    metric: str
    value: str
    interval: str
    floor: str
    better: Literal["lower", "higher"]
    about: str
    first: bool


class AxisView(BaseModel):
    """The scores of one axis."""

    name: str
    asks: str
    scores: list[ScoreView]


class ScorecardView(BaseModel):
    """How a run was judged."""

    judging: bool
    trouble: str
    judged: bool
    older: bool
    """Whether it has learned on since."""
    axes: list[AxisView]
    findings: list[str]
    report: bool


def watched(run: Identity, given: GivenAtelier) -> Watched:
    """The run that is named in the path."""
    return watching.watch(given.watched(run))


GivenWatched = Annotated[Watched, Depends(watched)]


@router.get("/choices")
def choices(given: GivenAtelier) -> ChoiceView:
    """What can be trained on what."""
    return ChoiceView(models=models(), data=given.sources.choices())


@router.get("/models/{model}")
def describe(model: Annotated[str, Path(pattern="^[a-z0-9-]{1,60}$")]) -> list[Setting]:
    """The settings of a model or a recipe."""
    return settings(model)


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
            views.append((changed, _view(given, watching.watch(path))))
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
        **_view(given, found).model_dump(),
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
    _need_weights(found)
    given.shelf.add(found.path)
    return _view(given, found)


@router.post("/runs/{run}/stop", status_code=202)
def stop(found: GivenWatched, given: GivenAtelier) -> RunView:
    """Ask a training to save and end; it can be resumed."""
    given.trainings.stop(found.path)
    return _view(given, found)


@router.post("/runs/{run}/resume", status_code=202)
def resume(found: GivenWatched, given: GivenAtelier) -> RunView:
    """Go on with a run until its budget is spent."""
    given.trainings.resume(found.path)
    return _view(given, found)


@router.get("/runs/{run}/health")
def health(found: GivenWatched, given: GivenAtelier, language: Language = "en") -> HealthView:
    """What the doctor says of a run."""
    content = given.trainings.health(found.path, _weights(found) or "none")
    whole = None if content is None else read_health(content)
    return HealthView(
        log=_findings(given.watcher.findings(found.path, found.share), language),
        whole=None if whole is None else _findings(whole.findings, language),
        examining=given.trainings.is_examined(found.path),
        trouble=given.trainings.trouble(found.path),
    )


@router.post("/runs/{run}/examination", status_code=202)
def examine(found: GivenWatched, given: GivenAtelier) -> RunView:
    """Have the doctor look at the newest weights as well."""
    given.trainings.examine(found.path, _need_weights(found))
    return _view(given, found)


@router.get("/runs/{run}/scorecard")
def scores(found: GivenWatched, given: GivenAtelier, language: Language = "en") -> ScorecardView:
    """How a run was judged: every score with its interval and its floor."""
    card, folder = watching.scorecard(found.path), RunFolder(found.path)
    return ScorecardView(
        judging=given.trainings.is_judged(found.path),
        trouble=given.trainings.trouble(found.path),
        judged=card is not None,
        older=card is not None and _is_older(folder),
        axes=[] if card is None else _axes(card, load_words(language)),
        findings=[] if card is None else list(card.findings),
        report=folder.report_path.is_file(),
    )


@router.post("/runs/{run}/judgement", status_code=202)
def judge(
    found: GivenWatched,
    given: GivenAtelier,
    language: Language = "en",
    limit: Annotated[int, Query(ge=20, le=100_000)] = 10_000,
) -> RunView:
    """Have a run judged against the test split of its data; ``limit`` bounds the examples that are compared."""
    _need_weights(found)
    given.trainings.judge(found.path, language, limit)
    return _view(given, found)


@router.get("/runs/{run}/report.html", response_class=Response, responses=_HTML)
def report(found: GivenWatched) -> Response:
    """The report of a run as a file; it is never shown as a page of the studio."""
    name = f'attachment; filename="tvir-{run_identity(found.path)}.html"'
    return Response(watching.report(found.path), media_type="text/html", headers={"Content-Disposition": name})


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


def _view(given: Atelier, found: Watched) -> RunView:
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
                return _BEFORE[look.state], look.said
    return found.state, found.record.failure or ""


def _has_weights(found: Watched) -> bool:
    """Whether there is a checkpoint; it is not verified here, which would read it whole."""
    checkpoints = RunFolder(found.path).checkpoints
    try:
        return any(entry.name.isdecimal() for entry in checkpoints.iterdir())
    except OSError:
        return False


def _unwritten(given: Atelier) -> list[RunView]:
    """Trainings that were started here and have no run.json: their data is being read, or could not be."""
    return [
        _preparing(look.id, look.path.name, look.model, "", _BEFORE[look.state], look.said)
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


def _called(given: Atelier, reference: str) -> str:
    """What people call data: never a path."""
    last = reference.rstrip("/").rpartition("/")[2] or reference
    return given.images.called(last) or last


def _images(given: Atelier, found: Watched) -> str | None:
    return given.images.of_folder(found.record.data.reference.rstrip("/").rpartition("/")[2])


def _weights(found: Watched) -> str | None:
    folder = RunFolder(found.path)
    try:
        step = newest_step(folder)
        return None if step is None else weights_hash(folder, step)
    except TvirError:
        return None


def _need_weights(found: Watched) -> str:
    weights = _weights(found)
    if weights is None:
        raise RefusalError("no-weights", f"{found.path.name} has no weights yet", 409)
    return weights


def _is_older(folder: RunFolder) -> bool:
    try:
        return folder.scorecard_path.stat().st_mtime < folder.checkpoints.stat().st_mtime
    except OSError:
        return False


def _findings(findings: list[Finding] | tuple[Finding, ...], language: str) -> list[FindingView]:
    words = load_words(language)
    return [
        FindingView(
            check=finding.check,
            title=check_title(finding.check, language),
            seen=seen_text(finding, language),
            condition=finding.condition,
            condition_name=words(f"health.condition.{finding.condition}"),
            mend=mend_text(finding, language),
        )
        for finding in findings
    ]


def _axes(card: Scorecard, words: Words) -> list[AxisView]:
    views = []
    for axis, rows in score_rows([card]).items():
        found = []
        for row in rows:
            score = row.measured[0]
            half = half_width(score)
            interval = "" if half is None else f"± {row.layout.number(half, words)}"
            floor = "" if row.floor is None else floor_format(row.layout, row.floor).number(row.floor, words)
            found.append(
                ScoreView(
                    metric=row.label(words),
                    value=row.layout.number(score.value, words),
                    interval=interval,
                    floor=floor,
                    better="lower" if row.arrow == "↓" else "higher",
                    about=words.sees(row.metric) or "",
                    first=row.first,
                )
            )
        views.append(AxisView(name=words(f"axis.{axis}"), asks=words(f"axis.{axis}.asks"), scores=found))
    return views
