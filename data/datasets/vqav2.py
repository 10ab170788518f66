"""VQA v2 (Goyal et al., arXiv 1612.00837) and VQA v1: questions on COCO pictures, answered by ten people each.

The folder as it is unpacked: v2_OpenEnded_mscoco_{train,val}2014_questions.json, v2_mscoco_{train,val}2014_annotations.json,
v2_OpenEnded_mscoco_test2015_questions.json (and test-dev2015), and the pictures in train2014/, val2014/ and test2015/. The test splits
have no answers, so val is what is measured. A real annotation:

{"question_type": "what is this", "multiple_choice_answer": "net", "image_id": 458752, "answer_type": "other", "question_id": 458752000,
 "answers": [{"answer": "net", "answer_confidence": "maybe", "answer_id": 1}, ...]}
"""

from pathlib import Path
from typing import Any

from data.datasets._questions import QuestionsAndAnnotations
from data.datasets._reading import FolderOptions, benchmark


class VqaV2(QuestionsAndAnnotations):
    class Options(FolderOptions):
        pass

    usual = benchmark("vqav2", "VQA v2", "vqav2", "vqa_accuracy", "Goyal et al. 2017, arXiv 1612.00837; images of COCO", "CC BY 4.0")
    expected = "v2_OpenEnded_mscoco_…_questions.json with v2_mscoco_…_annotations.json, which have a multiple_choice_answer"

    @classmethod
    def owns(cls, annotation: dict[str, Any], path: Path) -> bool:
        return "multiple_choice_answer" in annotation

    @classmethod
    def owns_questions(cls, path: Path) -> bool:
        return path.name.startswith("v2_")
