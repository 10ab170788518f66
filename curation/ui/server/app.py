"""The server: guards, our own JSON and picture routes, and (unless headless) the pages."""

import mimetypes
import time
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError
from starlette.datastructures import State
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from curation.access.audit import AuditLog
from curation.access.sessions import Sessions
from curation.access.users import Users
from curation.config import Settings
from curation.jobs.manager import JobManager
from curation.ui.frame import routes as frame_routes
from curation.ui.jobs import routes as job_routes
from curation.ui.login import routes as login_routes
from curation.ui.server import command_routes, pages
from curation.ui.server.content_policy import ContentPolicy
from curation.ui.server.error_answers import Errors, Secured
from curation.ui.server.guards import Guard
from curation.ui.server.identity import Gate
from curation.ui.services import Services, services
from curation.ui.shared import search_routes
from data.images import ImageStore, ThumbnailSize
from data.search import Search
from data.store import Store
from data.workspace import Workspace

SIZES: dict[str, ThumbnailSize] = {"thumb": 96, "card": 256, "large": 1024}  # pixels of the longer side
FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}  # a picture's name is its content's hash


def create_app(workspace: Workspace, store: Store, jobs: JobManager, settings: Settings, headless: bool = False) -> FastAPI:
    """The app on an open workspace; nothing is started. `app.state.services` is what handlers work with."""
    app = FastAPI(title="Mistakebook", docs_url=None, redoc_url=None, openapi_url=None, root_path=settings.root_path)
    users, audit = Users(settings.auth), AuditLog(store)
    gate = Gate(settings, users, Sessions(users.path.parent))
    images, search = ImageStore(workspace.images), Search(store, workspace.search)
    app.state.services = Services(store, workspace, jobs, settings, images, search, gate, audit)
    app.state.last_request, app.state.under_way = time.monotonic(), 0
    for refusal in (HTTPException, RequestValidationError, ValidationError):
        app.add_exception_handler(refusal, _refused)
    for router in (login_routes.router, frame_routes.router, job_routes.router, command_routes.router, search_routes.router):
        app.include_router(router)
    for router in pages.routers():
        app.include_router(router)
    app.add_api_route("/media/{sha256}/{size}", media, methods=["GET"])
    app.add_api_route("/api/{rest:path}", _no_such_route, methods=["GET", "POST"])  # else the pages' own 404, of another form
    if not headless:
        from curation.ui.server import gradio_pages  # gradio takes seconds to import

        app = gradio_pages.mount(app, app.state.services, settings.root_path or None)
    app.add_middleware(Errors)
    app.add_middleware(Guard, gate=gate, audit=audit, seen=lambda: _note_request(app))
    app.add_middleware(ContentPolicy)
    app.add_middleware(Secured)
    app.add_middleware(UnderWay, state=app.state)
    return app


def media(request: Request, sha256: str, size: str) -> Response:
    """A picture by the hash that the store knows it under: thumb, card, large, or full as it was imported."""
    here = services(request)
    if size != "full" and size not in SIZES:
        raise HTTPException(404, f"no images of size {size!r}; there are: {', '.join(SIZES)}, full")
    if here.store.value("image_known", image=sha256) is None:
        raise HTTPException(404, f"the workspace has no image {sha256}")
    try:
        path = here.images.file(sha256) if size == "full" else here.images.thumbnail(sha256, SIZES[size])
    except FileNotFoundError as error:
        raise HTTPException(404, str(error)) from error
    content = path.read_bytes()  # at once: FileResponse goes to another thread and back for each step, which takes longer than the reading
    return Response(content, headers=FOREVER, media_type=mimetypes.guess_type(path)[0])


def _no_such_route(request: Request, rest: str) -> None:
    raise HTTPException(404)


class UnderWay:
    """Counts the requests that are being answered: an app without pages doesn't end in the middle of one."""

    def __init__(self, app: ASGIApp, state: State) -> None:
        self.app, self._state = app, state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        self._state.under_way += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._state.under_way -= 1
            self._state.last_request = time.monotonic()


def _note_request(app: FastAPI) -> None:
    app.state.last_request = time.monotonic()


async def _refused(request: Request, error: Exception) -> JSONResponse:
    """The answer where Starlette or pydantic refuses a request: {"error": text}."""
    if isinstance(error, HTTPException):
        nothing = error.status_code == 404 and error.detail == "Not Found"
        text = f"there is nothing at {request.url.path}" if nothing else error.detail
        return JSONResponse({"error": text}, error.status_code, headers=error.headers)
    if isinstance(error, RequestValidationError):
        return JSONResponse({"error": _clauses(error.errors(), skip=1)}, 422)
    if isinstance(error, ValidationError):  # of options, which routes validate by themselves
        return JSONResponse({"error": _clauses(error.errors(), skip=0)}, 422)
    raise error


def _clauses(errors: Sequence[Mapping[str, Any]], skip: int) -> str:
    """What is wrong, a clause a field: where, what it got, what it wants. `skip` leaves out "body"."""
    clauses = []
    for error in errors:
        where = ".".join(str(part) for part in error["loc"][skip:]) or "the request"
        got = error.get("input")
        told = "" if error["type"] == "missing" or isinstance(got, dict | list) else f" (got {str(got)[:80]!r})"  # the field's alone
        clauses.append(f"{where}: {error['msg'][0].lower()}{error['msg'][1:]}{told}")
    return "; ".join(clauses)
