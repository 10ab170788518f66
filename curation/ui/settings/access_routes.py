"""Who may log in, and what was done: for admins, on the Settings page and for the command line."""

import csv
import io
import json
from dataclasses import asdict
from datetime import datetime
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from curation.access.audit import Event, LoggedEvent
from curation.access.roles import GIVEN, Role
from curation.access.sessions import Session
from curation.ui.services import Services, services
from data.spreadsheets import plain_cell

router = APIRouter(prefix="/api/access")
SHOWN = 100
MOST_EXPORTED = 1_000_000


class ShownUser(BaseModel):
    """A user; never the password's hash."""

    name: str
    role: Role
    created_at: str
    password: bool = Field(description="whether they can log in here; others come by a trusted proxy alone")
    sessions: list[Session]


class Access(BaseModel):
    """`asks_login`: whether people have to log in at all."""

    asks_login: bool
    users: list[ShownUser]
    roles: list[Role]
    file: str = Field(description="the file of users")


class Name(BaseModel):
    name: str


class NewRole(Name):
    role: Role


class Which(BaseModel):
    """Events of one person (None: of all), before a number (None: the newest)."""

    who: str | None = None
    before: int | None = None
    refused: bool = False
    limit: int = Field(default=SHOWN, ge=1, le=1000)


@router.post("/users")
def users(request: Request) -> Access:
    return _shown(services(request))


@router.post("/role")
def set_role(request: Request, body: NewRole) -> Access:
    """Gives a user another role, at once."""
    here = services(request)
    here.gate.users.set_role(body.name, body.role)
    return _shown(here)


@router.post("/revoke")
def revoke(request: Request, body: Name) -> Access:
    """Ends all sessions of a user."""
    here = services(request)
    here.gate.sessions.revoke(body.name)
    return _shown(here)


@router.post("/events")
def events(request: Request, body: Which) -> list[LoggedEvent]:
    """The audit log, newest first."""
    here = services(request)
    here.audit.settle()
    return here.store.rows("audit_events", LoggedEvent, **body.model_dump())


@router.get("/events.{form}")
def export(request: Request, form: Literal["csv", "jsonl"]) -> Response:
    """All of the audit log as a file, oldest first; in CSV cells that a spreadsheet would take for formulas begin with an apostrophe."""
    here = services(request)
    here.audit.settle()
    found = here.store.rows("audit_events", LoggedEvent, who=None, before=None, refused=False, limit=MOST_EXPORTED)[::-1]
    rows = [{name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(event).items()} for event in found]
    if form == "jsonl":
        content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    else:
        names = ["number", "created_at", *(name for name in Event.__dataclass_fields__)]
        written = io.StringIO()
        table = csv.writer(written)
        table.writerow(names)
        table.writerows([plain_cell(row[name]) for name in names] for row in rows)
        content = written.getvalue()
    named = {"Content-Disposition": f'attachment; filename="audit.{form}"'}
    return Response(content, media_type="text/csv" if form == "csv" else "application/jsonl", headers=named)


def _shown(here: Services) -> Access:
    standing = here.gate.sessions.all() if here.gate.asks_login else []
    shown = [
        ShownUser(
            name=user.name,
            role=user.role,
            created_at=user.created_at,
            password=bool(user.password),
            sessions=[session for session in standing if session.name == user.name],
        )
        for user in here.gate.users.all().values()
    ]
    return Access(asks_login=here.gate.asks_login, users=shown, roles=list(GIVEN), file=str(here.gate.users.path))
