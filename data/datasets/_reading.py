"""What the dataset formats share: their options, looking at fields with clear complaints, splits."""

import difflib
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, Field

from data.errors import MistakebookError
from data.json_text import BadFile, Flawed, NoNumber
from data.metrics import measure
from data.records import BadLine, Dataset, Metric, Skipped, SourceExample

T = TypeVar("T")
Item = SourceExample | BadLine | Skipped
OPTION_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
NO_PICTURE = "no picture"
NO_ANSWERS = "no answers"
WHITE = "a white picture stands for none"  # the remark of a question without a picture that is kept on request


_BITS = 16
_FILES = 2**_BITS - 1  # of a number, the part that tells a file


class Unusable(MistakebookError):
    """An item can't be used; the text says what was found, what was expected and what to do."""


class LeftOut(MistakebookError):
    """An item is passed over for what it is; the text is the reason, as it is counted."""


class SourceOptions(BaseModel):
    """Options of every format that reads files."""

    path: Path = Field(description="The file or folder to read.")
    images: Path | None = Field(default=None, description="Folder with the pictures, where they lie elsewhere.")
    name: str = Field(default="", description="What the dataset is called; empty means the benchmark's or the file's name.")
    metric: Metric | None = Field(default=None, description="How answers are scored; empty means as the format usually is.")
    threshold: float | None = Field(
        default=None, gt=0, le=1, description="A score below it is a failure; empty means the metric's usual one: 0.5, of CIDEr 0.05."
    )
    prompt_suffix: str | None = Field(default=None, description="Appended to each question; empty means the metric's usual one.")
    answer_form: str | None = Field(
        default=None, description="What a new sample's answer must look like; empty means the metric's usual one."
    )
    keep_text_only: bool = Field(default=False, description="Keep questions without a picture, with a white one in its place.")


class FolderOptions(SourceOptions):
    """Options of the formats that read a benchmark's official files."""

    path: Path = Field(description="Folder with the benchmark's official files, unpacked, or one of these files.")
    dev_share: float = Field(default=0.05, ge=0, lt=1, description="Share of the training images that steer (dev) instead of being mined.")
    limit: int | None = Field(default=None, ge=1, description="Examples to read of each official file, at most; empty reads all.")


def described(options: SourceOptions, usual: Dataset) -> Dataset:
    """A dataset as its format describes it, with what the options say otherwise."""
    metric = measure(options.metric or usual.metric)
    own = options.metric in (None, usual.metric)  # another metric brings its own words
    suffix = usual.prompt_suffix if own else metric.prompt_suffix
    form = usual.answer_form if own else metric.answer_form
    threshold = usual.threshold if own else metric.threshold
    changed = {
        "name": options.name or usual.name,
        "title": options.name or usual.title,
        "metric": metric.name,
        "prompt_suffix": suffix if options.prompt_suffix is None else options.prompt_suffix,
        "answer_form": form if options.answer_form is None else options.answer_form,
        "threshold": threshold if options.threshold is None else options.threshold,
    }
    return Dataset(**{**vars(usual), **changed})


def benchmark(name: str, title: str, format_: str, metric: Metric, source: str, licence: str = "see the source", **words: str) -> Dataset:
    """A dataset with its metric's usual threshold, prompt suffix and answer form."""
    told = measure(metric)
    given = {"prompt_suffix": told.prompt_suffix, "answer_form": told.answer_form, **words}
    return Dataset(name=name, title=title, format=format_, metric=metric, threshold=told.threshold, source=source, licence=licence, **given)


def guarded(source: str, make: Callable[[], SourceExample]) -> Item:
    """The example, or what stands in its place: a BadLine, or Skipped."""
    try:
        return make()
    except Unusable as error:
        return BadLine(source, str(error))
    except LeftOut as left:
        return Skipped(source, str(left))


def unique(items: Iterable[tuple[str, Item]]) -> Iterator[Item]:
    """Items from (source, item); a second one of the same split and id becomes a BadLine, or Skipped where another file says the same."""
    seen: dict[int, int] = {}  # by the hash of split and id: one of the content, and which file. Of a million items 180 MB
    files: dict[str, int] = {}
    for source, item in items:
        if isinstance(item, SourceExample):
            key, file = hash((item.split, item.external_id)), files.setdefault(source.rpartition(":")[0], len(files))
            content = hash((item.question, item.golds, item.choices))
            if key in seen:
                if seen[key] & _FILES != file & _FILES and seen[key] >> _BITS == content >> _BITS:
                    yield Skipped(source, "stands in another file too")
                else:
                    yield BadLine(source, f"id {item.external_id!r} is used twice in split {item.split}; give each example its own id")
                continue
            seen[key] = (content >> _BITS << _BITS) | (file & _FILES)
            item = replace(item, source=source)
        yield item


def flawless(value: Any) -> Any:
    """An element of a JSON file. Raises Unusable where it holds what is no JSON."""
    if isinstance(value, Flawed):
        raise Unusable(value.error)
    return value


