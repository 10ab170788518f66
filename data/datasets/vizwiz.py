"""VizWiz-VQA: questions that blind people asked about photos they took (Gurari et al., arXiv 1802.08218).

The folder as it is unpacked: train.json, val.json and test.json (from Annotations.zip, often in Annotations/), and the pictures in
train/, val/ and test/. The test split has no answers, so val is what is measured. A real item:

{"image": "VizWiz_val_00000000.jpg", "question": "Ok. There is another picture I hope it is a better one.",
 "answers": [{"answer": "unanswerable", "answer_confidence": "yes"}, {"answer": "chair", "answer_confidence": "yes"}, ...],
 "answer_type": "unanswerable", "answerable": 0}
"""

from pathlib import Path
from typing import Any

from data.datasets._folders import BenchmarkFolder
from data.datasets._reading import NO_ANSWERS, FolderOptions, LeftOut, annotators, benchmark, member, text
from data.json_text import Peek
from data.metrics import measure
from data.records import SourceExample

SUFFIX = "When the provided information is insufficient, respond with 'Unanswerable'.\nAnswer the question using a single word or phrase."


class VizWiz(BenchmarkFolder):
    class Options(FolderOptions):
        pass

    usual = benchmark(
        "vizwiz",
        "VizWiz-VQA",
        "vizwiz",
        "vqa_accuracy",
        "Gurari et al. 2018, VizWiz Grand Challenge, arXiv 1802.08218",
        "CC BY 4.0",
        prompt_suffix=SUFFIX,
        answer_form=measure("vqa_accuracy").answer_form + "; 'unanswerable' if the image doesn't suffice",
    )
    expected = "lists of questions about VizWiz_….jpg, as train.json, val.json and test.json hold them"

    @classmethod
    def claims(cls, path: Path, seen: Peek) -> bool:
        first = seen.first
        if seen.kind != "list" or not isinstance(first, dict) or "question" not in first:
            return False
        answers = first.get("answers")
        objects = isinstance(answers, list) and all(isinstance(answer, dict) for answer in answers)
        named = path.stem in ("train", "val", "test") and "image" in first and objects
        return str(first.get("image", "")).startswith("VizWiz_") or "answerable" in first or named

    def example(self, item: dict[str, Any], official: str) -> SourceExample:
        name = text(item, "image")
        if "answers" not in item and official not in ("train", "val"):
            raise LeftOut(NO_ANSWERS)
        return SourceExample(
            external_id=name,
            split=self.split(official, name),
            question=text(item, "question"),
            golds=annotators(member(item, "answers", list)),
            picture=self.pictures.find(name, official, f"images/{official}", f"Images/{official}", f"{official}/{official}"),
            kind="unanswerable/photo" if item.get("answerable") == 0 else None,
        )
