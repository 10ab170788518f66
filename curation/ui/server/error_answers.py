"""What an exception becomes: JSON for people, of our own; of others only a number leaves the process."""

import json
import logging
import time
import traceback
import uuid
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from curation.ui.server import security_headers
from data.errors import MistakebookError, is_disk_full
from data.store import DiskFull

log = logging.getLogger(__name__)


async def send_json(send: Send, status: int, content: dict[str, Any], headers: list[tuple[bytes, bytes]] | None = None) -> None:
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
            began = began or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception as error:
            if scope["type"] != "http":
                raise
            status, text = self._explain(error, scope["path"])
            if not began:
                await send_json(send, status, {"error": text} if status == 500 else {"error": text, "kind": type(error).__name__})

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


class Secured:
    """Puts the headers of `security_headers` on every answer."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *security_headers.HEADERS]
            await send(message)

        await self.app(scope, receive, sent)
