"""ScienceQA: school questions with choices (Lu et al., arXiv 2209.09513). Those without a picture, about half, are left out by default.

The folder as it is unpacked: problems.json, and the pictures in {split}/PID/ or images/{split}/PID/. train is mined, val steers, test is
measured. The hint stands before the question, as "Context: …", where LLaVA's evaluation puts it. (The hub's Parquet files are read by
`hub`.) A real item of problems.json, shortened:

"1": {"question": "Which of these states is farthest north?", "choices": ["West Virginia", "Louisiana", "Arizona", "Oklahoma"],
      "answer": 0, "hint": "", "image": "image.png", "grade": "grade2", "subject": "social science", "split": "train", ...}
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data.datasets._folders import BenchmarkFolder, Read
from data.datasets._pictures import white
from data.datasets._reading import (
    NO_PICTURE,
    WHITE,
    FolderOptions,
    LeftOut,
    Unusable,
    benchmark,
    identifier,
    letter_at,
    member,
    text,
    texts,
)
from data.datasets._source import Source
from data.json_text import Flawed, Peek, members
from data.records import SourceExample, Split

SPLITS: dict[str, Split] = {"train": "train", "val": "dev", "test": "eval"}


class ScienceQa(BenchmarkFolder):
    class Options(FolderOptions):
        pass

    usual = benchmark(
        "scienceqa",
        "ScienceQA, with images",
        "scienceqa",
        "multiple_choice",
        "Lu et al. 2022, Learn to Explain, arXiv 2209.09513",
        "CC BY-NC-SA 4.0",
    )
    expected = "problems.json: an object of problems with question, choices, answer, image and split"

    @classmethod
    def claims(cls, path: Path, seen: Peek) -> bool:
        first = next(iter(seen.head.values()), None)
        return seen.kind == "object" and isinstance(first, dict) and {"question", "choices", "answer", "split"} <= set(first)

    @classmethod
    def official(cls, source: Source, path: Path) -> str:
        return "all"

    def items(self, path: Path) -> Iterator[Read]:
        for line, number, problem in members(path):
            yield f"{path}:{line}, problem {number[:80]}", problem if isinstance(problem, Flawed) else (number, problem)

    def example(self, item: Any, official: str) -> SourceExample:
        number, problem = item
        official = text(problem, "split")
        if official not in SPLITS:
            raise Unusable(f"split {official[:80]!r} is unknown, expected one of {', '.join(SPLITS)}; correct it")
        shown = problem.get("image")
        if not shown and not self.options.keep_text_only:
            raise LeftOut(NO_PICTURE)
        choices = texts(problem, "choices")
        picture = self._picture(number, text(problem, "image"), official) if shown else white()
        return SourceExample(
            external_id=identifier({"id": number}, "id"),
            split=SPLITS[official],
            question=with_hint(text(problem, "question"), problem.get("hint")),
            golds=(letter_at(member(problem, "answer", int), choices),),
            picture=picture,
            choices=choices,
            remarks=() if shown else (WHITE,),
        )

    def _picture(self, number: str, name: str, official: str) -> Path:
        inside = f"{number}/{name}"
        for place in (f"images/{official}", f"{official}/{official}", "images"):
            if (self.pictures.root / place / inside).exists():
                return self.pictures.find(inside, place)
        return self.pictures.find(f"{official}/{inside}")


def with_hint(question: str, hint: Any) -> str:
    """A question behind its hint, if there is one, as LLaVA's evaluation puts them.

    >>> with_hint("Which is north?", "Look at the map.")
    'Context: Look at the map.\\nWhich is north?'
    """
    return f"Context: {hint.strip()}\n{question}" if isinstance(hint, str) and hint.strip() else question
