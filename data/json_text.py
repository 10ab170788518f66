"""JSON as people's files hold it: read an element at a time, with the line it stands in, and with what JSON leaves open refused.

Python's reader takes NaN and a field that stands twice (the last one wins, in silence). Here both are flaws of the element that holds
them: `Flawed` stands in its place, and the rest goes on. Files may be UTF-8, with or without a byte-order mark, or UTF-16 and UTF-32,
which a mark or the first two characters give away.
"""

import codecs
import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from data import bounded_reading
from data.errors import MistakebookError

CHUNK = 2**20  # characters read at once
LONGEST = 2**28  # characters of one element
PEEKED = 2**20  # characters of a file that `peek` looks at
_COMMON = ("cp1252", "cp1251", "shift_jis", "gb18030", "big5", "euc_kr")  # among which another encoding is guessed
_SPACE = re.compile(r"[ \t\n\r]*")


class BadFile(MistakebookError):
    """A file that can't be read as a whole, or not further: the text says where, why, and what to do."""


@dataclass(frozen=True)
class Flawed:
    """An element that holds what is no JSON: a field twice, NaN or an infinity."""

    error: str


class NoNumber:
    """NaN or an infinity."""


class _Hooks:
    """Notes what an element holds that it should not. Where numbers are kept as they are written, NaN is a value among them."""

    def __init__(self, numbers: type[str] | None = None) -> None:
        self.flaw, self._numbers = "", numbers

    def object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            self.flaw = f"field {twice[:80]!r} stands twice in one object; delete one of the two"
        return made

    def constant(self, text: str) -> NoNumber:
        if self._numbers is None:
            self.flaw = f"holds {text}, which is no number of JSON; write null or the number"
        return NoNumber()


def encoding_of(path: Path) -> str:
    """The encoding that a file's first bytes tell: a UTF with a byte-order mark, UTF-16 without one, else UTF-8. Raises BadFile."""
    try:
        with bounded_reading.opened(path) as file:
            start = file.read(4)
    except OSError as error:
        raise unreadable(error) from error
    except ValueError as error:  # a zero byte in the name
        raise BadFile(f"can't be read ({error}); check the path") from error
    for mark, name in ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32")):
        if start.startswith(mark):
            return name
    if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    if len(start) == 4 and start[1] == 0 and start[3] == 0 and start[0] and start[2]:
        return "utf-16-le"
    if len(start) == 4 and start[0] == 0 and start[2] == 0 and start[1] and start[3]:
        return "utf-16-be"
    return "utf-8"


def unreadable(error: OSError) -> BadFile:
    """The fault of a file that can't be opened, or is none: a pipe, a device."""
    return BadFile(f"can't be read ({error.strerror or error}); check the path and its permissions")


@contextmanager
def opened(path: Path) -> Iterator[IO[str]]:
    """A regular file as text, in the encoding that its first bytes tell. Raises BadFile."""
    encoding = encoding_of(path)
    try:
        with bounded_reading.opened(path) as file, io.TextIOWrapper(file, encoding) as text:
            yield text
    except OSError as error:
        raise unreadable(error) from error


def in_other_encoding(path: Path) -> BadFile:
    """The fault of a file that is not in the encoding that it seemed to be in; names the likely one."""
    return BadFile(no_utf8(path))


def no_utf8(path: Path) -> str:
    """What is said of a file that holds bytes that are no UTF-8; names the encoding that its beginning is likely in."""
    from charset_normalizer import from_bytes

    with bounded_reading.opened(path) as file:
        best = from_bytes(file.read(2**16), cp_isolation=[*_COMMON]).best()
    guess = f"; it looks like {best.encoding}" if best and best.encoding not in ("utf_8", "ascii") else ""
    return f"holds bytes that are no UTF-8{guess}; save it as UTF-8 and import again"


def parsed(text: str) -> Any:
    """The value of a text of JSON, or Flawed. Raises ValueError, RecursionError."""
    hooks = _Hooks()
    value = json.loads(text, object_pairs_hook=hooks.object, parse_constant=hooks.constant)
    return Flawed(hooks.flaw) if hooks.flaw else value


class _Scan:
    """A cursor in a text that is read piece by piece."""

    def __init__(self, file: IO[str], path: Path, most: int | None = None, numbers: type[str] | None = None) -> None:
        self._file, self._path, self._left = file, path, most
        self._text, self._at, self._ended = "", 0, False
        self._counted, self.line = 0, 1  # `line`: of the last element
        self._hooks = hooks = _Hooks(numbers)
        decoder = json.JSONDecoder(object_pairs_hook=hooks.object, parse_constant=hooks.constant, parse_int=numbers, parse_float=numbers)
        self._decode = decoder.raw_decode

    def next(self) -> str:
        """The next character that is no space, which stays; empty at the end."""
        while True:
            self._at = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]  # it matches the empty text
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def take(self, expected: str) -> None:
        if (character := self.next()) != expected:
            raise self._broken(f"expected {expected!r}, found {character or 'its end'!r}")
        self._at += 1

    def value(self) -> Any:
        """The element that begins here, or Flawed; `line` is where it begins."""
        self.next()
        self.line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        while True:
            self._hooks.flaw = ""
            try:
                value, end = self._decode(self._text, self._at)
            except json.JSONDecodeError as error:
                cut = error.msg.startswith("Unterminated string") or error.pos > len(self._text) - 20
                if cut and len(self._text) - self._at < LONGEST and self._more():
                    continue
                raise self._broken(error.msg, error.pos) from error
            except RecursionError as error:
                raise self._broken("nested too deep") from error
            if end == len(self._text) and self._more():  # a number may go on
                continue
            self._at = end
            return Flawed(self._hooks.flaw) if self._hooks.flaw else value

    def _more(self) -> bool:
        """Reads on; what lies behind is let go."""
        if self._ended:
            return False
        bounded_reading.still_wanted()
        size = max(CHUNK, len(self._text) - self._at)  # at least doubled: a long element is tried few times
        if self._left is not None:
            size = min(size, self._left)
            self._left -= size
        try:
            piece = self._file.read(size) if size else ""
        except UnicodeError as error:
            raise in_other_encoding(self._path) from error
        self.line += self._text.count("\n", self._counted, self._at)
        self._text, self._at, self._counted = self._text[self._at :] + piece, 0, 0
        self._ended = not piece
        return bool(piece)

    def _broken(self, what: str, at: int | None = None) -> BadFile:
        line = self.line + self._text.count("\n", self._counted, self._at if at is None else at)
        return BadFile(f"not valid JSON in line {line} ({what}); correct it or fetch the file again: what stands behind it was not read")


