"""Logging in and out: a page of its own, without Gradio, for whoever may not see the others yet."""

import math
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel, Field

from curation.access.audit import Event
from curation.access.passwords import LONGEST
from curation.access.roles import Role
from curation.ui.server.identity import headers_of
from curation.ui.services import services

router = APIRouter()
PAGE = Path(__file__).with_name("page.html")


class Credentials(BaseModel):
    name: str = Field(max_length=80)
    password: str = Field(max_length=LONGEST)


class LoggedIn(BaseModel):
    name: str
    role: Role


class LoggedOut(BaseModel):
    ok: bool = True


@router.get("/login")
def page() -> HTMLResponse:
    return HTMLResponse(PAGE.read_text(encoding="utf-8"), headers={"Cache-Control": "no-store"})


@router.post("/login")
def log_in(request: Request, body: Credentials) -> Response:
    """Begins a session; its cookie comes with the answer. Guesses get slower (curation/access/lockout.py)."""
    here, headers = services(request), headers_of(request.scope)
    gate = here.gate
    address = gate.address(request.scope, headers)

    def refused(status: int, text: str, what: str, more: dict[str, str] | None = None) -> Response:
        here.audit.note(Event(body.name, "anybody", address, what, "/login", "", status))
        return JSONResponse({"error": text}, status, more)

    if wait := gate.lockout.attempt(body.name, address):
        seconds = math.ceil(wait)
        text = f"too many wrong passwords; try again in {seconds} s"
        return refused(429, text, "log in while locked out", {"Retry-After": str(seconds)})
    user = gate.users.check(body.name, body.password)
    if user is None:
        return refused(401, "wrong name or password", "wrong password")
    gate.lockout.succeeded(body.name, address)
    cookie = gate.sessions.begin(user.name, address)
    here.audit.note(Event(user.name, user.role, address, "log in", "/login", "", 200))
    answer = LoggedIn(name=user.name, role=user.role).model_dump()
    return JSONResponse(answer, headers={"Set-Cookie": gate.set_cookie(request.scope, headers, cookie), "Cache-Control": "no-store"})


@router.post("/logout")
def log_out(request: Request) -> Response:
    """Ends the session, here and on the server."""
    here, headers = services(request), headers_of(request.scope)
    here.gate.end_session(headers)
    about = (request.scope.get("login") or "", request.scope["role"], here.gate.address(request.scope, headers))
    here.audit.note(Event(*about, "log out", "/logout", "", 200))
    return JSONResponse(LoggedOut().model_dump(), headers={"Set-Cookie": here.gate.set_cookie(request.scope, headers, "")})
