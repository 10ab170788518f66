"""Benchmarks in the layout of the DocVQA challenges: an object with `dataset_name`, `dataset_split` and the items in `data`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from data.datasets._folders import BenchmarkFolder, Read, located
from data.datasets._reading import NO_ANSWERS, LeftOut, annotators, identifier, member, text
from data.datasets._source import Source
from data.json_text import Peek, elements
from data.records import SourceExample


class ChallengeJson(BenchmarkFolder):
    picture_field: ClassVar[str]

    @classmethod
    def claims(cls, path: Path, seen: Peek) -> bool:
        first = seen.lists.get("data")
        return isinstance(first, dict) and "questionId" in first and cls.picture_field in first

    @classmethod
    def found(cls, source: Source) -> list[tuple[str, Path]]:
        """Of two files of a split, `…_withQT.json` and the one without question types, the former: they hold the same questions."""
        found = super().found(source)
        typed = {official for official, path in found if "withQT" in path.name}
        return [(official, path) for official, path in found if official not in typed or "withQT" in path.name]

    def items(self, path: Path) -> Iterator[Read]:
        return located(path, elements(path, "data"))

    def example(self, item: Any, official: str) -> SourceExample:
        name = text(item, self.picture_field)
        if "answers" not in item and official not in ("train", "val"):
            raise LeftOut(NO_ANSWERS)
        return SourceExample(
            external_id=identifier(item, "questionId"),
            split=self.split(official, name),
            question=text(item, "question"),
            golds=annotators(member(item, "answers", list)),
            picture=self.picture(name, official),
        )

    def picture(self, name: str, official: str) -> Path:
        raise NotImplementedError
