"""One JSON array of objects, or an object that holds one (in `data`, `annotations`, `examples`, …), or objects by id.

[{"id": "7", "image": "photos/7.jpg", "question": "What color is the bus?", "answers": ["red", "red", "dark red"]}, …]

The fields are described in `_lists.py`. An element at a time is in memory.
"""

from collections.abc import Iterator
from pathlib import Path

from data.datasets._lists import ListFormat, ListOptions, Row
from data.datasets._source import Source
from data.json_text import BadFile, Peek, elements, members, peek

UNDER = ("data", "examples", "items", "rows", "annotations", "questions", "samples", "instances")


class Json(ListFormat):
    """A list of examples in one JSON array."""

    class Options(ListOptions):
        pass

    format, rank = "json", 6  # rank: formats of lower numbers are recognised first
    endings = (".json",)
    expected = "a JSON array of objects"

    @classmethod
    def recognise(cls, source: Source) -> str | None:
        found = [path for path in source.files if path.suffix.lower() == ".json" and _is_list(source.peek(path))]
        return f"{', '.join(map(source.named, found[:6]))}: a JSON array of objects" if found else None

    def files(self) -> list[Path]:
        return [path for path in super().files() if not self.source.is_folder or _is_list(self.source.peek(path))]

    def rows(self, path: Path) -> Iterator[Row]:
        seen = peek(path)
        if seen.kind == "lines":
            raise BadFile("holds an object a line, no array; import it with the format jsonl")
        if seen.kind == "object" and not _under(seen):
            for line, name, value in members(path):
                yield f"{path}:{line}, item {name[:80]}", {"id": name, **value} if isinstance(value, dict) else value
            return
        for number, (line, item) in enumerate(elements(path, _under(seen)), 1):
            yield f"{path}:{line}, item {number}", item


def _is_list(seen: Peek) -> bool:
    first = seen.first if seen.kind == "list" else seen.lists.get(_under(seen) or "") or seen.first
    return isinstance(first, dict) and len(first) > 1


def _under(seen: Peek) -> str | None:
    return next((name for name in UNDER if isinstance(seen.lists.get(name), dict)), None)
