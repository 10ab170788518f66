"""Who sends a request: the command line by the token of app.json, a proxy's user, a session's user; anybody where nobody has a login."""

import hashlib
import ipaddress
import secrets
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie

from starlette.types import Scope

from curation.access.lockout import Lockout
from curation.access.roles import Role
from curation.access.sessions import Sessions
from curation.access.users import Users
from curation.config import BadSettings, Settings

Headers = dict[str, str]


@dataclass(frozen=True)
class Identity:
    """`name` is None where nobody has said one; `by_token`: whoever owns the account that the app runs under."""

    name: str | None
    role: Role
    by_token: bool = False


class Gate:
    """Tells who sends a request. Headers of a proxy count only where they come from one that was named (--trust-proxy)."""

    def __init__(self, settings: Settings, users: Users, sessions: Sessions) -> None:
        self.settings, self.users, self.sessions, self.lockout = settings, users, sessions, Lockout()
        self.cookie = f"mistakebook_{hashlib.sha256(str(users.path).encode()).hexdigest()[:8]}"  # apps of one host share their cookies
        try:
            self._proxies = [ipaddress.ip_network(one) for one in settings.trust_proxies]
        except ValueError as error:
            raise BadSettings(f"--trust-proxy: {error}; expected an address or a network, such as 127.0.0.1 or 10.0.0.0/8") from error

    @property
    def asks_login(self) -> bool:
        """Whether people have to log in: not while there are no users."""
        return bool(self.settings.auth or self._proxies or self.users.all())

    def identify(self, scope: Scope, headers: Headers) -> Identity | None:
        """None: nobody that may enter. Raises BadUsers."""
        token = self.settings.token
        if token and secrets.compare_digest(headers.get("authorization", "").encode(), f"Bearer {token}".encode()):
            return Identity(headers.get("x-mistakebook-reviewer"), "admin", by_token=True)
        if not self.asks_login:
            return Identity(None, "admin")
        if self.by_proxy(scope) and (name := headers.get(self.settings.user_header.lower(), "").strip()):
            known = self.users.all().get(name)
            return Identity(name, known.role if known else self.settings.proxy_role)
        name = self.sessions.find(self._cookie_of(headers)) or ""
        user = self.users.all().get(name)
        return Identity(user.name, user.role) if user else None

    def by_proxy(self, scope: Scope) -> bool:
        """Whether a request comes straight from a trusted proxy."""
        return any(_address(scope) in network for network in self._proxies)

    def address(self, scope: Scope, headers: Headers) -> str:
        """Where a request comes from: as a trusted proxy says, else as the connection does."""
        if self.by_proxy(scope):
            for said in reversed([one.strip() for one in headers.get("x-forwarded-for", "").split(",")]):
                try:
                    number = ipaddress.ip_address(said)
                except ValueError:
                    break
                if not any(number in network for network in self._proxies):
                    return str(number)
        return str(_address(scope))

    def host(self, scope: Scope, headers: Headers) -> str:
        """The name (and port) that the browser asked for."""
        said = headers.get("x-forwarded-host", "").split(",")[0].strip() if self.by_proxy(scope) else ""
        return said or headers.get("host", "")

    def is_secure(self, scope: Scope, headers: Headers) -> bool:
        """Whether the browser's connection is encrypted."""
        return scope.get("scheme") == "https" or (self.by_proxy(scope) and headers.get("x-forwarded-proto") == "https")

    def set_cookie(self, scope: Scope, headers: Headers, value: str) -> str:
        """A Set-Cookie header; an empty value takes the cookie away."""
        path = (scope.get("root_path") or "").rstrip("/") + "/"
        parts = [f"{self.cookie}={value}", f"Path={path}", "HttpOnly", "SameSite=Lax"]
        return "; ".join(parts + ["Secure"] * self.is_secure(scope, headers) + ["Max-Age=0"] * (not value))

    def end_session(self, headers: Headers) -> None:
        self.sessions.end(self._cookie_of(headers))

    def _cookie_of(self, headers: Headers) -> str:
        try:
            found = SimpleCookie(headers.get("cookie", "")).get(self.cookie)
        except CookieError:
            return ""
        return found.value if found else ""


def headers_of(scope: Scope) -> Headers:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def _address(scope: Scope) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        number = ipaddress.ip_address((scope.get("client") or ("0.0.0.0", 0))[0])
    except ValueError:  # a test client's
        return ipaddress.ip_address("0.0.0.0")
    return getattr(number, "ipv4_mapped", None) or number
