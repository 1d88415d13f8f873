"""Who may speak to the studio, from where, how much and how often: decided before a request reaches any feature."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import secrets
import socket
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlencode

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SESSION, PERSON = "tvir_session", "tvir_person"
"""Cookies: who has shown the token, and whose undo and whose drags these are."""

LARGEST_UPLOAD = 16 * 2**20
"""Bytes of a body that is a picture."""

LARGEST_BODY = 2 * 2**20
"""Bytes of any other body."""

_PICTURES = "image/"
_BODIES = ("application/json", _PICTURES)
"""What a body may be; a form of a foreign page can be neither."""

_SAFE = ("GET", "HEAD")
_METHODS = (*_SAFE, "POST", "PUT", "PATCH", "DELETE")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")

_PER_SECOND, _BURST = 100.0, 400.0
"""Requests of one client; a page that is opened needs about thirty at once."""

_CLIENTS = 10_000
"""Clients whose requests are counted; the one that was quiet longest is forgotten first."""

_HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; form-action 'none'; "
        b"frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


@dataclass(frozen=True, kw_only=True)
class Door:
    """Where the studio listens and what opens it.

    Args:
        host: The address it is bound to.
        port: The port it is bound to.
        token: What a link must hold; None lets everybody in who reaches the address.
        secret: Signs the cookies that tell people apart.
    """

    host: str = "127.0.0.1"
    port: int = 8765
    token: str | None = field(default=None, repr=False)
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    @property
    def link(self) -> str:
        """What to open in a browser."""
        shown = {"0.0.0.0": socket.gethostname(), "::": socket.gethostname()}.get(self.host, self.host)
        shown = f"[{shown}]" if ":" in shown else shown
        return f"http://{shown}:{self.port}/" + (f"?{urlencode({'token': self.token})}" if self.token else "")

    def knows_host(self, header: str) -> bool:
        """Whether a Host header names this studio. A foreign name that was rebound to this address does not."""
        name, port = _split_host(header)
        return port == self.port and (name in _LOOPBACK or name == self.host or self._answers_to(name))

    def session(self) -> str:
        """The cookie of those who have shown the token."""
        return hmac.new(self.secret, f"session {self.token}".encode(), "sha256").hexdigest()

    def person(self) -> str:
        """A new cookie for somebody who has none."""
        return self._signed(secrets.token_hex(8))

    def read_person(self, cookie: str) -> str | None:
        """The person a cookie stands for, or None where it was not made here."""
        name = cookie.partition(".")[0]
        return name if hmac.compare_digest(self._signed(name).encode(), cookie.encode()) else None

    def _signed(self, name: str) -> str:
        return f"{name}.{hmac.new(self.secret, f'person {name}'.encode(), 'sha256').hexdigest()[:32]}"

    def _answers_to(self, name: str) -> bool:
        """On all addresses, only numbers and the machine's own name: neither can be rebound by a stranger."""
        if self.host not in ("0.0.0.0", "::"):
            return False
        if name == socket.gethostname().lower():
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine alone."""
    return host in _LOOPBACK


@dataclass
class _Bucket:
    level: float
    filled: float


class Pace:
    """A token bucket for each client.

    Args:
        per_second: Requests that may go on for ever.
        burst: Requests that may come at once.
    """

    def __init__(self, per_second: float = _PER_SECOND, burst: float = _BURST) -> None:
        self.per_second = per_second
        self.burst = burst
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def allows(self, client: str, now: float) -> bool:
        """Count one request of a client."""
        bucket = self._buckets.pop(client, None) or _Bucket(self.burst, now)
        bucket.level = min(self.burst, bucket.level + (now - bucket.filled) * self.per_second)
        bucket.filled = now
        self._buckets[client] = bucket
        if len(self._buckets) > _CLIENTS:
            self._buckets.popitem(last=False)
        if bucket.level < 1:
            return False
        bucket.level -= 1
        return True


class _TooLargeError(Exception):
    pass


class Guard:
    """ASGI middleware around the whole studio.

    Args:
        app: What is guarded.
        door: Where it listens and what opens it.
        pace: How often a client may ask.
    """

    def __init__(self, app: ASGIApp, door: Door, pace: Pace | None = None) -> None:
        self.app = app
        self.door = door
        self.pace = pace or Pace()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        cookies = _cookies(headers.get("cookie", ""))
        person = self.door.read_person(cookies.get(PERSON, ""))
        if refused := self._refused(scope, headers, cookies, person):
            await _refuse(scope, receive, send, *refused)
            return
        if scope["type"] == "http" and (token := _shown_token(scope)) is not None:
            await self._let_in(scope, token, send)
            return
        if not self._has_entered(headers, cookies):
            reason = "open the link that was printed where the studio was started; it holds a token"
            await _refuse(scope, receive, send, 401, "token", reason)
            return
        scope["state"] = {**scope.get("state", {}), "person": person or _anonymous(scope)}
        if scope["type"] == "websocket":
            await self.app(scope, receive, send)
            return
        await self._pass_on(scope, receive, send, headers, person)

    def _refused(
        self, scope: Scope, headers: Headers, cookies: dict[str, str], person: str | None
    ) -> tuple[int, str, str] | None:
        if not self.door.knows_host(headers.get("host", "")):
            return 421, "host", "the studio is not known by the name in the Host header"
        if not self.pace.allows(person or _anonymous(scope), time.monotonic()):
            return 429, "pace", "too many requests; wait a moment"
        if scope["type"] == "websocket":
            return None if self._is_ours(headers) else (403, "origin", "a page from elsewhere may not do this")
        method = scope["method"]
        if method not in _METHODS:
            return 405, "method", f"{method} is not answered"
        if method in _SAFE:
            return None
        # Whoever is no browser sends no Origin, and cannot be tricked by a foreign page either.
        if "origin" in headers and not self._is_ours(headers):
            return 403, "origin", "a page from elsewhere may not do this"
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return 403, "origin", "a page from elsewhere may not do this"
        has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        if has_body and not headers.get("content-type", "").startswith(_BODIES):
            return 415, "type", "a body must be JSON or a picture"
        return None

    def _is_ours(self, headers: Headers) -> bool:
        host = headers.get("host", "")
        return headers.get("origin", "") in (f"http://{host}", f"https://{host}")

    def _has_entered(self, headers: Headers, cookies: dict[str, str]) -> bool:
        if self.door.token is None:
            return True
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        shown = hmac.compare_digest(bearer.encode(), self.door.token.encode())
        return hmac.compare_digest(cookies.get(SESSION, "").encode(), self.door.session().encode()) or shown

    async def _let_in(self, scope: Scope, token: str, send: Send) -> None:
        """Take the token out of the address, so that it stays in no history, and leave a cookie instead."""
        right = self.door.token is not None and hmac.compare_digest(token.encode(), self.door.token.encode())
        headers = [(b"location", b"/"), (b"cache-control", b"no-store"), *_HEADERS]
        if right:
            headers.append((b"set-cookie", _cookie(SESSION, self.door.session())))
        await send({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send, headers: Headers, person: str | None) -> None:
        limit = LARGEST_UPLOAD if headers.get("content-type", "").startswith(_PICTURES) else LARGEST_BODY
        taken, begun = 0, False

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > limit:
                raise _TooLargeError
            return message

        async def dressed(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                extra = list(_HEADERS)
                if scope["path"] == "/" and person is None:
                    extra.append((b"set-cookie", _cookie(PERSON, self.door.person())))
                message = {**message, "headers": [*message.get("headers", []), *extra]}
            await send(message)

        try:
            announced = headers.get("content-length", "0")
            if not announced.isdecimal() or int(announced) > limit:
                raise _TooLargeError
            await self.app(scope, counted, dressed)
        except _TooLargeError:
            if not begun:
                await _refuse(scope, receive, send, 413, "too-large", f"more than the {limit:,} bytes that are read")


def _split_host(header: str) -> tuple[str, int]:
    name, colon, port = header.rpartition(":") if not header.endswith("]") else (header, "", "")
    if not colon:
        name, port = header, "80"
    return name.strip("[]").lower(), int(port) if port.isdecimal() and len(port) < 6 else -1


def _cookies(header: str) -> dict[str, str]:
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(header).items()}
    except CookieError:
        return {}


def _cookie(name: str, value: str) -> bytes:
    return f"{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000".encode()


def _shown_token(scope: Scope) -> str | None:
    if scope["path"] != "/" or scope["method"] != "GET":
        return None
    return parse_qs(scope["query_string"].decode("latin-1")).get("token", [None])[0]


def _anonymous(scope: Scope) -> str:
    """Whoever has no cookie is told apart by address."""
    address = (scope.get("client") or ("nowhere", 0))[0]
    return "at-" + hashlib.blake2b(str(address).encode(), digest_size=8).hexdigest()


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, code: str, reason: str) -> None:
    if scope["type"] == "websocket":
        await receive()  # the connection is asked for before it is refused
        await send({"type": "websocket.close", "code": 1008, "reason": code})
        return
    body = json.dumps({"code": code, "detail": reason}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *_HEADERS]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
