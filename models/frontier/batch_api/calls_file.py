"""Files of the Batch API: a JSON object a line, a call or its result.

A call   {"custom_id": KEY, "method": "POST", "url": "/v1/chat/completions", "body": {"model": ..., "messages": [...], ...}}
A result {"id": ..., "custom_id": KEY, "response": {"status_code": 200, "body": {...}}, "error": null}
An error {"id": ..., "custom_id": KEY, "response": null, "error": {"code": "batch_expired", "message": ...}}
(OpenAI's API reference, "Batch": the request input object and the request output object.)
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from models.paid_calls import http_failures as failures

ENDPOINT: Literal["/v1/chat/completions"] = "/v1/chat/completions"
MOST_CALLS = 50_000
MOST_BYTES = 100_000_000  # half of what is allowed: the package reads a file whole into memory to send it


@dataclass(frozen=True)
class Limits:
    """What a batch may hold, and how long is waited for what."""

    calls: int = MOST_CALLS
    bytes: int = MOST_BYTES
    quiet_s: float = 2.0  # without a new call: the file is complete
    look_s: tuple[float, float] = (2.0, 60.0)  # between two looks at a batch: longer as it grows older
    busy_s: float = 5.0  # until a call that another process has in hand is tried again


def path_of(folder: Path, token: str) -> Path:
    """Where a batch's calls are gathered until they are uploaded."""
    return folder / f"{token}.jsonl"


def line_of(key: str, body: dict[str, Any]) -> bytes:
    return json.dumps({"custom_id": key, "method": "POST", "url": ENDPOINT, "body": body}, ensure_ascii=False).encode() + b"\n"


class Draft:
    """A file of calls that is being written, within limits."""

    def __init__(self, path: Path, token: str, most_calls: int, most_bytes: int):
        self.path, self.token = path, token
        self.lines = 0
        self._set_aside = False
        self._calls_left, self._bytes_left = most_calls, most_bytes
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("wb")

    def has_room(self, line: bytes) -> bool:
        """Sets room aside for a line, where there is any. One too large for every file goes out alone, for the endpoint to judge."""
        if self._calls_left < 1 or (len(line) > self._bytes_left and self._set_aside):
            return False
        self._set_aside = True
        self._calls_left -= 1
        self._bytes_left -= len(line)
        return True

    def add(self, line: bytes) -> None:
        self._file.write(line)
        self.lines += 1

    def close(self) -> None:
        self._file.close()

    def discard(self) -> None:
        self._file.close()
        self.path.unlink(missing_ok=True)


def result_of(line: str, has_key: bool, key_env: str) -> tuple[str, str | failures.Failure]:
    """(key, the body of a chat completion as text, or what went wrong) of a line of an output or error file.

    Raises ValueError if the line is none.
    """
    result = json.loads(line)
    if not isinstance(result, dict) or not isinstance(result.get("custom_id"), str):
        raise ValueError("no custom_id")
    key, response, error = result["custom_id"], result.get("response"), result.get("error")
    body = response.get("body") if isinstance(response, dict) else None
    status = response.get("status_code", 200) if isinstance(response, dict) else None
    if status == 200 and body:
        return key, failures.from_body(body, has_key, key_env) or json.dumps(body, ensure_ascii=False)
    if status is not None and status != 200:
        message, codes = failures.message_of(body)
        return key, failures.from_status(status, message, codes, None, has_key, key_env)
    message, codes = failures.message_of({"error": error} if error else None)
    return key, failures.Failure(failures.FailureKind.BROKEN, f"{codes}: {message}" if codes else message)
