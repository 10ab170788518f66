"""Requests to the Batch API by the openai package: upload, submit, look, cancel, read. Transient failures are retried."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from models.frontier.batch_api.calls_file import ENDPOINT, result_of
from models.paid_calls import http_failures as failures
from models.paid_calls.connection import EndpointConnection, connect
from models.paid_calls.records import FrontierStopped

if TYPE_CHECKING:
    from openai.types import Batch

T = TypeVar("T")
TOKEN = "mistakebook"  # the name under which a batch bears its token
ENDED = ("completed", "failed", "expired", "cancelled")
_PAGES = 20  # of 100 batches, looked through for one whose submission was never acknowledged


class Gone(FrontierStopped):
    """The endpoint knows nothing (any more) of a batch that it took, or of its results."""


class Remote:
    """Raises FrontierStopped where the endpoint doesn't take it, or can't be reached for long."""

    def __init__(self, connection: EndpointConnection, pause: float = 1.0):
        self._connection, self._pause = connection, pause
        self._client = connect(connection)

    async def close(self) -> None:
        await self._client.close()

    async def upload(self, path: Path) -> str:
        """The id of the uploaded file."""
        uploaded = await self._patiently("upload a file of calls", lambda: self._client.files.create(file=path, purpose="batch"))
        return uploaded.id

    async def submit(self, token: str, file_id: str) -> str:
        """The id of the new batch; of the one that exists, where an earlier try got through unnoticed."""

        async def once() -> str:
            if remote_id := await self._find(token, file_id):
                return remote_id
            made = await self._client.batches.create(
                completion_window="24h", endpoint=ENDPOINT, input_file_id=file_id, metadata={TOKEN: token}
            )
            return made.id

        return await self._patiently("submit a batch", once)

    async def _find(self, token: str, file_id: str) -> str | None:
        import openai

        after: str | openai.Omit = openai.omit
        for _ in range(_PAGES):
            page = await self._client.batches.list(limit=100, after=after)
            for batch in page.data:
                if batch.input_file_id == file_id or (batch.metadata or {}).get(TOKEN) == token:
                    return batch.id
            if not page.data or not page.has_more:
                return None
            after = page.data[-1].id
        return None

    async def look(self, remote_id: str) -> "Batch":
        """The batch as it stands. Raises Gone."""
        return await self._patiently("ask for a batch", lambda: self._existing(remote_id, self._client.batches.retrieve))

    async def cancel(self, remote_id: str) -> None:
        """Asks once; a batch that has ended already is none to cancel."""
        try:
            await self._client.batches.cancel(remote_id)
        except failures.expected():
            return

    async def lines(self, file_id: str) -> AsyncIterator[str]:
        """The lines of an output or error file. Raises Gone."""
        content = await self._patiently("read the results of a batch", lambda: self._existing(file_id, self._client.files.content))
        for line in content.text.split("\n"):  # splitlines() also splits at what may stand in a reply, such as U+2028
            if line.strip():
                yield line

    async def _existing(self, name: str, call: Callable[[str], Awaitable[T]]) -> T:
        import openai

        try:
            return await call(name)
        except openai.NotFoundError as error:
            hint = "was it made with another key? A day after it was sent its calls count as lost, and are asked again"
            raise Gone(f"{self._connection.base_url} has no {name} of a batch that it took; {hint}", True) from error

    def result_of(self, line: str) -> tuple[str, str | failures.Failure]:
        """As calls_file.result_of; what went wrong bears no key."""
        key, result = result_of(line, self._connection.api_key is not None, self._connection.key_env)
        if isinstance(result, failures.Failure):
            result = replace(result, cause=failures.redact(result.cause, self._connection.api_key))
        return key, result

    async def forget(self, file_id: str) -> None:
        """Deletes an uploaded file that is of no more use; whether or not that works, nothing depends on it."""
        try:
            await self._client.files.delete(file_id)
        except failures.expected():
            return

    async def _patiently(self, doing: str, call: Callable[[], Awaitable[T]]) -> T:
        for attempt in range(self._connection.attempts):
            try:
                return await call()
            except failures.expected() as error:
                failure = failures.from_exception(error, self._connection.api_key is not None, self._connection.key_env)
            if not failure.is_transient:
                break
            await asyncio.sleep(max(failure.retry_after or 0.0, min(30.0, self._pause * 2**attempt)))
        cause = failures.redact(failure.cause, self._connection.api_key)
        hint = "; does it have a Batch API? Start without batch otherwise" if "HTTP 404" in cause or "HTTP 405" in cause else ""
        resumable = failure.resumable or failure.is_transient
        raise FrontierStopped(f"{self._connection.base_url}: could not {doing}: {cause}{hint}", resumable)
