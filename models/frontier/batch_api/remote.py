"""The Batch API as the openai package reaches it: upload, submit, look, cancel, read. What passes is waited out."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from models.frontier.batch_api.calls_file import ENDPOINT, result_of
from models.paid_calls import http_failures as failures
from models.paid_calls.connection import Link, connect
from models.paid_calls.records import FrontierStopped

TOKEN = "mistakebook"  # the name under which a batch bears its token
ENDED = ("completed", "failed", "expired", "cancelled")
_PAGES = 20  # of 100 batches, looked through for one whose submission was never acknowledged
_PASSING = (failures.LIMITED, failures.UNREACHED, failures.HUNG, failures.BROKEN)


class Gone(FrontierStopped):
    """The endpoint knows nothing (any more) of a batch that it took, or of its results."""


class Remote:
    """Raises FrontierStopped where the endpoint doesn't take it, or can't be reached for long."""

    def __init__(self, link: Link, pause: float = 1.0):
        self._link, self._pause = link, pause
        self._client = connect(link)

    async def close(self) -> None:
        await self._client.close()

    async def upload(self, path: Path) -> str:
        """The id of the uploaded file."""
        uploaded = await self._patiently("upload a file of calls", lambda: self._client.files.create(file=path, purpose="batch"))
        return uploaded.id

    async def submit(self, token: str, file_id: str) -> str:
        """The id of the new batch; of the one that exists, where an earlier try got through unnoticed."""

        async def once() -> str:
            if found := await self._find(token, file_id):
                return found
            made = await self._client.batches.create(
                completion_window="24h", endpoint=ENDPOINT, input_file_id=file_id, metadata={TOKEN: token}
            )
            return made.id

        return await self._patiently("submit a batch", once)

    async def _find(self, token: str, file_id: str) -> str | None:
        after: dict[str, str] = {}
        for _ in range(_PAGES):
            page = await self._client.batches.list(limit=100, **after)
            for batch in page.data:
                if batch.input_file_id == file_id or (batch.metadata or {}).get(TOKEN) == token:
                    return batch.id
            if not page.data or not page.has_more:
                return None
            after = {"after": page.data[-1].id}
        return None

    async def look(self, remote_id: str) -> Any:
        """The batch as it stands: an openai Batch. Raises Gone."""
        return await self._patiently("ask for a batch", lambda: self._found(remote_id, self._client.batches.retrieve))

    async def cancel(self, remote_id: str) -> None:
        """Asks once; a batch that has ended already is none to cancel."""
        try:
            await self._client.batches.cancel(remote_id)
        except failures.expected():
            return

    async def lines(self, file_id: str) -> AsyncIterator[str]:
        """The lines of an output or error file. Raises Gone."""
        content = await self._patiently("read the results of a batch", lambda: self._found(file_id, self._client.files.content))
        for line in content.text.split("\n"):  # splitlines() also splits at what may stand in a reply, such as U+2028
            if line.strip():
                yield line

    async def _found(self, name: str, call: Callable[[str], Awaitable[Any]]) -> Any:
        import openai

        try:
            return await call(name)
        except openai.NotFoundError as error:
            hint = "was it made with another key? A day after it was sent its calls count as lost, and are asked again"
            raise Gone(f"{self._link.base_url} has no {name} of a batch that it took; {hint}", True) from error

    def result_of(self, line: str) -> tuple[str, str | failures.Failure]:
        """As _batch_file.result_of; what went wrong bears no key."""
        key, result = result_of(line, self._link.api_key is not None, self._link.key_env)
        if isinstance(result, failures.Failure):
            result = replace(result, cause=failures.redact(result.cause, self._link.api_key))
        return key, result

    async def forget(self, file_id: str) -> None:
        """Deletes an uploaded file that is of no more use; whether or not that works, nothing depends on it."""
        try:
            await self._client.files.delete(file_id)
        except failures.expected():
            return

    async def _patiently(self, doing: str, call: Callable[[], Awaitable[Any]]) -> Any:
        for attempt in range(self._link.attempts):
            try:
                return await call()
            except failures.expected() as error:
                failure = failures.from_exception(error, self._link.api_key is not None, self._link.key_env)
            if failure.kind not in _PASSING:
                break
            await asyncio.sleep(max(failure.retry_after or 0.0, min(30.0, self._pause * 2**attempt)))
        cause = failures.redact(failure.cause, self._link.api_key)
        hint = "; does it have a Batch API? Start without batch otherwise" if "HTTP 404" in cause or "HTTP 405" in cause else ""
        resumable = failure.resumable or failure.kind in _PASSING
        raise FrontierStopped(f"{self._link.base_url}: could not {doing}: {cause}{hint}", resumable)
