"""Failures of HTTP calls, classified: stop the job, fail the row, wait and try again, or ask without what the server doesn't support."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import cache
from time import time
from typing import Any

from models.paid_calls.keys import not_found
from models.paid_calls.rate_limits import duration


class FailureKind(StrEnum):
    STOP = "stop"  # nothing will work until a person acts
    ROW = "row"  # this request is not acceptable; others may be
    REFUSED = "refused"  # a content policy doesn't let it through
    UNSUPPORTED = "unsupported"  # a 400 or 422, or a server's template failing: perhaps only a feature that this server doesn't have
    RATE_LIMITED = "rate limited"  # 429
    UNREACHABLE = "unreachable"  # no connection: nothing was sent
    TIMED_OUT = "timed out"  # no reply in time
    BROKEN = "broken"  # 5xx, reset, truncated body


_TRANSIENT = (FailureKind.RATE_LIMITED, FailureKind.UNREACHABLE, FailureKind.TIMED_OUT, FailureKind.BROKEN)
_LONGEST_WAIT = 600.0  # seconds; an endpoint that asks for more has no quota left

_QUOTA = re.compile(
    r"insufficient_quota|insufficient (funds|credit|balance)|credit balance|out of credits|key limit exceeded|hard_limit"
    r"|perday|per day|\brpd\b"
)
_MAYBE_QUOTA = re.compile(r"exceeded your current quota|billing")  # Gemini and OpenAI say so of limits per minute too
_POLICY = re.compile(
    r"content_?\s?(policy|filter|management)|responsibleai|input was flagged|requires moderation|safety (system|filter|setting)"
    r"|prohibited_content|output blocked|violat\w+ .{0,60}polic"
)
_BAD_KEY = re.compile(r"api[ _]key (not valid|not found|expired)|(invalid|incorrect)[ _]api[ _]key|api_key_invalid")
_TOO_MUCH = re.compile(
    r"context_length|maximum context|context (size|window|length)|too many (input )?tokens|too (large|long|big)|tokens_limit"
    r"|(image|mmproj|multimodal|vision).{0,60}(not support|unsupported|exceed|could not|invalid|cannot|can't|may be provided|provide the)"
    r"|(not support|unsupported|exceed|could not|invalid|unable).{0,60}\bimages?\b"
)
_GARBLED = re.compile(
    r"json_validate_failed|tool_use_failed|failed_generation|model produced output that does not match|failed to parse tool call"
)
_TEMPLATE = re.compile(r"system.{0,4} role|roles must alternate|jinja|template|grammar|response_format|json_schema|tool_choice|tools param")


@dataclass(frozen=True)
class Failure:
    """A call that brought no reply."""

    kind: FailureKind
    cause: str  # in words, without keys
    retry_after: float | None = None  # seconds
    maybe_billed: bool = False
    body: str | None = None  # a response that came and was no chat completion
    resumable: bool = False
    garbled: bool = False  # UNSUPPORTED: the model's own output didn't fit; another level may suit this row, which says nothing of others
    headers: Mapping[str, str] | None = field(default=None, compare=False, repr=False)  # of the response, where one came

    @property
    def is_transient(self) -> bool:
        """Whether the same call may succeed later."""
        return self.kind in _TRANSIENT


def from_status(status: int, message: str, codes: str, retry_after: float | None, has_key: bool, key_env: str) -> Failure:
    """The meaning of an HTTP error."""
    cause = f"HTTP {status}: {message}"
    text = f"{codes} {message}".lower()
    if status in (400, 403, 422, 451) and _POLICY.search(text):
        return Failure(FailureKind.REFUSED, f"refused: {cause}")
    if status == 402 or (status in (400, 403, 429) and _QUOTA.search(text)):
        return Failure(FailureKind.STOP, f"quota exhausted: {cause}", resumable=True)
    if status == 401 or _BAD_KEY.search(text):
        unset = f"no API key was sent: {not_found(key_env)}"
        return Failure(FailureKind.STOP, f"{cause} ({f'check the key in {key_env}' if has_key else unset})")
    if status in (403, 404):
        return Failure(FailureKind.STOP, cause)
    if status == 429:
        return _limited(cause, text, retry_after)
    if status in (400, 413, 422) and _TOO_MUCH.search(text):
        return Failure(FailureKind.ROW, cause)
    if _GARBLED.search(text):
        return Failure(FailureKind.UNSUPPORTED, f"the model's output didn't fit: {cause}", maybe_billed=True, garbled=True)
    if status in (400, 422, 501):
        return Failure(FailureKind.UNSUPPORTED, cause)
    if status >= 500 and _TOO_MUCH.search(text):  # llama.cpp without an image projector
        return Failure(FailureKind.ROW, cause)
    if status >= 500 and _TEMPLATE.search(text):  # llama.cpp, SGLang: what a chat template raises
        return Failure(FailureKind.UNSUPPORTED, cause)
    if status in (408, 409, 425) or status >= 500:
        return Failure(FailureKind.BROKEN, cause, retry_after)
    return Failure(FailureKind.ROW, cause)


def from_body(body: object, has_key: bool, key_env: str) -> Failure | None:
    """What is wrong with a body of status 200; None if it is a chat completion."""
    if error := _error_in(body):
        message, codes = message_of(error)
        code = codes.partition(" ")[0]
        return from_status(int(code) if code.isdigit() else 500, message, codes, None, has_key, key_env)
    choices = body.get("choices") if isinstance(body, dict) else None
    if not (isinstance(choices, list) and choices and isinstance(choices[0], dict)):
        return Failure(FailureKind.BROKEN, "the response holds no choices", maybe_billed=True)
    return None


def _error_in(body: object) -> dict[str, Any] | None:
    """The error in a body of status 200: of the whole, or (OpenRouter, when its upstream fails midway) of its choice."""
    if not isinstance(body, dict):
        return None
    if body.get("error"):
        return body
    choices = body.get("choices")
    return choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) and choices[0].get("error") else None


def _limited(cause: str, text: str, retry_after: float | None) -> Failure:
    hint = re.search(r"(?:retry|try again) (?:in|after) ([\dhms. ]+(?:second|minute|hour)?)", text)
    if retry_after is None and hint:
        retry_after = duration(hint[1])
    if re.search(r"request too large", text):
        return Failure(FailureKind.ROW, cause)
    if retry_after is not None and retry_after > _LONGEST_WAIT:
        return Failure(
            FailureKind.STOP, f"quota exhausted: {cause} (the endpoint asks to wait {retry_after / 60:.0f} minutes)", resumable=True
        )
    if retry_after is None and _MAYBE_QUOTA.search(text) and "rate limit" not in text and "rate_limit" not in text:
        return Failure(FailureKind.STOP, f"quota exhausted: {cause}", resumable=True)
    return Failure(FailureKind.RATE_LIMITED, cause, retry_after)


@cache
def expected() -> tuple[type[Exception], ...]:
    """Exceptions that a call may raise: the openai package lets httpx2's, aiohttp's and the system's own exceptions through."""
    import aiohttp
    import httpx2
    import openai

    return (openai.OpenAIError, httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, aiohttp.ClientError, OSError, UnicodeError)


