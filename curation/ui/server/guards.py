"""Who may talk to the app: checks that stand before every route, Gradio's included.

A bare Gradio app lets any website that its user visits call its functions (docs/log.md). Hence: the Host header must name this
machine (against DNS rebinding); whatever may change something must come from our own page (its Origin is the Host) or show the token
of app.json; pages of other sites may link here but not embed or fetch anything. Then the table of routes is asked: whether there is
such a route, whether the role of whoever asks covers it, how large its body may be.
"""

import ipaddress
from collections.abc import Callable
from urllib.parse import SplitResult, quote, urlsplit

from starlette._utils import get_route_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from curation.access.audit import MOST, AuditLog, Event
from curation.access.roles import Role, covers, too_little
from curation.access.users import BadUsers
from curation.ui.server import body_counting
from curation.ui.server.error_answers import send_json
from curation.ui.server.identity import Gate, Headers, Identity, headers_of
from curation.ui.server.route_table import RouteTable, Rule, rules

READING = ("GET", "HEAD")
UNLOGGED: tuple[Role, ...] = ("anybody", "reader")  # roles whose routes change nothing
ONLY_SHOW = ("POST /api/access/users", "POST /api/access/events", "POST /api/data/preview", "POST /api/review/assign/preview")
NO_BODY = ("POST /api/review/decide", "POST /api/review/decisions")  # the log of reviews says what was decided


def is_loopback(host: str) -> bool:
    """Whether a host name or address (no port) is this machine's own."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


class Guard:
    """Refuses requests; puts who asks into scope["login"], scope["role"] and scope["identity"]. Pure ASGI, so that streams stay streams."""

    def __init__(self, app: ASGIApp, gate: Gate, audit: AuditLog, seen: Callable[[], None] = lambda: None):
        self.app, self.gate, self.audit, self.seen = app, gate, audit, seen
        self.allow_hosts = {host.lower() for host in gate.settings.allow_hosts}
        self.table = RouteTable(rules())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        headers = headers_of(scope)
        host = self.gate.host(scope, headers)
        if refusal := self._wrong_host(host):
            return await _refuse(scope, send, 400, refusal)
        rule = self.table.find(scope["method"], get_route_path(scope)) if scope["type"] == "http" else None
        try:
            identity = self.gate.identify(scope, headers)
        except BadUsers as error:
            return await _refuse(scope, send, 503, str(error))
        if identity is None and (rule is None or rule.role != "anybody"):
            return await self._ask_to_log_in(scope, send, headers)
        if not (identity and identity.by_token) and (refusal := self._wrong_origin(scope, headers, host)):
            return await _refuse(scope, send, 403, refusal)
        self.seen()
        if rule is None:
            return await _refuse(scope, send, 404, f"there is nothing at {scope['path']}")
        if refusal := body_counting.announced_too_large(rule, headers):
            return await _refuse(scope, send, 413, refusal, [(b"connection", b"close")])
        identity = identity or Identity(None, "anybody")
        scope["login"], scope["role"], scope["identity"] = identity.name, identity.role, identity
        await self._logged(rule, identity, scope, headers, body_counting.counted(rule, receive), send)

    async def _logged(self, rule: Rule, identity: Identity, scope: Scope, headers: Headers, receive: Receive, send: Send) -> None:
        """Hands the request on, or refuses it by its role; the audit log gets what changes something and what is refused."""
        allowed = covers(identity.role, rule.role)
        asked, status = bytearray(), 500
        keeps = headers.get("content-type", "").startswith("application/json") and rule.route not in NO_BODY

        async def received() -> Message:
            message = await receive()
            if keeps and len(asked) < MOST:
                asked.extend(message.get("body", b"")[: MOST - len(asked)])
            return message

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            if allowed:
                await self.app(scope, received, sent)
            else:
                await _refuse(scope, sent, 403, too_little(identity.role, rule.role, rule.route.partition(" ")[2]))
        finally:
            if not allowed or (rule.role not in UNLOGGED and rule.route not in ONLY_SHOW):
                about = (identity.name or "", identity.role, self.gate.address(scope, headers))
                self.audit.note(Event(*about, rule.route, scope["path"], asked.decode("utf-8", "replace"), status))

    def _wrong_host(self, host: str) -> str | None:
        name = (_parts(host).hostname or "").lower()
        if is_loopback(name) or name in self.allow_hosts:
            return None
        return f"this app does not accept the host name {name!r}; to allow it, start the app with --allow-host {name}"

    def _wrong_origin(self, scope: Scope, headers: Headers, host: str) -> str | None:
        site = headers.get("sec-fetch-site", "none")
        if scope["type"] == "http" and scope["method"] in READING:
            top = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
            return None if site in ("none", "same-origin") or top else "requested by another site; open the app in a tab of its own"
        origin = headers.get("origin")
        if origin is not None and _parts(origin, "").netloc.lower() != host.lower():
            return f"a page of {origin} sent this; only the app's own pages may{self._way_out(headers, origin, host)}"
        if site in ("cross-site", "same-site"):
            return "a page of another site sent this; only the app's own pages may"
        if origin is None:
            return "the request names no Origin: send it from the app's page, or with the token of app.json (the mistakebook command does)"
        return None

    def _way_out(self, headers: Headers, origin: str, host: str) -> str:
        """What to do where a proxy stands in front that doesn't pass on the name that the browser asked for."""
        name = _parts(origin, "").hostname
        if not name or is_loopback(name):
            return ""
        forwarded = headers.get("x-forwarded-host")
        behind = f" The request came with Host {host!r}" + (f" and X-Forwarded-Host {forwarded!r}." if forwarded else ".")
        return (
            f".{behind} If {name} is a proxy in front of this app, let it pass the browser's Host on (nginx: proxy_set_header Host "
            f"$host;) or name it with --trust-proxy, and start the app with --allow-host {name}: docs/security.md"
        )

    async def _ask_to_log_in(self, scope: Scope, send: Send, headers: Headers) -> None:
        if scope["type"] == "http" and scope["method"] in READING and "text/html" in headers.get("accept", ""):
            query = f"?{scope['query_string'].decode('latin-1')}" if scope.get("query_string") else ""
            to = f"{scope.get('root_path', '').rstrip('/')}/login?next={quote(query, safe='')}"
            found = [(b"location", to.encode()), (b"cache-control", b"no-store")]
            await send({"type": "http.response.start", "status": 303, "headers": found})
            return await send({"type": "http.response.body", "body": b""})
        await _refuse(scope, send, 401, "log in first: open the app in a browser, or send the token of app.json")


def _parts(host: str, prefix: str = "//") -> SplitResult:
    try:
        return urlsplit(f"{prefix}{host}")
    except ValueError:  # "[": no address
        return urlsplit("")


async def _refuse(scope: Scope, send: Send, status: int, text: str, headers: list[tuple[bytes, bytes]] | None = None) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": text[:120]})
        return
    await send_json(send, status, {"error": text}, headers)