def member(item: Any, name: str, kind: type[T]) -> T:
    """A field of a JSON object that must be of this kind."""
    if not isinstance(item, dict):
        raise Unusable(f"found a JSON {_named(item)}, expected an object with field {name!r}; correct it")
    if not isinstance(item.get(name), kind) or (kind is int and isinstance(item[name], bool)):
        found = f"is {_named(item[name])}" if name in item else "is missing"
        near = difflib.get_close_matches(name, [str(key) for key in item if key not in ("id", "split")], 1, 0.8) if name not in item else []
        raise Unusable(f"field {name!r} {found}, expected {_named(kind())}; correct it" + (f" (there is {near[0]!r})" if near else ""))
    value: T = item[name]
    return value


def text(item: Any, name: str) -> str:
    """A field that must be a text with something in it, without the spaces around it."""
    return words(member(item, name, str), name)


def texts(item: Any, name: str) -> tuple[str, ...]:
    """A field that must be a list of texts or numbers, at least one."""
    values = member(item, name, list)
    if not values:
        raise Unusable(f"field {name!r} is an empty list, expected at least one text; correct it")
    return tuple(words(value, name) for value in values)


def identifier(item: Any, name: str) -> str:
    """A field that must be a number or a text; 17.0 is 17."""
    value = item.get(name) if isinstance(item, dict) else None
    return words(int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value, name)


def annotators(answers: Any, name: str = "answers") -> tuple[str, ...]:
    """All gold answers, one an annotator, of a list of texts or of VQA's objects with `answer`.

    An annotator's empty answer stays, for the metric counts annotators; where all are empty there are no answers. Raises Unusable, LeftOut.
    """
    if not isinstance(answers, list):
        raise Unusable(f"field {name!r} {'is missing' if answers is None else 'is ' + _named(answers)}, expected a list; correct it")
    golds = tuple(_annotator(answer) for answer in answers)
    if not any(gold.strip() for gold in golds):
        raise LeftOut(NO_ANSWERS)
    return golds


def _annotator(answer: Any) -> str:
    value = answer.get("answer") if isinstance(answer, dict) else answer
    if isinstance(answer, dict) and "answer" not in answer:
        raise Unusable("field 'answer' is missing, expected text; correct it")
    return "" if isinstance(value, str) and not value.strip() else words(value, "answer")


def letter_at(index: int, choices: tuple[str, ...]) -> str:
    """The letter of the choice at a place, from 0."""
    if not 2 <= len(choices) <= len(OPTION_LETTERS):
        raise Unusable(f"{len(choices)} choices, expected 2 to {len(OPTION_LETTERS)}; correct field 'choices'")
    if not 0 <= index < len(choices):
        raise Unusable(f"answer {index} of {len(choices)} choices, expected a number from 0; correct it")
    return OPTION_LETTERS[index]


def letter_of(answer: str, choices: tuple[str, ...]) -> str:
    """The letter of the right choice, from the letter itself or the choice's text."""
    if not 2 <= len(choices) <= len(OPTION_LETTERS):
        raise Unusable(f"{len(choices)} choices, expected 2 to {len(OPTION_LETTERS)}; correct field 'choices'")
    letters = OPTION_LETTERS[: len(choices)]
    same = [letter for letter, choice in zip(letters, choices) if choice == answer]
    if len(same) == 1:
        return same[0]
    bare = answer.strip("().: ")
    if len(bare) == 1 and bare.upper() in letters:
        return bare.upper()
    raise Unusable(f"answer {answer[:80]!r} is neither a letter {letters[0]} to {letters[-1]} nor the text of one choice; correct it")


def reading(source: str, items: Iterator[T]) -> Iterator[T | BadLine]:
    """The items; where their file turns out to be no file of the kind, a BadLine ends them."""
    while True:
        try:
            yield next(items)
        except StopIteration:
            return
        except BadFile as error:
            yield BadLine(source, str(error))
            return
        except OSError as error:
            yield BadLine(source, f"can't be read further ({error.strerror or error}); check the disk and the file")
            return


def words(value: Any, name: str) -> str:
    """A text or number as text with something in it. Raises Unusable."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Unusable(f"field {name!r} holds {_named(value)}, expected a text; correct it")
    if isinstance(value, float) and not math.isfinite(value):
        raise Unusable(f"field {name!r} holds {value}, expected a text or a number; correct it")
    try:
        said = str(value).strip()
        said.encode()
    except ValueError as error:  # half a surrogate pair, or a number of thousands of digits
        raise Unusable(f"field {name!r} holds characters that are no text ({error}); correct it") from error
    if not said:
        raise Unusable(f"field {name!r} is empty, expected a text; fill it in")
    return said


def _named(value: Any) -> str:
    kinds = {dict: "object", list: "list", str: "text", bool: "true or false", type(None): "nothing", NoNumber: "NaN or infinite"}
    return kinds.get(type(value), "number")
