"""Texts: written piece by piece, continued, varied, walked between, and kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from tvir.contracts.data import TextSpec
from tvir.studio.api.given import Form, GivenAtelier, GivenPerson, GivenRun, Seed, class_name
from tvir.studio.api.works import WorkView, living, work_view
from tvir.studio.refusal import RefusalError
from tvir.studio.shelf import Opened
from tvir.studio.workers import Walk
from tvir.studio.works import Draft
from tvir.studio.writing import Writer, last_of

router = APIRouter(prefix="/api", tags=["texts"])

_GLANCE = 0.02
"""Seconds between two looks at what has been written."""

_LINES: dict[int | str, dict[str, Any]] = {200: {"content": {"application/x-ndjson": {}}}}

Sentence = Annotated[str, Field(min_length=1, max_length=4000)]
Boldness = Annotated[float, Field(ge=0, le=2)]


class AuthorView(BaseModel):
    """What a run of text can be asked for."""

    continues: bool
    """Whether it goes on with what somebody began, piece by piece."""
    varies: bool
    """Whether a sentence has neighbours, and whether there is a way between two."""
    length: int
    """Tokens of a text at most."""


class WriteForm(Form):
    """A text that is wanted: one that goes on from a beginning, or a new one."""

    begun: Annotated[str, Field(max_length=4000)] = ""
    seed: Seed = 0
    temperature: Annotated[float, Field(ge=0.05, le=5)] = 1.0
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    condition: Annotated[int, Field(ge=0, le=10**6)] | None = None
    """Index of the class it is to be of, where there are classes."""


class VaryForm(Form):
    """Neighbours of a sentence that are wanted."""

    sentence: Sentence
    boldness: Boldness = 0.5
    count: Annotated[int, Field(ge=1, le=16)] = 6
    seed: Seed = 0


class BetweenForm(Form):
    """Sentences on the way from one to another."""

    first: Sentence
    last: Sentence
    steps: Annotated[int, Field(ge=2, le=16)] = 7


class TextsView(BaseModel):
    """Sentences that were made."""

    texts: list[str]


class KeepTextForm(Form):
    """A text that shall become a work: how it was asked for, so that it is what the model makes of it."""

    written: WriteForm | None = None
    varied: VaryForm | None = None
    between: BetweenForm | None = None
    index: Annotated[int, Field(ge=0, lt=16)] = 0
    """Which of several."""
    parents: Annotated[list[str], Field(max_length=8)] = Field(default_factory=list)


@router.get("/runs/{run}/author")
def author(opened: GivenRun) -> AuthorView:
    """What a run of text can be asked for."""
    writer = _writer(opened)
    return AuthorView(continues=writer.continues, varies=writer.varies, length=writer.spec.length)


@router.post("/runs/{run}/write", response_class=StreamingResponse, responses=_LINES)
async def write(opened: GivenRun, form: WriteForm) -> StreamingResponse:
    """A text piece by piece: lines of JSON, each with the ``more`` that was written; the last says ``done``."""
    walk = opened.worker.walk(_written(opened, form))
    return StreamingResponse(_lines(walk), media_type="application/x-ndjson", headers={"Cache-Control": "no-store"})


@router.post("/runs/{run}/vary")
def vary(opened: GivenRun, form: VaryForm) -> TextsView:
    """Neighbours of a sentence."""
    return TextsView(texts=_varied(opened, form))


@router.post("/runs/{run}/between")
def between(opened: GivenRun, form: BetweenForm) -> TextsView:
    """Sentences on the way from one to another."""
    return TextsView(texts=_between(opened, form))


@router.post("/runs/{run}/texts", status_code=201)
def keep(opened: GivenRun, form: KeepTextForm, given: GivenAtelier, who: GivenPerson) -> WorkView:
    """Keep a text as a work; it is made anew here, so that a work is what its model makes of it."""
    text, origin, seed, settings = _made(opened, form)
    condition = None if form.written is None else form.written.condition
    draft = Draft(
        kind="text",
        origin=origin,
        weights=opened.listed.weights,
        model=opened.listed.record.model,
        run=opened.listed.path.name,
        seed=seed,
        condition=condition,
        condition_name=class_name(opened.maker, condition),
        settings=settings,
        parents=form.parents,
        text=text,
    )
    return work_view(given.works.keep(who, draft), living(given), who)


def _made(opened: Opened, form: KeepTextForm) -> tuple[str, str, int | None, dict[str, Any]]:
    """The text, how it came about, its seed and its settings."""
    if form.written is not None:
        asked = form.written
        found = opened.worker.do(lambda: last_of(_written(opened, asked)))
        settings: dict[str, Any] = {"temperature": asked.temperature, "top_p": asked.top_p}
        if asked.begun:
            return asked.begun + found, "continued", asked.seed, {"begun": asked.begun, **settings}
        return found, "sampled", asked.seed, settings
    if form.varied is not None:
        told = {"sentence": form.varied.sentence, "boldness": form.varied.boldness}
        return _one(_varied(opened, form.varied), form.index), "varied", form.varied.seed, told
    if form.between is not None:
        found = _one(_between(opened, form.between), form.index)
        share = form.index / (form.between.steps - 1)
        return found, "blended", None, {"first": form.between.first, "last": form.between.last, "share": share}
    raise RefusalError("invalid", "say how the text came about: written, varied or between", 422)


def _written(opened: Opened, form: WriteForm) -> Iterator[str]:
    writer = _writer(opened)
    opened.maker.refuse_unknown_class(form.condition)
    return writer.written(form.begun, form.seed, form.temperature, form.top_p, form.condition)


def _one(texts: list[str], index: int) -> str:
    if index >= len(texts):
        raise RefusalError("invalid", f"there are {len(texts)} texts and no number {index}", 422)
    return texts[index]


def _varied(opened: Opened, form: VaryForm) -> list[str]:
    writer = _writer(opened)
    return opened.worker.do(lambda: writer.varied(form.sentence, form.boldness, form.count, form.seed))


def _between(opened: Opened, form: BetweenForm) -> list[str]:
    writer = _writer(opened)
    return opened.worker.do(lambda: writer.between(form.first, form.last, form.steps))


def _writer(opened: Opened) -> Writer:
    if not isinstance(opened.maker.model.spec, TextSpec):
        raise RefusalError("no-text", f"{opened.run.record.model} does not write text here", 422)
    return Writer(opened.maker.model)


async def _lines(walk: Walk[str]) -> AsyncIterator[str]:
    """What a walk adds to its text, until it is over or nobody listens any more."""
    told = 0
    try:
        while True:
            over = walk.finished.is_set()
            text = walk.newest or ""
            if len(text) > told:
                yield json.dumps({"more": text[told:]}, ensure_ascii=False) + "\n"
                told = len(text)
            if over:
                failed = None if walk.failure is None else str(walk.failure)
                yield json.dumps({"done": True, "failed": failed}, ensure_ascii=False) + "\n"
                return
            await asyncio.sleep(_GLANCE)
    finally:
        walk.stop()
