"""Conversations as LLaVA is trained on them, and chats in messages: a question is the first turn of a person, its gold the first reply.

[{"id": "000000033471", "image": "coco/train2017/000000033471.jpg", "conversations": [
   {"from": "human", "value": "<image>\\nWhat are the colors of the bus in the image?"},
   {"from": "gpt", "value": "The bus in the image is white and red."}, …]}, …]
{"messages": [{"role": "user", "content": "<image>What is it?"}, {"role": "assistant", "content": "A bus."}], "images": ["7.jpg"]}

Of several turns the first is used, and said. Conversations without a picture are left out, and counted. Ids that stand twice, as in
LLaVA's mix of 665,000, get a number.
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data.datasets._lists import REMARKS, ListFormat, ListOptions, Row
from data.datasets._source import Source
from data.datasets.json import Json
from data.datasets.jsonl import Jsonl
from data.json_text import Flawed

FIRST_TURN = "the first of several turns is used"
NUMBERED = "the id stood before: a number was added"
ASKS = ("human", "user")
REPLIES = ("gpt", "assistant", "model")
_PLACEHOLDER = re.compile(r"^(\s*<image>\s*)+|(\s*<image>\s*)+$")


class Llava(ListFormat):
    """A list of conversations, each about a picture."""

    class Options(ListOptions):
        pass

    format, rank = "llava", 1
    endings = (".json", ".jsonl")
    expected = "a list of conversations"
    from_zero = True

    @classmethod
    def recognise(cls, source: Source) -> str | None:
        found = cls._lists(source)
        return f"{', '.join(map(source.named, found[:6]))}: conversations of turns" if found else None

    @classmethod
    def _lists(cls, source: Source) -> list[Path]:
        return [path for path in source.ending(*cls.endings) if _turns(source.peek(path).first) is not None]

    def files(self) -> list[Path]:
        return self._lists(self.source) if self.source.is_folder else super().files()

    def rows(self, path: Path) -> Iterator[Row]:
        kind = self.source.peek(path).kind
        reader: ListFormat = (Jsonl if kind == "lines" else Json)((Jsonl if kind == "lines" else Json).Options(path=path))
        seen: Counter[str] = Counter()
        for source, row in reader.rows(path):
            yield source, _numbered(conversation(row), seen) if isinstance(row, dict) else row


def conversation(row: dict[str, Any]) -> dict[str, Any] | Flawed:
    """A conversation as a row with question and answer; what is no conversation stays as it is."""
    turns = _turns(row)
    if turns is None:
        return Flawed("has neither a list of turns in conversations nor one in messages; correct it")
    asked = [(i, _text(turn)) for i, turn in enumerate(turns) if _role(turn) in ASKS]
    if not asked:
        return Flawed(f"no turn of {' or '.join(ASKS)} in it; correct it")
    place, question = asked[0]
    reply = next((_text(turn) for turn in turns[place + 1 :] if _role(turn) in REPLIES), None)
    image = row.get("image") or row.get("images") or [part for turn in turns for part in _pictures(turn)] or None
    made = {"id": row.get("id"), "image": image, "question": _PLACEHOLDER.sub("", question), "answer": reply, "split": row.get("split")}
    return made | {REMARKS: (FIRST_TURN,) if len(asked) > 1 else ()}


def _numbered(row: dict[str, Any] | Flawed, seen: Counter[str]) -> dict[str, Any] | Flawed:
    if isinstance(row, Flawed) or not isinstance(row["id"], str | int):
        return row
    seen[str(row["id"])] += 1
    count = seen[str(row["id"])]
    return row if count == 1 else row | {"id": f"{row['id']}#{count}", REMARKS: (*row[REMARKS], NUMBERED)}


def _turns(row: Any) -> list[Any] | None:
    if not isinstance(row, dict):
        return None
    turns = next((row[name] for name in ("conversations", "messages") if isinstance(row.get(name), list)), None)
    return turns if turns and all(isinstance(turn, dict) for turn in turns) else None


def _role(turn: dict[str, Any]) -> Any:
    return turn.get("from", turn.get("role"))


def _text(turn: dict[str, Any]) -> str:
    value = turn.get("value", turn.get("content"))
    if isinstance(value, list):
        value = "\n".join(str(part["text"]) for part in value if isinstance(part, dict) and "text" in part and part["text"])
    return value if isinstance(value, str) else ""


def _pictures(turn: dict[str, Any]) -> list[Any]:
    """Pictures among the parts of a message."""
    parts = turn.get("content")
    if not isinstance(parts, list):
        return []
    names = ("image", "image_url", "path", "url")
    return [part[name] for part in parts if isinstance(part, dict) and "image" in str(part.get("type")) for name in names if part.get(name)]
