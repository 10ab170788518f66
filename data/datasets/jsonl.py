"""One JSON object a line, for any dataset of one's own. The fields are described in `_lists.py`.

{"id": "7", "image": "photos/7.jpg", "question": "What color is the bus?", "answers": ["red", "red", "dark red"], "split": "eval"}
{"image": "maps/2.png", "question": "Which is a capital?", "choices": ["Rome", "Paris"], "answer": "B", "kind": "external-knowledge/maps"}
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data import bounded_reading
from data.datasets._lists import ListFormat, ListOptions, Row
from data.datasets._source import Source
from data.json_text import BadFile, Flawed, encoding_of, no_utf8, opened, parsed, unreadable


class Jsonl(ListFormat):
    """A list of examples in JSON lines."""

    class Options(ListOptions):
        pass

    format, rank = "jsonl", 5  # rank: formats of lower numbers are recognised first
    endings = (".jsonl", ".ndjson")
    expected = "a file of JSON lines"

    @classmethod
    def recognise(cls, source: Source) -> str | None:
        """By its lines, whatever it is called; a folder with several lists takes those with the ending."""
        files = source.ending(*cls.endings) if source.is_folder else source.files
        found = [path for path in files if source.peek(path).kind == "lines"]
        return f"{', '.join(map(source.named, found[:6]))}: a JSON object a line" if found else None

    def rows(self, path: Path) -> Iterator[Row]:
        if _is_array(path):
            raise BadFile("is one JSON array, not an object a line; import it with the format auto (--format auto), or json")
        for number, line in lines(path):
            if isinstance(line, str) and not line.strip():
                continue
            yield f"{path}:{number}", line if isinstance(line, Flawed) else _parsed(line)


def _is_array(path: Path) -> bool:
    """Whether a file begins as an array of objects."""
    with opened(path) as file:
        try:
            return "".join(file.read(1000).split()).startswith("[{")
        except UnicodeError:  # each line is looked at by itself
            return False


def lines(path: Path) -> Iterator[tuple[int, str | Flawed]]:
    """(number, line) of a file of lines; one that is no text in the file's encoding is Flawed, and the rest goes on. Raises BadFile."""
    if encoding_of(path) not in ("utf-8", "utf-8-sig"):
        with opened(path) as text:
            yield from enumerate(text, 1)
        return
    said = ""  # of lines in another encoding, looked up once
    try:
        for number, raw in bounded_reading.lines(path):  # of text Python would also split at U+2028, which a question may hold
            if raw is None:
                yield number, Flawed(bounded_reading.LONG_LINE)
                continue
            try:
                yield number, raw.decode().removeprefix("\ufeff")
            except UnicodeDecodeError:
                said = said or no_utf8(path)
                yield number, Flawed(said)
    except OSError as error:
        raise unreadable(error) from error


def _parsed(line: str) -> Any:
    try:
        return parsed(line)
    except (ValueError, RecursionError) as error:
        return Flawed(f"not valid JSON ({error}); expected one object a line, in UTF-8; correct the line")
