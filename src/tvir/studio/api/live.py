"""The picture that follows a hand: points in, frames out, over a WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from tvir.contracts.errors import TvirError
from tvir.studio.api.given import Form, PointForm, need_pictures
from tvir.studio.atelier import Atelier
from tvir.studio.frames import frame
from tvir.studio.refusal import RefusalError
from tvir.studio.shelf import Opened

router = APIRouter()

_UNANSWERED = 8
"""Requests of one connection that are being answered; further ones are not read until then."""

_ENOUGH = 4_000_000
"""Characters of a message."""


class Ask(Form):
    """A frame that is wanted."""

    number: int
    """Comes back with the frame."""
    point: PointForm


@router.websocket("/api/runs/{run}/live")
async def live(socket: WebSocket, run: str) -> None:
    """Answer the newest of the points that were sent; those that a newer one overtook get no answer."""
    atelier: Atelier = socket.app.state.atelier
    await socket.accept()
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        try:
            with atelier.lines.held(socket.state.person):
                opened = await run_in_threadpool(atelier.shelf.opened, run)
                need_pictures(opened)
                await _listen(socket, opened, atelier)
        except TvirError as error:
            await socket.send_text(_said(0, error))
            await socket.close(1008)


async def _listen(socket: WebSocket, opened: Opened, atelier: Atelier) -> None:
    client, turn, tasks = secrets.token_hex(8), asyncio.Semaphore(_UNANSWERED), set[asyncio.Task[None]]()
    try:
        while True:
            text = await socket.receive_text()
            await turn.acquire()
            task = asyncio.create_task(_answer(socket, opened, atelier, client, text))
            tasks.add(task)
            task.add_done_callback(lambda done: (turn.release(), tasks.discard(done)))
    finally:
        for task in tasks:
            task.cancel()


async def _answer(socket: WebSocket, opened: Opened, atelier: Atelier, client: str, text: str) -> None:
    number = 0
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        try:
            if len(text) > _ENOUGH:
                raise RefusalError("too-large", "a message is too long", 413)
            ask = Ask.model_validate_json(text)
            number = ask.number
            point = ask.point.resolved(opened, atelier.works)
            row = await asyncio.wrap_future(opened.worker.show(client, point))
            if row is not None:
                await socket.send_bytes(frame(number & 0xFFFFFFFF, row))
        except ValidationError as error:
            first = error.errors()[0]
            await socket.send_text(_said(number, RefusalError("invalid", f"{first['loc']}: {first['msg']}", 422)))
        except TvirError as error:
            await socket.send_text(_said(number, error))


def _said(number: int, error: TvirError) -> str:
    code = error.code if isinstance(error, RefusalError) else "failed"
    return json.dumps({"number": number, "code": code, "detail": str(error)})
