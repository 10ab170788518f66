"""The HTTP server: /v1/models and /v1/chat/completions, on the loopback interface only."""

import json
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from models.pocket.teacher.faults import RETRY_AFTER, Faults
from models.pocket.teacher.tasks import reply
from models.pocket.teacher.wire import BODY_LIMIT, MODEL, ApiError, completion, read


def application(faults: Faults, log: Path | None = None) -> Starlette:
    """The server's application. With `log` each request leaves a line: its time, task, status, tokens and what it hangs on."""
    began = int(time.time())
    model = {"id": MODEL, "object": "model", "created": began, "owned_by": "mistakebook"}
    note = _writer(log)

    async def models(request: Request) -> Response:
        return JSONResponse({"object": "list", "data": [model]})

    async def one_model(request: Request) -> Response:
        name = request.path_params["name"]
        return JSONResponse(model) if name == MODEL else _refusal(ApiError(404, f"the model {name!r} does not exist", "model_not_found"))

    async def chat(request: Request) -> Response:
        line: dict[str, Any] = {"at": time.time()}
        try:
            raw = await _body(request)
            await faults.before()
            task = read(raw)
            line |= {"task": task.name, "question": task.question, "route": task.fields.get("Route"), "salt": task.salt}
            found = completion(task, faults.after(reply(task)), f"chatcmpl-{uuid.uuid4().hex}", int(time.time()))
            note({**line, "status": 200, "usage": found["usage"]})
            return Response(json.dumps(found, ensure_ascii=False), media_type="application/json")
        except ApiError as error:
            note({**line, "status": error.status, "error": error.body["error"]["message"]})
            return _refusal(error)

    return Starlette(
        routes=[
            Route("/v1/models", models),
            Route("/v1/models/{name}", one_model),
            Route("/v1/chat/completions", chat, methods=["POST"]),
        ],
        exception_handlers={HTTPException: _not_here, Exception: _our_fault},
    )


async def _body(request: Request) -> bytes:
    """The request's body. Raises ApiError 413 as soon as it is too long."""
    chunks, length = [], 0
    try:
        async for chunk in request.stream():
            length += len(chunk)
            if length > BODY_LIMIT:
                raise ApiError(413, f"the body is over {BODY_LIMIT >> 20} MiB; send a smaller image", "request_too_large")
            chunks.append(chunk)
    except ClientDisconnect:
        raise ApiError(400, "the client went away", "client_disconnected") from None
    return b"".join(chunks)


def _writer(log: Path | None) -> Callable[[dict], None]:
    if log is None:
        return lambda line: None
    file = log.open("a", encoding="utf-8", buffering=1)

    def note(line: dict) -> None:
        file.write(json.dumps(line) + "\n")

    return note


def _refusal(error: ApiError) -> Response:
    headers = {"Retry-After": RETRY_AFTER} if error.status == 429 else None
    return JSONResponse(error.body, error.status, headers=headers)


async def _not_here(request: Request, error: Exception) -> Response:
    message = f"{request.method} {request.url.path} is not served; POST /v1/chat/completions and GET /v1/models are"
    return _refusal(ApiError(error.status_code if isinstance(error, HTTPException) else 404, message, "not_found"))


async def _our_fault(request: Request, error: Exception) -> Response:
    return _refusal(ApiError(500, f"pocket-teacher failed: {type(error).__name__}", "server_error"))
