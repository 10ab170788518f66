"""Benchmarks in the VQA challenge's layout: a file of questions and a file of annotations for each split, about COCO's pictures.

{"image_id": 297147, "question": "What sport can you use this for?", "question_id": 2971475}
{"image_id": 297147, "question_id": 2971475, "question_type": "four", "answer_type": "other", "answers": [{"answer": "race", ...}, ...]}
"""

import re
from collections.abc import Iterator
from pathlib import Path
from sys import intern
from typing import Any, ClassVar

from data.datasets._folders import BenchmarkFolder, Read, located
from data.datasets._reading import NO_ANSWERS, LeftOut, Unusable, annotators, identifier, member, text
from data.datasets._source import Source
from data.json_text import Flawed, Peek, elements
from data.records import SourceExample


class QuestionsAndAnnotations(BenchmarkFolder):
    """A format says by an annotation's fields which are its own (`owns`)."""

    year_pattern: ClassVar[str] = r"(train|val|test)(20\d\d)"

    @classmethod
    def owns(cls, annotation: dict[str, Any], path: Path) -> bool:
        """Whether an annotation, the first of its file, is of this benchmark."""
        raise NotImplementedError

    @classmethod
    def owns_questions(cls, path: Path) -> bool:
        """Whether a file of questions without annotations is of this benchmark: by its name."""
        return False

    @classmethod
    def claims(cls, path: Path, seen: Peek) -> bool:
        first = seen.lists.get("questions")
        return isinstance(first, dict) and "question_id" in first and "image_id" in first

    @classmethod
    def found(cls, source: Source) -> list[tuple[str, Path]]:
        """The files of questions whose annotations are this benchmark's; without annotations, those whose names are."""
        annotated = cls._annotations(source)
        return [
            (official, path)
            for official, path in super().found(source)
            if official in annotated or (cls.owns_questions(path) and (annotated or source.path == path))
        ]

    @classmethod
    def recognise(cls, source: Source) -> str | None:
        found = super().recognise(source)
        return f"{', '.join(map(source.named, cls._annotations(source).values()))}; {found}" if found else None

    @classmethod
    def _annotations(cls, source: Source) -> dict[str, Path]:
        """The files of annotations by official split; beside a single file of questions, those of its folder."""
        beside = source if source.is_folder else Source(source.path.parent)
        found = {}
        for path in beside.ending(".json"):
            first = beside.peek(path).lists.get("annotations")
            if isinstance(first, dict) and "question_id" in first and "answers" in first and cls.owns(first, path):
                found[cls.official(beside, path)] = path
        return found

    def items(self, path: Path) -> Iterator[Read]:
        """Each question with its annotation: None where the file of annotations lacks it, [] where there is no such file."""
        annotations = self._annotations(self.source).get(self.official(self.source, path))
        answers = {} if annotations is None else dict(self._answered(annotations))
        for source, question in located(path, elements(path, "questions")):
            if isinstance(question, Flawed):
                yield source, question
                continue
            number = question.get("question_id") if isinstance(question, dict) else None
            known = answers.get(str(number))
            yield source, (question, [] if annotations is None else known)

    def _answered(self, path: Path) -> Iterator[tuple[str, Any]]:
        """(question, annotation) with what is needed of it, for all of them are in memory; one that can't be used is the reason why."""
        for _, one in elements(path, "annotations"):
            if not isinstance(one, dict) or not isinstance(one.get("question_id"), int | str):
                continue
            try:
                golds = tuple(intern(gold) for gold in annotators(member(one, "answers", list)))
            except (Unusable, LeftOut) as error:
                yield str(one["question_id"]), error
                continue
            yield str(one["question_id"]), (golds, one.get("question_type"))

    def example(self, item: Any, official: str) -> SourceExample:
        question, annotation = item
        number = identifier(question, "question_id")
        if isinstance(annotation, Unusable | LeftOut):
            raise annotation
        if annotation == []:
            raise LeftOut(NO_ANSWERS)
        if annotation is None:
            raise Unusable(f"question {number} has no annotation; fetch both files of the same version")
        golds, category = annotation
        folder, name = self.picture_of(question, official)
        return SourceExample(
            external_id=number,
            split=self.split(official, name),
            question=text(question, "question"),
            golds=golds,
            picture=self.pictures.find(name, folder, *(f"{place}/{folder}" for place in PLACES)),
            kind=self.kind(category),
        )

    def picture_of(self, question: Any, official: str) -> tuple[str, str]:
        """Folder and name of a question's picture, by COCO's rule; the year stands in the name of the file of questions."""
        number = question.get("image_id") if isinstance(question, dict) else None
        if isinstance(number, str) and number.isdecimal():
            number = int(number)
        elif isinstance(number, str) and number.lower().endswith((".jpg", ".png")):
            return "", number
        elif not isinstance(number, int) or isinstance(number, bool):
            number = member(question, "image_id", int)
        folder = self.folder_of(official)
        return folder, f"COCO_{folder}_{number:012d}.jpg"

    def folder_of(self, official: str) -> str:
        for split, path in self.found_once:
            if split == official and (told := re.search(self.year_pattern, path.name)):
                return told[0]
        return {"train": "train2014", "val": "val2014"}.get(official, "test2015")

    @property
    def found_once(self) -> list[tuple[str, Path]]:
        if not hasattr(self, "_found"):
            self._found = self.found(self.source)
        return self._found

    def kind(self, category: Any) -> str | None:
        """The kind of question that a question_type names."""
        return None


PLACES = ("images", "Images", "Images/mscoco", "coco", "mscoco", "coco/images", "COCO")
