"""OK-VQA: questions on COCO pictures that need knowledge from outside the picture (Marino et al., arXiv 1906.00067).

The folder as it is unpacked: OpenEnded_mscoco_{train,val}2014_questions.json, mscoco_{train,val}2014_annotations.json, and
the pictures in train2014/ and val2014/. val is what is measured. A real question and its annotation:

{"image_id": 297147, "question": "What sport can you use this for?", "question_id": 2971475}
{"image_id": 297147, "question_id": 2971475, "question_type": "four", "confidence": 3, "answer_type": "other",
 "answers": [{"answer_id": 1, "raw_answer": "racing", "answer_confidence": "yes", "answer": "race"}, ...]}
"""

from pathlib import Path
from typing import Any

from data.datasets._questions import QuestionsAndAnnotations
from data.datasets._reading import FolderOptions, benchmark

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


class OkVqa(QuestionsAndAnnotations):
    class Options(FolderOptions):
        pass

    usual = benchmark("okvqa", "OK-VQA", "okvqa", "vqa_accuracy", "Marino et al. 2019, OK-VQA, arXiv 1906.00067; images of COCO 2014")
    expected = "OpenEnded_mscoco_…_questions.json with mscoco_…_annotations.json whose answers have a raw_answer"

    @classmethod
    def owns(cls, annotation: dict[str, Any], path: Path) -> bool:
        answers = annotation.get("answers")
        raw = isinstance(answers, list) and answers and isinstance(answers[0], dict) and "raw_answer" in answers[0]
        return bool(raw) or (annotation.get("question_type") in CATEGORIES and not path.name.startswith("v2_"))

    def kind(self, category: Any) -> str | None:
        return f"external-knowledge/{CATEGORIES[category]}" if isinstance(category, str) and category in CATEGORIES else None
