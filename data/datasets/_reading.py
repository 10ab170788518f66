"""What the dataset formats share: looking at fields with clear complaints, splits, prompt suffixes."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, Field

from data import bounded_reading
from data.errors import MistakebookError
from data.records import BadLine, SourceExample, Split

T = TypeVar("T")
_OPTION_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Unusable(MistakebookError):
    """An item can't be used; the text says what was found, what was expected and what to do."""


class FolderOptions(BaseModel):
    """Options of the formats that read a benchmark's official files from a folder."""

    path: Path = Field(description="Folder with the benchmark's official files, unpacked.")
    dev_share: float = Field(default=0.05, ge=0, lt=1, description="Share of the training images that steer (dev) instead of being mined.")
    limit: int | None = Field(default=None, ge=1, description="Examples to read of each official file, at most; empty reads all.")


def guarded(source: str, make: Callable[[], SourceExample]) -> SourceExample | BadLine:
    """The example, or a BadLine in its place."""
    try:
        return make()
    except Unusable as error:
        return BadLine(source, str(error))


def unique(items: Iterable[tuple[str, SourceExample | BadLine]]) -> Iterator[SourceExample | BadLine]:
    """Items from (source, item); a second one of the same split and id becomes a BadLine."""
    seen = set()
    for source, item in items:
        if isinstance(item, SourceExample):
            if (item.split, item.external_id) in seen:
                yield BadLine(source, f"id {item.external_id!r} is used twice in split {item.split}; give each example its own id")
                continue
            seen.add((item.split, item.external_id))
        yield item


def json_file(path: Path, kind: type[T], download: str) -> T:
    """The content of a JSON file, a dict or a list. Raises Unusable; `download` names what to fetch if it is missing."""
    try:
        content = json.loads(bounded_reading.whole(path))
    except FileNotFoundError as error:
        raise Unusable(f"no such file; unpack {download} into {path.parent}") from error
    except OSError as error:
        raise Unusable(f"can't be read ({error.strerror}); check the path and its permissions") from error
    except (ValueError, RecursionError) as error:
        raise Unusable(f"not valid JSON ({error}); fetch {download} again") from error
    if not isinstance(content, kind):
        raise Unusable(f"holds a JSON {_named(content)}, expected {_named(kind())}; is it {download}?")
    return content


def member(item: Any, name: str, kind: type[T]) -> T:
    """A field of a JSON object that must be of this kind."""
    if not isinstance(item, dict):
        raise Unusable(f"found a JSON {_named(item)}, expected an object with field {name!r}; correct it")
    if not isinstance(item.get(name), kind):
        found = f"is {_named(item[name])}" if name in item else "is missing"
        raise Unusable(f"field {name!r} {found}, expected {_named(kind())}; correct it")
    value: T = item[name]
    return value


def text(item: Any, name: str) -> str:
    """A field that must be a text with something in it, without the spaces around it."""
    return _words(member(item, name, str), name)


def texts(item: Any, name: str) -> tuple[str, ...]:
    """A field that must be a list of texts or numbers, at least one."""
    values = member(item, name, list)
    if not values:
        raise Unusable(f"field {name!r} is an empty list, expected at least one text; correct it")
    return tuple(_words(value, name) for value in values)


def identifier(item: Any, name: str) -> str:
    """A field that must be a number or a text."""
    value = item.get(name) if isinstance(item, dict) else None
    return _words(value, name)


def picture(folder: Path, name: str) -> Path:
    """The path of a picture inside a folder. Whether it is there and decodes is seen when it is kept."""
    if "://" in name or name.startswith("data:"):
        raise Unusable(f"image {name[:80]!r} is a web address; images are not downloaded: save the file beside the list and name that")
    inside = Path(os.path.normpath(name.replace("\\", "/")))
    if inside.is_absolute() or ".." in inside.parts or "\0" in name:
        raise Unusable(f"image {name[:80]!r} is outside {folder}; give a path relative to that folder")
    return folder / inside


def letter_of(answer: str, choices: tuple[str, ...]) -> str:
    """The letter of the right choice, from the letter itself or the choice's text."""
    if not 2 <= len(choices) <= len(_OPTION_LETTERS):
        raise Unusable(f"{len(choices)} choices, expected 2 to {len(_OPTION_LETTERS)}; correct field 'choices'")
    letters = _OPTION_LETTERS[: len(choices)]
    same = [letter for letter, choice in zip(letters, choices) if choice == answer]
    if len(same) == 1:
        return same[0]
    if len(answer) == 1 and answer.upper() in letters:
        return answer.upper()
    raise Unusable(f"answer {answer[:80]!r} is neither a letter {letters[0]} to {letters[-1]} nor the text of one choice; correct it")


def mined_or_dev(picture_name: str, dev_share: float) -> Split:
    """The split of a training picture, from the hash of its name: all questions on a picture stay together."""
    share = int.from_bytes(hashlib.sha256(picture_name.encode()).digest()[:8], "big") / 2**64
    return "dev" if share < dev_share else "train"


def numbered(path: Path, items: Iterable[T], limit: int | None) -> Iterator[tuple[str, T]]:
    """(source, item) of the items of a JSON file, counted from 1."""
    for number, item in zip(count(1), items):
        if limit is not None and number > limit:
            return
        yield f"{path}, item {number}", item


def _words(value: Any, name: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Unusable(f"field {name!r} holds {_named(value)}, expected a text; correct it")
    try:
        words = str(value).strip()
        words.encode()
    except ValueError as error:  # half a surrogate pair, or a number of thousands of digits
        raise Unusable(f"field {name!r} holds characters that are no text ({error}); correct it") from error
    if not words:
        raise Unusable(f"field {name!r} is empty, expected a text; fill it in")
    return words


def _named(value: Any) -> str:
    return {dict: "object", list: "list", str: "text", bool: "true or false", type(None): "nothing"}.get(type(value), "number")
