"""The Content-Security-Policy of each answer, and the nonces of the page's scripts.

What Gradio 6 forces on its page: 'unsafe-eval' (gr.HTML runs js_on_load and its templates by `new Function`) and inline styles (Svelte
and plotly write them). Inline scripts need the nonce of this very answer, so that text of datasets and models never becomes one.
Everything else, the login page too, does without both.
"""

import base64
import hashlib
import re
import secrets
from functools import cache

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from curation.ui.server import module_preload

NOTHING = "default-src 'none'; frame-ancestors 'none'"  # JSON, images, files
SCRIPTED = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}' {preload} 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'self'; "
    "frame-ancestors 'none'"
)
LOGIN = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
REPORT = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:"
)
_SCRIPT = re.compile(rb"<script(?=[\s>])", re.IGNORECASE)


class ContentPolicy:
    """Puts the policy on every answer; into Gradio's page also the nonces of its scripts. Pure ASGI: only that page is held back."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        held: Message | None = None
        nonce, body = secrets.token_urlsafe(16), bytearray()

        async def sent(message: Message) -> None:
            nonlocal held
            if message["type"] == "http.response.start":
                html = any(name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in message["headers"])
                if html and _is_front(scope):
                    held = message
                    return
                policy = (LOGIN if scope["path"].endswith("/login") else REPORT) if html else NOTHING
                message["headers"] = [*message["headers"], (b"content-security-policy", policy.encode())]
            elif held is not None:
                body.extend(message.get("body", b""))
                if message.get("more_body"):
                    return
                content = _SCRIPT.sub(b'<script nonce="' + nonce.encode() + b'"', bytes(body))
                kept = [pair for pair in held["headers"] if pair[0].lower() not in (b"content-length", b"cache-control", b"etag")]
                headers = [
                    (b"content-security-policy", SCRIPTED.format(nonce=nonce, preload=_preload()).encode()),
                    (b"cache-control", b"no-store"),
                ]
                length = (b"content-length", str(len(content)).encode())
                await send({**held, "headers": [*kept, *headers, length]})
                message = {"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else content}
            await send(message)

        if _is_front(scope):  # the page is changed, so it may not come compressed
            scope = {**scope, "headers": [pair for pair in scope["headers"] if pair[0].lower() != b"accept-encoding"]}
        await self.app(scope, receive, sent)


@cache
def _preload() -> str:
    """The hash of our own script in the head, which Gradio's client puts there once more, without the nonce."""
    (script,) = re.findall("<script>(.*?)</script>", module_preload.head(), re.DOTALL)
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _is_front(scope: Scope) -> bool:
    return scope["path"] in ("/", scope.get("root_path", "") + "/")
