"""ScienceQA: school questions with choices (Lu et al., arXiv 2209.09513). Only those with a picture are read, about half.

The folder as it is unpacked: problems.json, and the pictures in train/, val/ and test/, one folder a problem. train is
mined, val steers, test is measured. A real item of problems.json, shortened:

"1": {"question": "Which of these states is farthest north?", "choices": ["West Virginia", "Louisiana", "Arizona", "Oklahoma"],
      "answer": 0, "hint": "", "image": "image.png", "grade": "grade2", "subject": "social science", "split": "train", ...}
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from data.datasets._reading import (
    Unusable,
    guarded,
    identifier,
    json_file,
    member,
    numbered,
    picture,
    text,
    texts,
    unique,
)
from data.metrics import measure
from data.records import BadLine, Dataset, SourceExample, Split

SPLITS: dict[str, Split] = {"train": "train", "val": "dev", "test": "eval"}


class ScienceQa:
    class Options(BaseModel):
        path: Path = Field(description="Folder with problems.json and the folders train, val and test.")
        limit: int | None = Field(default=None, ge=1, description="Problems to read, at most; empty reads all.")

    def __init__(self, options: Options) -> None:
        self.options = options

    def about(self) -> Dataset:
        return Dataset(
            name="scienceqa",
            title="ScienceQA, with images",
            format="scienceqa",
            metric="multiple_choice",
            prompt_suffix=measure("multiple_choice").prompt_suffix,
            answer_form=measure("multiple_choice").answer_form,
            source="Lu et al. 2022, Learn to Explain, arXiv 2209.09513",
            licence="CC BY-NC-SA 4.0",
        )

    def read(self) -> Iterator[SourceExample | BadLine]:
        return unique(self._items())

    def _items(self) -> Iterator[tuple[str, SourceExample | BadLine]]:
        path = self.options.path / "problems.json"
        try:
            problems = json_file(path, dict, "ScienceQA's problems.json")
        except Unusable as error:
            yield str(path), BadLine(str(path), str(error))
            return
        with_picture = ((number, item) for number, item in problems.items() if not isinstance(item, dict) or item.get("image"))
        for source, (number, item) in numbered(path, with_picture, self.options.limit):
            yield source, guarded(source, partial(self._example, number, item))

    def _example(self, number: str, item: dict[str, Any]) -> SourceExample:
        choices = texts(item, "choices")
        answer = member(item, "answer", int)
        if not 0 <= answer < len(choices):
            raise Unusable(f"answer {answer} of {len(choices)} choices, expected a number from 0; correct it")
        official = text(item, "split")
        if official not in SPLITS:
            raise Unusable(f"split {official[:80]!r} is unknown, expected one of {', '.join(SPLITS)}; correct it")
        hint = item.get("hint")
        return SourceExample(
            external_id=identifier({"id": number}, "id"),
            split=SPLITS[official],
            question=f"{text(item, 'hint')}\n{text(item, 'question')}"
            if hint and isinstance(hint, str) and hint.strip()
            else text(item, "question"),
            golds=(chr(ord("A") + answer),),
            picture=picture(self.options.path, f"{official}/{number}/{text(item, 'image')}"),
            choices=choices,
        )
