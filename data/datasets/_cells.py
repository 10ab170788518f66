"""What may stand in a cell: pictures as paths, bytes, base64 or objects; answers and choices as texts, numbers or lists."""

import ast
import base64
import binascii
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.datasets._columns import is_empty
from data.datasets._pictures import ENDINGS, Pictures
from data.datasets._reading import Unusable, annotators, words

FIRST_PICTURE = "the first of several pictures is used"
SHORTEST_BASE64 = 60  # characters: a shorter one is no picture
NO_ANSWER = ("?", "")  # what hidden test splits hold
_OPTIONS = re.compile(r"\n\s*(?:Options|Choices):\s*(A[:.)].*)", re.S)
_LETTERED = re.compile(r"(?:^|[,\n]\s*)([A-J])[:.)]\s*(.*?)(?=[,\n]\s*[A-J][:.)]|$)", re.S)
_BASE64 = re.compile(r"[A-Za-z0-9+/=_\-\s]+")


@dataclass(frozen=True)
class Shown:
    """The picture of a row."""

    picture: bytes | Path
    remarks: tuple[str, ...] = ()


def picture_of(value: Any, pictures: Pictures, download: bool = False) -> Shown | None:
    """The picture that a cell holds or names; None where it holds none. Raises Unusable."""
    value = listed(value)
    if isinstance(value, list):
        present = [one for one in value if not is_none(one)]
        if not present:
            return None
        first = picture_of(present[0], pictures, download)
        return Shown(first.picture, (FIRST_PICTURE,)) if first and len(present) > 1 else first
    if is_none(value):
        return None
    if isinstance(value, bytes | bytearray | memoryview):
        return Shown(bytes(value))
    if isinstance(value, dict):
        return _of_object(value, pictures, download)
    if not isinstance(value, str):
        raise Unusable(f"field 'image' holds {type(value).__name__}, expected a path, bytes or base64; correct it")
    text = value.strip()
    if text.startswith("data:"):
        return Shown(_decoded(text.partition(",")[2]))
    if len(text) > SHORTEST_BASE64 and "://" not in text and not text.lower().endswith(ENDINGS) and _BASE64.fullmatch(text[:4096]):
        return Shown(_decoded(text))
    if download and text.startswith(("http://", "https://")):
        from data.datasets._remote import fetched

        return Shown(fetched(text))
    return Shown(pictures.find(text))


def is_none(value: Any) -> bool:
    """Whether a cell holds no picture."""
    if isinstance(value, dict):
        return all(one is None for one in value.values())
    return is_empty(value) or (isinstance(value, list) and not value)


def _of_object(value: dict[str, Any], pictures: Pictures, download: bool) -> Shown | None:
    """{"bytes": …, "path": …} of the hub's datasets, {"url": …} of chats."""
    if value.get("bytes") is not None:
        content = value["bytes"]
        return Shown(bytes(content)) if isinstance(content, bytes | bytearray) else Shown(_decoded(str(content)))
    for name in ("path", "image", "file_name", "filename", "url", "image_url"):
        if value.get(name) is not None:
            return picture_of(value[name], pictures, download)
    raise Unusable(f"field 'image' is an object with {', '.join(map(str, value))[:80]}; expected bytes or path")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(re.sub(r"\s", "", text).translate(str.maketrans("-_", "+/")) + "=" * (-len(text) % 4), validate=False)
    except (binascii.Error, ValueError) as error:
        raise Unusable(f"field 'image' begins {text[:20]!r}, which is no base64 ({error}); expected a path or base64") from error


def listed(value: Any) -> Any:
    """A list that stands in a cell as text, as tables have it ("['red', 'blue']"), or what there was.

    >>> listed("['red', 'blue']"), listed("[red]")
    (['red', 'blue'], '[red]')
    """
    if not isinstance(value, str) or not (value.strip().startswith("[") and value.strip().endswith("]")):
        return value
    for read in (json.loads, ast.literal_eval):
        try:
            made = read(value)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(made, list):
            return made
    return value


def golds_of(value: Any) -> tuple[str, ...]:
    """The gold answers in a cell: a text, a number, a list of these, VQA's list of objects, or the hub's object of lists.

    Empty if there are none, as in a test split. Raises Unusable, LeftOut.
    """
    value = listed(value)
    if isinstance(value, dict):
        inner = next((value[name] for name in ("answer", "answers", "text", "raw") if value.get(name) is not None), None)
        if inner is None:
            raise Unusable(f"field 'answers' is an object with {', '.join(map(str, value))[:80]}; expected answer, or a list of answers")
        return golds_of(inner)
    if isinstance(value, list):
        if not value:
            raise Unusable("field 'answers' is an empty list, expected at least one text; correct it")
        return annotators(value)
    if value is None or (isinstance(value, str) and value.strip() in NO_ANSWER):
        return ()
    return (words(int(value) if isinstance(value, float) and value.is_integer() else value, "answer"),)


def choices_of(value: Any) -> tuple[str, ...]:
    """The options of a multiple-choice question: a list, a list as text, {"A": …, "B": …}, or the hub's {"label": […], "text": […]}."""
    value = listed(value)
    if isinstance(value, dict):
        value = value["text"] if isinstance(value.get("text"), list) else list(value.values())
    if is_empty(value):
        return ()
    if not isinstance(value, list):
        raise Unusable(f"field 'choices' is {type(value).__name__}, expected a list; correct it")
    return tuple(words(choice, "choices") for choice in value)


def embedded_choices(question: Any, answer: Any) -> tuple[str, tuple[str, ...]] | None:
    """A question and its choices, where these stand in its text and the answer is a letter, as in MMStar.

    >>> embedded_choices("Which is it?\\nOptions: A: a cat, B: a dog", "B")
    ('Which is it?', ('a cat', 'a dog'))
    """
    if not (isinstance(question, str) and isinstance(answer, str) and len(answer.strip("(). ")) == 1):
        return None
    if not (found := _OPTIONS.search(question)):
        return None
    lettered = _LETTERED.findall(found[1])
    if len(lettered) < 2 or [letter for letter, _ in lettered] != list("ABCDEFGHIJ"[: len(lettered)]):
        return None
    return question[: found.start()].strip(), tuple(choice.strip().rstrip(",") for _, choice in lettered)
