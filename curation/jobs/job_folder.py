"""A job's folder: what the app and the job's child process tell each other.

spec.json       what to do: stage, options, workspace                              app writes
input.jsonl     the rows, one JSON object a line (Python values come back intact)  app writes
results.jsonl   the results, appended                                              child writes
events.jsonl    messages, progress, the end                                        both write, never at the same time
stop            why the child is to stop: pause, cancel, shutdown                  app writes
log.txt         standard output and error of the child
lock            held by the child while it lives, so that two never work in one folder
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

READ_AT_ONCE = 8 * 2**20  # bytes of results in one transaction
TAIL = 64 * 2**10  # bytes of events.jsonl that hold the latest of each kind

# Exit codes of the child, repeated in its last event (a re-attached child's exit code can't be asked for).
DONE, CRASHED, STOPPED, PAUSED_ITSELF = 0, 1, 3, 4


@dataclass(frozen=True)
class JobFolder:
    folder: Path

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
    def events(self) -> Path:
        return self.folder / "events.jsonl"

    @property
    def stop(self) -> Path:
        return self.folder / "stop"

    @property
    def log(self) -> Path:
        return self.folder / "log.txt"

    @property
    def lock(self) -> Path:
        return self.folder / "lock"

    def read_spec(self) -> dict[str, Any]:
        return json.loads(self.spec.read_text(encoding="utf-8"))

    def write_spec(self, spec: dict[str, Any]) -> None:
        temporary = self.spec.with_suffix(".new")
        temporary.write_text(json.dumps(spec, indent=1, ensure_ascii=False), encoding="utf-8")
        temporary.replace(self.spec)

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
        with self.events.open("ab", buffering=0) as file:
            file.write(json.dumps(event, ensure_ascii=False).encode() + b"\n")

    def last_events(self) -> dict[str, dict[str, Any]]:
        """The latest event of each kind, as far as the end of the file holds it."""
        size = self.events.stat().st_size if self.events.exists() else 0
        start = max(0, size - TAIL)
        found, _ = read_lines(self.events, start, TAIL, skip_first=start > 0)
        return {event["event"]: event for event in found}

    def log_tail(self, size: int = 16 * 2**10) -> str:
        """The last `size` bytes of the log."""
        return tail(self.log, size)


def read_lines(path: Path, offset: int, limit: int = READ_AT_ONCE, skip_first: bool = False) -> tuple[list[dict[str, Any]], int]:
    """Whole lines of JSON from a byte offset on, about `limit` bytes of them, and the offset behind them.

    A line that is still being written is left for the next call. `skip_first`: the offset lies inside a line.
    """
    if not path.exists():
        return [], offset
    with path.open("rb") as file:
        file.seek(offset)
        content = file.read(limit)
        if len(content) == limit and not content.endswith(b"\n"):
            content += file.readline()
    whole = content[: content.rfind(b"\n") + 1]
    lines = whole.splitlines()
    return [json.loads(line) for line in lines[1 if skip_first else 0 :]], offset + len(whole)


def cut_torn_line(path: Path) -> None:
    """Cuts what stands behind the last newline: a line that a killed process did not finish."""
    if not path.exists():
        return
    with path.open("rb+") as file:
        end = file.seek(0, 2)
        position, content = end, b""
        while position > 0 and b"\n" not in content:
            step = min(position, 2**16)
            position -= step
            file.seek(position)
            content = file.read(step) + content
        file.truncate(position + content.rfind(b"\n") + 1)


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


def tail(path: Path, size: int) -> str:
    """The last `size` bytes of a text file, whole lines."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        end = file.seek(0, 2)
        file.seek(max(0, end - size))
        text = file.read().decode("utf-8", "replace")
    return text if end <= size else text.partition("\n")[2]
