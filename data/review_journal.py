"""The journal of decisions: a second, append-only record of what people decided, from which the store's log of reviews can be rebuilt.

One JSON object a line, on disk (fsync) before the decision is acknowledged, written by the store in the transaction that logs the
decision. The last field is the CRC-32 of the line before it, so that a damaged line is known and costs itself alone:

    {"n": 17, "event": "…", "who": "ada", "do": "approve", "ids": [5], "revisions": [0], "marks": ["9f…"], "at": "…", …, "crc": "0a1b2c3d"}

`n` counts the lines, so that a missing one shows. A mark stands for a sample's text and image (`mark_of`): numbers of samples may be
given anew where samples are made again. Which fields a line has beside these: curation/review/journal_lines.py.
"""

import hashlib
import json
import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from data.files import cut_torn_line

MARK = 10  # hexadecimal digits
Line = dict[str, Any]


@dataclass(frozen=True)
class JournalRead:
    """What could be read of a journal. `damaged` are the numbers of lines (from 1) whose checksum is wrong; `missing` how many are gone."""

    lines: list[Line]
    damaged: list[int]
    missing: int


class ReviewJournal:
    """The journal in a file; made with the first decision. One writer: the store, under its lock."""

    def __init__(self, path: Path):
        self.path = path
        self._next: int | None = None

    @contextmanager
    def appended(self, lines: Sequence[Line]) -> Iterator[None]:
        """Writes lines to disk and runs the block; where that fails they are taken out again. Without lines: nothing is done.

        Raises OSError where they can't be written; the file then is as before.
        """
        if not lines:
            yield
            return
        number = self._number()
        content = b"".join(_written({"n": number + i, "at": _now(), **line}) for i, line in enumerate(lines))
        new = not self.path.exists()
        with self.path.open("ab", buffering=0) as file:
            before = file.seek(0, os.SEEK_END)
            try:
                _write_all(file.fileno(), content)
                os.fdatasync(file.fileno())
                if new:
                    _sync_folder(self.path.parent)
                yield
            except BaseException:
                file.truncate(before)
                raise
        self._next = number + len(lines)

    def read(self) -> JournalRead:
        """All sound lines in their order."""
        lines: list[Line] = []
        damaged: list[int] = []
        last = 0
        if self.path.exists():
            with self.path.open("rb") as file:
                for number, content in enumerate(file, 1):
                    if line := _checked(content):
                        lines.append(line)
                        last = number
                    else:
                        damaged.append(number)
        numbers = {line["n"] for line in lines}
        between = sum(number < last for number in damaged)
        return JournalRead(lines, damaged, max(0, max(numbers, default=0) - len(numbers) - between))

    def _number(self) -> int:
        if self._next is None:
            cut_torn_line(self.path)
            last = self._last_sound()
            self._next = last["n"] + 1 if last else 1
        return self._next

    def _last_sound(self) -> Line | None:
        if not self.path.exists():
            return None
        with self.path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 2**20))
            tail = file.read().splitlines()
        for content in reversed(tail):
            if line := _checked(content):
                return line
        return self.read().lines[-1] if size > 2**20 else None


def mark_of(question: str, choices: Sequence[str], answer: str, image: str | None) -> str:
    """What tells a sample's text and image apart from another's: the beginning of an MD5, as `sample_mark` in data/sql/reviews.sql has it.

    >>> mark_of("How many?", [], "2", None)
    '3ca2de5236'
    """
    text = "\x1f".join((question, "\x1e".join(choices), answer, image or ""))
    return hashlib.md5(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()[:MARK]


def _written(line: Line) -> bytes:
    text = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
    return f'{text[:-1]},"crc":"{zlib.crc32(text.encode()):08x}"}}\n'.encode()


def _checked(content: bytes) -> Line | None:
    """The line without its checksum; None where that is wrong or the line is torn."""
    text, mark, crc = content.rstrip(b"\n").rpartition(b',"crc":"')
    if not mark or crc[-2:] != b'"}' or f"{zlib.crc32(text + b'}'):08x}".encode() != crc[:-2]:
        return None
    line: Line = json.loads(text + b"}")
    return line


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _write_all(file: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(file, view) :]


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
