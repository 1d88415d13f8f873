"""Judging: what the doctor says of a run, and its scorecard."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from tvir.contracts.health import Condition, Finding
from tvir.contracts.metric import Scorecard
from tvir.contracts.run import RunFolder
from tvir.reports.health import check_title, mend_text, seen_text
from tvir.reports.language import Words, load_words
from tvir.reports.numbers import floor_format, half_width
from tvir.reports.scores import score_rows
from tvir.studio import watching
from tvir.studio.api.given import GivenAtelier, Language
from tvir.studio.api.watched import GivenWatched, RunView, need_weights, run_view, weights_of
from tvir.studio.shelf import run_identity
from tvir.workflows.doctor import read_health

router = APIRouter(prefix="/api/learning", tags=["judging"])

_HTML: dict[int | str, dict[str, Any]] = {200: {"content": {"text/html": {}}}}


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


@router.get("/runs/{run}/health")
def health(found: GivenWatched, given: GivenAtelier, language: Language = "en") -> HealthView:
    """What the doctor says of a run."""
    content = given.inspections.health(found.path, weights_of(found) or "none")
    whole = None if content is None else read_health(content)
    return HealthView(
        log=_findings(given.watcher.findings(found.path, found.share), language),
        whole=None if whole is None else _findings(whole.findings, language),
        examining=given.inspections.is_examined(found.path),
        trouble=given.inspections.trouble(found.path),
    )


@router.post("/runs/{run}/examination", status_code=202)
def examine(found: GivenWatched, given: GivenAtelier) -> RunView:
    """Have the doctor look at the newest weights as well."""
    given.inspections.examine(found.path, need_weights(found))
    return run_view(given, found)


@router.get("/runs/{run}/scorecard")
def scores(found: GivenWatched, given: GivenAtelier, language: Language = "en") -> ScorecardView:
    """How a run was judged: every score with its interval and its floor."""
    card, folder = watching.scorecard(found.path), RunFolder(found.path)
    return ScorecardView(
        judging=given.inspections.is_judged(found.path),
        trouble=given.inspections.trouble(found.path),
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
    need_weights(found)
    given.inspections.judge(found.path, language, limit)
    return run_view(given, found)


@router.get("/runs/{run}/report.html", response_class=Response, responses=_HTML)
def report(found: GivenWatched) -> Response:
    """The report of a run as a file; it is never shown as a page of the studio."""
    name = f'attachment; filename="tvir-{run_identity(found.path)}.html"'
    return Response(watching.report(found.path), media_type="text/html", headers={"Content-Disposition": name})


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