def elements(path: Path, under: str | None = None, numbers: type[str] | None = None) -> Iterator[tuple[int, Any]]:
    """(line, element) of the array that a file holds, or of the array in field `under` of the object that it holds; Flawed ones too.

    One element at a time is in memory. `numbers`: a class of text that keeps numbers as they are written; NaN is then NoNumber, no flaw.
    Raises BadFile where the file ends its being JSON, which may be after many elements.
    """
    with opened(path) as file:
        scan = _Scan(file, path, numbers=numbers)
        if under is None:
            yield from _array(scan)
            return
        for name in _names(scan):
            if name == under and scan.next() == "[":
                yield from _array(scan)
                return
            _skip(scan)
    raise BadFile(f"has no list in field {under!r}; is it the right file?")


def members(path: Path, numbers: type[str] | None = None) -> Iterator[tuple[int, str, Any]]:
    """(line, name, value) of the object that a file holds, one at a time; a name that stands twice comes as Flawed. `numbers` as above.

    Raises BadFile.
    """
    with opened(path) as file:
        scan, seen = _Scan(file, path, numbers=numbers), set()
        for name in _names(scan):
            value = scan.value()
            yield scan.line, name, Flawed(f"{name[:80]!r} stands twice in the file; delete one of the two") if name in seen else value
            seen.add(name)


@dataclass
class Peek:
    """What the beginning of a file shows: its kind, and the first element of it or of each of its lists."""

    kind: str = ""  # "list", "object", "lines" (an object a line), or "" (no JSON)
    first: Any = None  # the first element of a list, line or object
    head: dict[str, Any] = field(default_factory=dict)  # of an object: its first plain fields
    lists: dict[str, Any] = field(default_factory=dict)  # of an object: the first element of each list


def peek(path: Path) -> Peek:
    """What the first million characters of a file show; an empty Peek if it is no JSON. Raises BadFile if it can't be read."""
    seen = Peek()
    if (line := _first_of_lines(path)) is not None:
        return Peek("lines", line)
    with opened(path) as file:
        scan = _Scan(file, path, PEEKED)
        try:
            if scan.next() == "[":
                seen.kind = "list"
                seen.first = next(_array(scan), (0, None))[1]
            elif scan.next() == "{":
                seen.kind = "object"
                _peek_object(scan, seen)
        except BadFile as error:
            if seen.kind == "" or "no UTF-8" in str(error):
                raise
    return seen


def _first_of_lines(path: Path) -> Any:
    """The first of several objects that stand one a line; None if the file isn't so. A name that says so is believed."""
    named = path.name.lower().endswith((".jsonl", ".ndjson"))
    with opened(path) as file:
        try:
            lines = [line for line in (file.readline(PEEKED) for _ in range(10)) if line.strip()][: 10 if named else 2]
        except UnicodeError as error:
            if named:  # each line is looked at by itself
                return {}
            raise in_other_encoding(path) from error
    values = [value for line in lines if (value := _parsed_or_none(line)) is not None]
    if named:
        return next((value for value in values if isinstance(value, dict)), {})
    return values[0] if len(values) == 2 and all(isinstance(value, dict | Flawed) for value in values) else None


def _parsed_or_none(line: str) -> Any:
    try:
        return parsed(line)
    except (ValueError, RecursionError):
        return None


def _peek_object(scan: _Scan, seen: Peek) -> None:
    for name in _names(scan):
        if scan.next() == "[":
            for _, value in _array(scan):
                seen.lists.setdefault(name, value)
            seen.lists.setdefault(name, None)
            continue
        value = scan.value()
        if seen.first is None and isinstance(value, dict):
            seen.first = value
        seen.head[name] = value


def _names(scan: _Scan) -> Iterator[str]:
    """The names of the object that begins here; whoever asks takes each value before the next."""
    scan.take("{")
    if scan.next() == "}":
        scan.take("}")
        return
    while True:
        name = scan.value()
        scan.take(":")
        yield name if isinstance(name, str) else ""
        if scan.next() == "}":
            scan.take("}")
            return
        scan.take(",")


def _array(scan: _Scan) -> Iterator[tuple[int, Any]]:
    scan.take("[")
    if scan.next() == "]":
        scan.take("]")
        return
    while True:
        value = scan.value()
        yield scan.line, value
        if scan.next() == "]":
            scan.take("]")
            return
        scan.take(",")


def _skip(scan: _Scan) -> None:
    """Passes over a value, a list an element at a time."""
    if scan.next() == "[":
        for _ in _array(scan):
            pass
    else:
        scan.value()
