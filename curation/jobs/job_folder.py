"""A job's folder: what the app and the job's child process tell each other.

spec.json       what to do: stage, options, workspace                              app writes
input.jsonl     the rows, one JSON object a line (Python values come back intact)  app writes
results.jsonl   the results, appended                                              child writes
skipped.jsonl   what of a source gave no row: where it stands, reason, error           app writes, where a stage has any
events.jsonl    messages, progress, the end with its exit code (data/child_work.py)   both write, never at the same time
stop            why the child is to stop: pause, cancel, shutdown                  app writes
log.txt         standard output and error of the child
lock            held by the child while it lives, so that two never work in one folder
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from data.child_work import WorkFolder
from data.files import READ_AT_ONCE, append_line, read_lines, tail, write_whole

TAIL = 64 * 2**10  # bytes of events.jsonl that hold the latest of each kind


class JobSpec(BaseModel):
    """What a job's child is to do."""

    job_id: int
    stage: str
    options: dict[str, Any]
    workspace: Path
    total: int  # rows
    retry_before: int = 0  # bytes of results: rows whose error stands before it are tried again


class SkippedLine(BaseModel):
    """A line of a source that gave no row."""

    source: str = Field(description="file and line")
    reason: str
    error: str


@dataclass(frozen=True)
class JobFolder(WorkFolder):
    @property
    def spec(self) -> Path:
        return self.folder / "spec.json"

    @property
    def input(self) -> Path:
        return self.folder / "input.jsonl"

    @property
    def results(self) -> Path:
        return self.folder / "results.jsonl"

    @property
    def skipped(self) -> Path:
        return self.folder / "skipped.jsonl"

    def skipped_lines(self, offset: int = 0, limit: int = 100) -> list[SkippedLine]:
        """Lines of the source that gave no row, in their order: at most `limit`, behind the first `offset`."""
        if not self.skipped.exists():
            return []
        with self.skipped.open("rb") as file:
            return [SkippedLine.model_validate_json(line) for line in islice(file, offset, offset + limit)]

    def skipped_count(self) -> int:
        if not self.skipped.exists():
            return 0
        with self.skipped.open("rb") as file:
            return sum(1 for _ in file)

    def read_spec(self) -> JobSpec:
        return JobSpec.model_validate_json(self.spec.read_bytes())

    def write_spec(self, spec: JobSpec) -> None:
        write_whole(self.spec, spec.model_dump_json(indent=1))

    def write_input(self, rows: Iterable[dict[str, Any]]) -> int:
        """Writes the rows; returns their number."""
        count = 0
        with self.input.open("w", encoding="utf-8") as file:
            for count, row in enumerate(rows, 1):  # noqa: B007
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        return count

    def rows(self) -> Iterator[dict[str, Any]]:
        with self.input.open(encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)

    def append_event(self, event: dict[str, Any]) -> None:
        append_line(self.events, event)

    def last_events(self) -> dict[str, dict[str, Any]]:
        """The latest event of each kind since the job was last launched, as far as the end of the file holds it.

        What is later is told by the place in the file, never by a time: the clock may have been set back.
        """
        size = self.events.stat().st_size if self.events.exists() else 0
        start = max(0, size - TAIL)
        events, _ = read_lines(self.events, start, TAIL, skip_first=start > 0)
        since = max((place for place, event in enumerate(events) if event["event"] == "launched"), default=0)
        return {event["event"]: event for event in events[since:]}

    def log_tail(self, size: int = 16 * 2**10) -> str:
        """The last `size` bytes of the log."""
        return tail(self.log, size)


def earlier_results(path: Path, retry_before: int = 0) -> tuple[set[str], Counter[str]]:
    """(keys that need no more work, how often each key failed).

    Done are keys with a good result, and those whose error stands at or behind byte `retry_before`: earlier ones are asked again.
    """
    finished: set[str] = set()
    errors: Counter[str] = Counter()
    offset = 0
    while True:
        before = offset < retry_before
        results, end = read_lines(path, offset, min(READ_AT_ONCE, retry_before - offset) if before else READ_AT_ONCE)
        if end == offset:
            return finished, errors
        finished |= {r["key"] for r in results if "error" not in r or not before}
        errors.update(r["key"] for r in results if "error" in r)
        offset = end
