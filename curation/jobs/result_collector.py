"""Collects what the children of jobs have written into the store: each result once, in one transaction with how far was read."""

import threading
from datetime import UTC, datetime
from typing import Any

from curation.jobs.job_folder import JobFolder
from curation.stage import Job, Stage
from data.files import read_lines
from data.store import Store
from data.workspace import Workspace
from models.frontier import Journal
from models.paid_calls.records import Reply

POSITION = "journal position"  # name of the setting
REPLIES_AT_ONCE = 1000


class Collector:
    """One for a store. `collect` may be called by several threads, each for its own job."""

    def __init__(self, store: Store, workspace: Workspace):
        self._store, self._workspace = store, workspace
        self._lock = threading.Lock()
        self._journal: Journal | None = None
        self._remembered = self._position = store.value("journal_position", int) or 0
        self._lost = store.one("lost_position", int)

    def collect(self, stage: Stage[Any], job: Job[Any]) -> int:
        """Stores the next results of a job; returns how many bytes were read (0: nothing new)."""
        offset = self._store.one("job_offset", int, job_id=job.job_id)
        results, end = read_lines(JobFolder(job.folder).results, offset)
        if end == offset:
            return 0
        latest = {result["key"]: result for result in results}
        good = [result for result in latest.values() if "error" not in result]
        bad = [result for result in latest.values() if "error" in result]
        with self._store.write() as write:
            if good:
                stage.collect(write, job, good)
                write.run("row_errors_resolved", job_id=job.job_id, keys=[result["key"] for result in good])
            errors = [{"job_id": job.job_id, "key": r["key"], "error": r["error"], "reply": r.get("reply")} for r in bad]
            write.insert("row_error", errors, replace=True)
            write.run("job_collected", job_id=job.job_id, results_offset=end, good=len(good))
        return end - offset

    def copy_replies(self) -> None:
        """Copies new paid replies and lost calls from the journal, and sums what each job has spent."""
        if not self._workspace.journal.exists():
            return
        with self._lock:
            self._journal = self._journal or Journal(self._workspace.journal)
            while replies := self._journal.scoped_replies(self._position, REPLIES_AT_ONCE):
                rows = [_reply_row(scope, reply) for _, scope, reply in replies]
                with self._store.write() as write:
                    write.insert("reply", rows)
                    for job_id in {row["job_id"] for row in rows} - {None}:
                        write.run("job_spend", job_id=job_id)
                self._position = replies[-1][0]
            while lost := self._journal.lost_calls(self._lost, REPLIES_AT_ONCE):
                with self._store.write() as write:
                    write.insert("lost_call", [_lost_row(*row) for row in lost])
                self._lost = lost[-1][0]

    def remember(self) -> None:
        """Notes how far the journal was copied, so that the next start goes on from there (copying twice would change nothing)."""
        with self._lock:
            if self._position != self._remembered:
                with self._store.write() as write:
                    write.insert("setting", [{"name": POSITION, "value": str(self._position), "author": "collector"}])
                self._remembered = self._position

    def close(self) -> None:
        self.remember()
        with self._lock:
            if self._journal:
                self._journal.close()
                self._journal = None


def _lost_row(
    position: int, scope: str, key: str, endpoint: str, model: str, purpose: str, usd: float, reason: str, at: float
) -> dict[str, Any]:
    where = {"endpoint": endpoint, "model": model, "purpose": purpose}
    job_id = int(scope) if scope.isdecimal() else None
    created_at = datetime.fromtimestamp(at, UTC)
    return {"position": position, "key": key, "job_id": job_id, **where, "worst_usd": usd, "reason": reason, "created_at": created_at}


def _reply_row(scope: str, reply: Reply) -> dict[str, Any]:
    """`scope` is the number of the job that paid, or text of another kind (a test call from the page)."""
    return {
        "key": reply.key,
        "job_id": int(scope) if scope.isdecimal() else None,
        "endpoint": reply.endpoint,
        "model": reply.model,
        "purpose": reply.purpose,
        "body": reply.body,
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.completion_tokens,
        "cached_tokens": reply.cached_tokens,
        "cost_usd": reply.cost_usd,
        "seconds": reply.seconds,
        "created_at": datetime.fromtimestamp(reply.created_at, UTC),
    }
