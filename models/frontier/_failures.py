"""What a failed call means: stop the job, fail the row, wait and try again, or ask in another dialect."""

import asyncio
import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from time import time

STOP = "stop"  # nothing will work until a person acts
ROW = "row"  # this request is not acceptable; others may be
DIALECT = "dialect"  # a 400 or 422: perhaps only a parameter that this server doesn't know
LIMITED = "limited"  # 429
UNREACHED = "unreached"  # no connection: nothing was sent
BROKEN = "broken"  # 5xx, time-out, reset, truncated body
_LONGEST_WAIT = 300.0


@dataclass(frozen=True)
class Failure:
    kind: str
    cause: str  # in words, without keys
    retry_after: float | None = None  # seconds
    maybe_billed: bool = False
    body: str | None = None  # a response that came and was no chat completion
    resumable: bool = False


def from_status(status: int, message: str, code: str | None, retry_after: float | None, has_key: bool, key_env: str) -> Failure:
    """The meaning of an HTTP error, or of an error object inside a 200."""
    cause = f"HTTP {status}: {message}"
    said = f"{code} {message}".lower()
    if status == 401:
        hint = "check the key" if has_key else "no API key was sent: set it"
        return Failure(STOP, f"{cause} ({hint} in {key_env})")
    if status in (403, 404):
        return Failure(STOP, cause)
    if status == 402 or re.search(
        r"insufficient_quota|exceeded your current quota|billing|insufficient (funds|credit)|credit balance", said
    ):
        return Failure(STOP, f"quota exhausted: {cause}", resumable=True)
    if status == 429:
        return Failure(LIMITED, cause, retry_after)
    if status in (400, 422):
        if re.search(r"content_policy|content_filter|content management policy|responsibleai|context_length|maximum context", said):
            return Failure(ROW, cause)
        return Failure(DIALECT, cause)
    if status in (408, 409, 425) or status >= 500:
        return Failure(BROKEN, cause, retry_after)
    return Failure(ROW, cause)


@cache
def expected() -> tuple[type[Exception], ...]:
    """What a call may raise: the openai package lets httpx2's, aiohttp's and the system's own exceptions through."""
    import aiohttp
    import httpx2
    import openai

    return (openai.OpenAIError, httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, aiohttp.ClientError, OSError, UnicodeError)


def from_exception(error: Exception, has_key: bool, key_env: str) -> Failure:
    """The meaning of what the openai package, httpx2, aiohttp or asyncio raised."""
    import aiohttp
    import openai

    if isinstance(error, openai.APIStatusError):
        headers = error.response.headers
        message, code = message_of(error.body) if error.body is not None else (error.message, None)
        return from_status(error.status_code, message, code, retry_after(headers), has_key, key_env)
    if isinstance(error, UnicodeError):
        return Failure(ROW, f"the request can't be sent as UTF-8: {error}")
    chain = [error]
    while chain[-1].__cause__ is not None:
        chain.append(chain[-1].__cause__)
    root = chain[-1]
    said = str(root) or type(root).__name__
    # Its aiohttp transport maps resets to ConnectTimeout: only the first cause tells.
    if any(isinstance(link, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError | aiohttp.InvalidURL) for link in chain):
        return Failure(UNREACHED, said)
    if any(isinstance(link, asyncio.TimeoutError | aiohttp.ServerTimeoutError) for link in chain):
        return Failure(BROKEN, "timed out waiting for the reply", maybe_billed=True)
    return Failure(BROKEN, f"the connection broke: {said}", maybe_billed=True)


def message_of(body: object) -> tuple[str, str | None]:
    """(message, code) of an error body, whichever of the common forms it has."""
    if isinstance(body, dict):
        inner = body.get("error", body)
        if isinstance(inner, dict):
            message = inner.get("message") or inner.get("detail") or inner
            return str(message)[:500], str(inner.get("code") or inner.get("type") or "") or None
        return str(inner)[:500], None
    return " ".join(str(body).split())[:200] or "no message", None


def retry_after(headers) -> float | None:
    """Seconds to wait by the headers `retry-after-ms` or `retry-after` (seconds or an HTTP date), capped."""
    try:
        if "retry-after-ms" in headers:
            seconds = float(headers["retry-after-ms"]) / 1000
        else:
            value = headers.get("retry-after", "")
            seconds = float(value) if re.fullmatch(r"[\d.]+", value) else parsedate_to_datetime(value).timestamp() - time()
    except (ValueError, TypeError):
        return None
    return min(max(seconds, 0.0), _LONGEST_WAIT)


def redact(text: str, key: str | None) -> str:
    """A text without the key, or anything that looks like one (vendors echo a part of it)."""
    if key:
        text = text.replace(key, "[key]")
    return re.sub(r"\b(sk|key|gsk|xai|AIza)[-_A-Za-z0-9]*[-_*][-_*A-Za-z0-9.]{6,}|\b\S{2,8}\*{4,}\S*", "[key]", text)