def from_exception(error: Exception, has_key: bool, key_env: str) -> Failure:
    """The meaning of what the openai package, httpx2, aiohttp or asyncio raised."""
    import aiohttp
    import openai

    if isinstance(error, openai.APIStatusError):
        message, codes = message_of(error.body) if error.body is not None else (error.message, "")
        headers = error.response.headers
        failure = from_status(error.status_code, message, codes, retry_after(headers), has_key, key_env)
        return replace(failure, headers=headers, body=error.response.text if failure.garbled else None)
    if isinstance(error, UnicodeError):
        return Failure(FailureKind.ROW, f"the request can't be sent as UTF-8: {error}")
    chain: list[BaseException] = [error]
    while (cause := chain[-1].__cause__) is not None:
        chain.append(cause)
    root = chain[-1]
    message = str(root) or type(root).__name__
    # Its aiohttp transport maps resets to ConnectTimeout: only the first cause tells.
    if any(isinstance(part, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError | aiohttp.InvalidURL) for part in chain):
        return Failure(FailureKind.UNREACHABLE, message)
    if any(isinstance(part, asyncio.TimeoutError | aiohttp.ServerTimeoutError) for part in chain):
        return Failure(FailureKind.TIMED_OUT, "timed out waiting for the reply", maybe_billed=True)
    return Failure(FailureKind.BROKEN, f"the connection broke: {message}", maybe_billed=True)


def message_of(body: object) -> tuple[str, str]:
    """(message, codes) of an error body, whichever of the common forms it has; the error's own code comes first."""
    if isinstance(body, list) and body:  # Gemini
        body = body[0]
    inner = body.get("error", body) if isinstance(body, dict) else body
    if isinstance(inner, dict):
        message = inner.get("message") or inner.get("detail") or inner
        return str(message)[:500], " ".join(_codes(inner))
    return " ".join(str(inner).split())[:500] or "no message", ""


def _codes(node: object) -> list[str]:
    """All that vendors call a code, type, status, reason or quota, wherever it stands in an error."""
    if isinstance(node, list):
        return [code for part in node for code in _codes(part)]
    if not isinstance(node, dict):
        return []
    own = [str(node[name]) for name in ("code", "type", "status", "reason", "quotaId") if isinstance(node.get(name), str | int)]
    return own + [code for part in node.values() if isinstance(part, dict | list) for code in _codes(part)]


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait by the headers `retry-after-ms` or `retry-after` (seconds or an HTTP date)."""
    try:
        if "retry-after-ms" in headers:
            seconds = float(headers["retry-after-ms"]) / 1000
        else:
            value = headers.get("retry-after", "")
            seconds = float(value) if re.fullmatch(r"[\d.]+", value) else parsedate_to_datetime(value).timestamp() - time()
    except (ValueError, TypeError):
        return None
    return max(seconds, 0.0)


def redact(text: str, key: str | None) -> str:
    """A text without the key, or anything that looks like one (vendors echo a part of it)."""
    if key:
        text = text.replace(key, "[key]")
    return re.sub(r"\b(sk|key|gsk|xai|AIza)[-_A-Za-z0-9]*[-_*][-_*A-Za-z0-9.]{6,}|\b\S{2,8}\*{4,}\S*", "[key]", text)
