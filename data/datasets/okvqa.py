"""OK-VQA: questions on COCO pictures that need knowledge from outside the picture (Marino et al., arXiv 1906.00067).

The folder as it is unpacked: OpenEnded_mscoco_{train,val}2014_questions.json, mscoco_{train,val}2014_annotations.json, and
the pictures in train2014/ and val2014/. val is what is measured. A real question and its annotation:

{"image_id": 297147, "question": "What sport can you use this for?", "question_id": 2971475}
{"image_id": 297147, "question_id": 2971475, "question_type": "four", "confidence": 3, "answer_type": "other",
 "answers": [{"answer_id": 1, "raw_answer": "racing", "answer_confidence": "yes", "answer": "race"}, ...]}
"""

from pathlib import Path
from typing import Any, TypeGuard

from data.datasets._folders import BenchmarkFolder
from data.datasets._reading import FolderOptions, Unusable, identifier, json_file, member, text
from data.metrics import measure
from data.records import Dataset, SourceExample


class OkVqa(BenchmarkFolder):
    Options = FolderOptions

    def about(self) -> Dataset:
        return Dataset(
            name="okvqa",
            title="OK-VQA",
            format="okvqa",
            metric="vqa_accuracy",
            prompt_suffix=measure("vqa_accuracy").prompt_suffix,
            answer_form=measure("vqa_accuracy").answer_form,
            source="Marino et al. 2019, OK-VQA, arXiv 1906.00067; images of COCO 2014",
            licence="see the source",
        )

    def file(self, official: str) -> Path:
        return self.options.path / f"OpenEnded_mscoco_{official}2014_questions.json"

    def items(self, official: str) -> list[tuple[Any, dict[str, Any] | None]]:
        """Each question with its annotation."""
        asked = _list(self.file(official), "questions")
        answered = _list(self.options.path / f"mscoco_{official}2014_annotations.json", "annotations")
        by_question = {item.get("question_id"): item for item in answered if isinstance(item, dict) and _plain(item.get("question_id"))}
        return [(item, by_question.get(_question_id(item))) for item in asked]

    def example(self, item: tuple[Any, dict[str, Any] | None], official: str) -> SourceExample:
        item, annotation = item
        number = identifier(item, "question_id")
        if annotation is None:
            raise Unusable(f"question {number} has no annotation; fetch both files of the same version")
        answers = tuple(text(answer, "answer") for answer in member(annotation, "answers", list))
        if not answers:
            raise Unusable("field 'answers' is an empty list, expected ten answers; fetch the annotations again")
        picture = f"COCO_{official}2014_{member(item, 'image_id', int):012d}.jpg"
        category = annotation.get("question_type")
        return SourceExample(
            external_id=number,
            split=self.split(official, picture),
            question=text(item, "question"),
            golds=answers,
            picture=self.options.path / f"{official}2014" / picture,
            kind=f"external-knowledge/{CATEGORIES[category]}" if _plain(category) and category in CATEGORIES else None,
        )


# The names that the annotation files give the question types, shortened.
CATEGORIES = {
    "one": "vehicles",
    "two": "brands",
    "three": "objects",
    "four": "sports",
    "five": "cooking",
    "six": "geography",
    "seven": "people",
    "eight": "plants and animals",
    "nine": "science",
    "ten": "weather",
    "other": "other",
}


def _plain(value: object) -> TypeGuard[str | int]:
    return isinstance(value, str | int)


def _question_id(item: Any) -> str | int | None:
    number = item.get("question_id") if isinstance(item, dict) else None
    return number if _plain(number) else None


def _list(path: Path, name: str) -> list[Any]:
    try:
        return member(json_file(path, dict, f"the OK-VQA {name}"), name, list)
    except Unusable as error:
        raise Unusable(f"{path.name}: {error}") from error
