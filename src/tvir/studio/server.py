"""The studio as a web server: its pages, its API, and the guard around both."""

from __future__ import annotations

import secrets
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from tvir import __version__
from tvir.contracts.errors import TvirError, UsageError
from tvir.contracts.run import write_atomically
from tvir.studio.api import exports, images, judging, learning, live, mine, runs, texts, works
from tvir.studio.atelier import Atelier
from tvir.studio.guard import Door, Guard, Pace, is_loopback
from tvir.studio.refusal import RefusalError
from tvir.studio.shelf import Place
from tvir.workflows.run import load

_PAGES = Path(__file__).with_name("pages")
_ROUTERS = (
    runs.router, live.router, works.router, mine.router, exports.router, learning.router, judging.router,
    images.router, texts.router,
)  # fmt: skip

_LONGEST_MESSAGE = 4 * 2**20
"""Bytes of a WebSocket message."""

_RUNS = Path("runs")


def create_app(atelier: Atelier, door: Door, pace: Pace | None = None) -> FastAPI:
    """The studio as an ASGI application.

    Args:
        atelier: What it works with; closed when the server ends.
        door: Where it listens and what opens it.
        pace: How often a client may ask.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        atelier.close()

    app = FastAPI(
        title="tvir studio", version=__version__, lifespan=lifespan, openapi_url="/api/openapi.json",
        docs_url=None, redoc_url=None,
    )  # fmt: skip
    app.state.atelier = atelier
    app.add_middleware(Guard, door=door, pace=pace)
    app.add_exception_handler(TvirError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _unknown)
    for router in _ROUTERS:
        app.include_router(router)
    app.add_api_route("/", _index, include_in_schema=False)
    app.mount("/pages", GZipMiddleware(_Pages(directory=_PAGES)))
    return app


def open_studio(
    named: Sequence[Path],
    *,
    folder: Path,
    host: str = "127.0.0.1",
    port: int = 8765,
    data: Path | None = None,
    told: Callable[[str], None] = print,
) -> None:
    """Serve the studio until it is interrupted.

    Args:
        named: Runs to create with; none means those that are found.
        folder: Where works are kept.
        host: Address to listen on; beyond this machine a token is demanded.
        port: Port to listen on.
        data: A folder whose files and folders may be learned from; without one only what is built in and pictures
            that people bring.
        told: Hears the link.

    Raises:
        UsageError: A named run is none, the folder of data is none, or nothing can listen on the port.
    """
    for path in named:
        load(path)
    if data is not None and not data.is_dir():
        raise UsageError(f"{data} is no folder; name one with --data-folder whose data may be learned from")
    if not 1 <= port <= 65_535:
        raise UsageError(f"{port} is no port; choose one from 1 to 65535")
    _need_free(host, port)
    folder.mkdir(parents=True, exist_ok=True)
    token = None if is_loopback(host) else secrets.token_urlsafe(24)
    door = Door(host=host, port=port, token=token, secret=_secret(folder))
    atelier = Atelier.at(folder, named, [Place(_RUNS), Place(Path(), depth=1)], _RUNS, data)
    told(f"The studio is open at {door.link}")
    told(f"Works are kept in {folder}. Leave with Ctrl-C.")
    uvicorn.run(
        create_app(atelier, door), host=host, port=port, log_level="warning", access_log=False, server_header=False,
        ws_max_size=_LONGEST_MESSAGE, timeout_graceful_shutdown=2,
    )  # fmt: skip


class _Pages(StaticFiles):
    """The files of the page: asked for anew each time, for a new version may have come."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = "no-cache"
        return response


def _need_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind((host, port))
    except OSError as error:
        raise UsageError(f"the studio cannot listen on {host}:{port} ({error.strerror}); try another --port") from None


def _index() -> FileResponse:
    return FileResponse(_PAGES / "index.html", headers={"Cache-Control": "no-cache"})


def _secret(folder: Path) -> bytes:
    """What cookies are signed with, so that people keep their undo over a restart."""
    path = folder / ".secret"
    if not path.exists():
        write_atomically(path, secrets.token_bytes(32))
        path.chmod(0o600)
    return path.read_bytes()


def _refused(_: Request, error: Exception) -> JSONResponse:
    if isinstance(error, RefusalError):
        return _said(error.status, error.code, str(error))
    return _said(422, "failed", str(error))


def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    return _said(422, "invalid", f"{where}: {first['msg']}")


def _unknown(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return _said(error.status_code, "missing" if error.status_code == 404 else "invalid", str(error.detail))


def _said(status: int, code: str, detail: str) -> JSONResponse:
    return JSONResponse({"code": code, "detail": detail}, status_code=status)
