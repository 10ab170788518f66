"""GQA: compositional questions on Visual Genome's pictures (Hudson and Manning, arXiv 1902.09506).

The files of questions1.2.zip as they are unpacked, and the pictures in images/. Of a split that is there balanced and whole, the balanced
questions are read, as everybody reports them. train is mined; testdev is measured, and then val steers. test, challenge and submission
have no answers. A real item, shortened:

"02930152": {"question": "Is the sky dark?", "imageId": "2354786", "isBalanced": true, "answer": "yes", "fullAnswer": "Yes, …",
             "types": {"detailed": "verifyAttr", "semantic": "attr", "structural": "verify"}, ...}
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data.datasets._folders import BenchmarkFolder, Read
from data.datasets._reading import NO_ANSWERS, FolderOptions, LeftOut, benchmark, identifier, text
from data.datasets._source import Source
from data.json_text import Flawed, Peek, members
from data.records import SourceExample


class Gqa(BenchmarkFolder):
    class Options(FolderOptions):
        pass

    usual = benchmark("gqa", "GQA", "gqa", "gqa", "Hudson and Manning 2019, arXiv 1902.09506", "CC BY 4.0")
    expected = "…_questions.json: an object of questions with imageId and question"
    places = ("images", "allImages/images", "gqa/images")
    test_has_answers = True

    @classmethod
    def claims(cls, path: Path, seen: Peek) -> bool:
        first = next(iter(seen.head.values()), None)
        return seen.kind == "object" and isinstance(first, dict) and {"imageId", "question"} <= set(first)

    @classmethod
    def found(cls, source: Source) -> list[tuple[str, Path]]:
        found = [(official, path) for official, path in super().found(source) if official not in ("challenge", "submission")]
        balanced = {official for official, path in found if "balanced" in path.name}
        testdev = any(official == "testdev" for official, _ in found)
        kept = [(official, path) for official, path in found if official not in balanced or "balanced" in path.name]
        return [(official, path) for official, path in kept if official != "test" or not testdev or "balanced" in path.name]

    def items(self, path: Path) -> Iterator[Read]:
        self.has_test = "testdev" in self.officials  # test has no answers
        for line, number, question in members(path):
            yield f"{path}:{line}, question {number[:80]}", question if isinstance(question, Flawed) else (number, question)

    def example(self, item: Any, official: str) -> SourceExample:
        number, question = item
        name = f"{identifier(question, 'imageId')}.jpg"
        if "answer" not in question:
            raise LeftOut(NO_ANSWERS)
        return SourceExample(
            external_id=identifier({"id": number}, "id"),
            split=self.split(official, name),
            question=text(question, "question"),
            golds=(text(question, "answer"),),
            picture=self.pictures.find(name, "images"),
        )
