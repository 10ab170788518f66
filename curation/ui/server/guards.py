"""Who may talk to the app: checks that stand before every route, Gradio's included.

A bare Gradio app lets any website that its user visits call its functions (docs/log.md). Hence: the Host header must name this
machine (against DNS rebinding); whatever may change something, and every WebSocket, must come from our own page (its Origin is
the Host) or show the token of app.json; pages of other sites may link here but not embed or fetch anything.
"""

import asyncio
import base64
import binascii
import ipaddress
import json
import logging
import secrets
import time
import traceback
import uuid
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette._utils import get_route_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from curation.ui.server import body_limits
from curation.ui.server.route_table import RouteTable, rules
from data.errors import MistakebookError, is_disk_full
from data.store import DiskFull

READING = ("GET", "HEAD")
WRONG_PASSWORD_WAIT = 0.5  # seconds
log = logging.getLogger(__name__)


def is_loopback(host: str) -> bool:
    """Whether a host name or address (no port) is this machine's own."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


class Guard:
    """Refuses requests by host, login and origin; puts the login into scope["login"]. Pure ASGI, so that streams stay streams."""

    def __init__(
        self,
        app: ASGIApp,
        token: str,
        allow_hosts: tuple[str, ...] = (),
        logins: dict[str, str] | None = None,
        seen: Callable[[], None] = lambda: None,
    ):
        self.app, self.token, self.logins, self.seen = app, token, logins, seen
        self.allow_hosts = {host.lower() for host in allow_hosts}
        self.table = RouteTable(rules())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if refusal := self._wrong_host(headers):
            return await _refuse(scope, send, 400, refusal)
        trusted = bool(self.token) and secrets.compare_digest(headers.get("authorization", "").encode(), f"Bearer {self.token}".encode())
        if trusted:
            scope["login"] = headers.get("x-mistakebook-reviewer")
        elif self.logins is not None:
            scope["login"] = _login(headers, self.logins)
            if scope["login"] is None:
                if "authorization" in headers:
                    await asyncio.sleep(WRONG_PASSWORD_WAIT)
                ask = [(b"www-authenticate", b'Basic realm="Mistakebook", charset="UTF-8"')]
                return await _refuse(scope, send, 401, "log in with a name and password from the app's --auth file", ask)
        if not trusted and (refusal := _wrong_origin(scope, headers)):
            return await _refuse(scope, send, 403, refusal)
        self.seen()
        if scope["type"] == "websocket":
            return await _refuse(scope, send, 404, "no route of this app is a WebSocket")
        rule = self.table.find(scope["method"], get_route_path(scope))
        if rule is None:
            return await _refuse(scope, send, 404, f"there is nothing at {scope['path']}")
        if refusal := body_limits.announced_too_large(rule, headers):
            return await _refuse(scope, send, 413, refusal, [(b"connection", b"close")])
        await self.app(scope, body_limits.counted(rule, receive), send)

    def _wrong_host(self, headers: dict[str, str]) -> str | None:
        name = (urlsplit(f"//{headers.get('host', '')}").hostname or "").lower()
        if is_loopback(name) or name in self.allow_hosts:
            return None
        return f"this app does not accept the host name {name!r}; to allow it, start the app with --allow-host {name}"


def _login(headers: dict[str, str], logins: dict[str, str]) -> str | None:
    """The user that the request logs in as, if the password is right."""
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    known = logins.get(user)
    # compare also for unknown users, so that the time tells nothing
    right = secrets.compare_digest(password.encode(), (known or secrets.token_hex()).encode())
    return user if known and right else None


def _wrong_origin(scope: Scope, headers: dict[str, str]) -> str | None:
    site = headers.get("sec-fetch-site", "none")
    if scope["type"] == "http" and scope["method"] in READING:
        top = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
        return None if site in ("none", "same-origin") or top else "requested by another site; open the app in a tab of its own"
    origin, host = headers.get("origin"), headers.get("host", "")
    if site in ("cross-site", "same-site") or (origin is not None and urlsplit(origin).netloc.lower() != host.lower()):
        return f"a page of {origin or 'another site'} sent this; only the app's own pages may"
    if origin is None:
        return "the request names no Origin: send it from the app's page, or with the token of app.json (the mistakebook command does)"
    return None


async def _refuse(scope: Scope, send: Send, status: int, text: str, headers: list[tuple[bytes, bytes]] | None = None) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": text[:120]})
        return
    await _send_json(send, status, {"error": text}, headers)


async def _send_json(send: Send, status: int, content: dict, headers: list[tuple[bytes, bytes]] | None = None) -> None:
    body = json.dumps(content).encode()
    start = {"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json"), *(headers or [])]}
    await send(start)
    await send({"type": "http.response.body", "body": body})


class Errors:
    """Turns what a route raises into JSON. Our own exceptions are written for people; of others only an id leaves the process."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = False

        async def watched(message: Message) -> None:
            nonlocal began
            if message["type"] == "http.response.start":
                began = True
                message["headers"] = [*message["headers"], (b"x-content-type-options", b"nosniff"), (b"x-frame-options", b"DENY")]
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception as error:
            if scope["type"] != "http":
                raise
            status, text = self._explain(error, scope["path"])
            if not began:
                await _send_json(send, status, {"error": text} if status == 500 else {"error": text, "kind": type(error).__name__})

    def _explain(self, error: Exception, path: str) -> tuple[int, str]:
        if isinstance(error, DiskFull) or is_disk_full(error):
            return 507, "the disk is full: nothing was changed. Free some space and try again"
        if isinstance(error, MistakebookError) and error.status != 500:
            return error.status, str(error)
        if type(error) is ValueError:
            log.warning("refused at %s: %s", path, error, exc_info=error)
            return 400, str(error)
        number = uuid.uuid4().hex[:8]
        log.error("error %s at %s, %s\n%s", number, path, time.strftime("%F %T"), traceback.format_exc())
        return 500, f"internal error ({type(error).__name__}); the app's log has the details under {number}"
