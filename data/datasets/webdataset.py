"""WebDataset shards: tar files in which files of one name are a row, here with a picture and its question and answer, or its caption.

shard-00000.tar:  000017.jpg   000017.json  {"question": "What color is the bus?", "answers": ["red"]}
                  000018.jpg   000018.txt   A bus on a street.

Fields of the JSON are found as `_lists.py` says; a .txt alone is a caption. The split is told by the shard's name, as train-000012.tar.
"""

import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data import bounded_reading
from data.datasets._lists import ListFormat, ListOptions, Row
from data.datasets._pictures import ENDINGS
from data.datasets._source import Source
from data.datasets.llava import conversation
from data.images import MAX_BYTES
from data.json_text import BadFile, Flawed, parsed, unreadable

LOOKED_AT = 6  # members of a tar file, to tell whether it is a shard
TEXTS = ("json", "txt", "cls", "question", "answer", "caption", "text")
KEY = "__key__"


class WebDataset(ListFormat):
    """Tar files of pictures with their texts."""

    class Options(ListOptions):
        pass

    format, rank = "webdataset", 2
    endings = (".tar", ".tar.gz", ".tgz")
    expected = "tar files of pictures with a .json or .txt each"
    from_zero = True
    looked_at = 50  # rows with their pictures

    @classmethod
    def recognise(cls, source: Source) -> str | None:
        found = [path for path in source.ending(*cls.endings) if _is_shard(path)]
        return (
            f"{', '.join(map(source.named, found[:6]))}: pictures and their texts under one name, as WebDataset has them" if found else None
        )

    def rows(self, path: Path) -> Iterator[Row]:
        row: dict[str, Any] = {}
        for name, read in _members(path):
            key, _, ending = name.rpartition("/")[2].partition(".")
            key = name[: len(name) - len(ending) - 1] if ending else name
            if row and row[KEY] != key:
                yield f"{path}:{row[KEY]}", _row(row)
                row = {}
            row.setdefault(KEY, key)
            row[ending.lower()] = read
        if row:
            yield f"{path}:{row[KEY]}", _row(row)


def _members(path: Path) -> Iterator[tuple[str, bytes | None]]:
    """(name, content) of the files in a tar, in their order; None for one too large. Raises BadFile."""
    try:
        with bounded_reading.opened(path) as file, tarfile.open(fileobj=file, mode="r|*") as tar:
            for member in tar:
                bounded_reading.still_wanted()
                if member.isfile():  # no link, no device
                    content = tar.extractfile(member) if member.size <= MAX_BYTES else None
                    yield member.name, content.read() if content else None
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise BadFile(f"is no tar file, or not all of it ({error}); fetch it again") from error
    except OSError as error:
        raise unreadable(error) from error


def _is_shard(path: Path) -> bool:
    try:
        with_names = [name for (name, _), _ in zip(_members(path), range(LOOKED_AT))]
    except BadFile:
        return False
    endings = {name.rpartition("/")[2].partition(".")[2].lower() for name in with_names}
    return any(f".{ending}".endswith(ENDINGS) for ending in endings) and any(ending in TEXTS for ending in endings)


def _row(parts: dict[str, Any]) -> dict[str, Any] | Flawed:
    """The fields of a row: those of its JSON, its texts by their endings, its pictures."""
    too_large = next((ending for ending, content in parts.items() if content is None), None)
    if too_large:
        return Flawed(f".{too_large} has more than {MAX_BYTES >> 20} MB; make it smaller")
    made: dict[str, Any] = {KEY: parts[KEY]}
    for ending, content in parts.items():
        if ending == KEY or f".{ending}".endswith(ENDINGS):
            continue
        try:
            value = parsed(content.decode()) if ending == "json" else content.decode().strip()
        except (ValueError, RecursionError) as error:
            return Flawed(f".{ending} can't be read ({error}); correct it")
        if isinstance(value, Flawed):
            return value
        if ending == "json" and isinstance(value, dict):
            told = conversation(value) if "conversations" in value or "messages" in value else value
            if isinstance(told, Flawed):
                return told
            made |= {name: one for name, one in told.items() if one is not None}
        elif ending in TEXTS:
            made.setdefault(ending, value)
    pictures = [content for ending, content in sorted(parts.items()) if f".{ending}".endswith(ENDINGS)]
    return made | {"image": pictures[0] if len(pictures) == 1 else pictures or None}
