"""VizWiz-VQA: questions that blind people asked about photos they took (Gurari et al., arXiv 1802.08218).

The folder as it is unpacked: Annotations/train.json and val.json, and the pictures in train/ and val/. The test split has
no answers, so val is what is measured. A real item:

{"image": "VizWiz_val_00000000.jpg", "question": "Ok. There is another picture I hope it is a better one.",
 "answers": [{"answer": "unanswerable", "answer_confidence": "yes"}, {"answer": "chair", "answer_confidence": "yes"}, ...],
 "answer_type": "unanswerable", "answerable": 0}
"""

from pathlib import Path
from typing import Any

from data.datasets._folders import BenchmarkFolder
from data.datasets._reading import FolderOptions, Unusable, json_file, member, picture, text
from data.metrics import measure
from data.records import Dataset, SourceExample

SUFFIX = "When the provided information is insufficient, respond with 'Unanswerable'.\nAnswer the question using a single word or phrase."


class VizWiz(BenchmarkFolder):
    Options = FolderOptions

    def about(self) -> Dataset:
        return Dataset(
            name="vizwiz",
            title="VizWiz-VQA",
            format="vizwiz",
            metric="vqa_accuracy",
            prompt_suffix=SUFFIX,
            answer_form=measure("vqa_accuracy").answer_form + "; 'unanswerable' if the image doesn't suffice",
            source="Gurari et al. 2018, VizWiz Grand Challenge, arXiv 1802.08218",
            licence="CC BY 4.0",
        )

    def file(self, official: str) -> Path:
        return self.options.path / "Annotations" / f"{official}.json"

    def items(self, official: str) -> list[Any]:
        return json_file(self.file(official), list, "the VizWiz-VQA annotations")

    def example(self, item: dict[str, Any], official: str) -> SourceExample:
        name = text(item, "image")
        return SourceExample(
            external_id=name,
            split=self.split(official, name),
            question=text(item, "question"),
            golds=tuple(text(answer, "answer") for answer in member(item, "answers", list)) or _no_answers(),
            picture=picture(self.options.path / official, name),
            kind="unanswerable/photo" if item.get("answerable") == 0 else None,
        )


def _no_answers() -> tuple[str, ...]:
    raise Unusable("field 'answers' is an empty list, expected ten answers; the test split has none and can't be used")
