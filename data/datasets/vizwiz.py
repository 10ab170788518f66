"""VizWiz-VQA: questions that blind people asked about photos they took (Gurari et al., arXiv 1802.08218).

The folder as it is unpacked: Annotations/train.json and val.json, and the pictures in train/ and val/. The test split has
no answers, so val is what is measured. A real item:

{"image": "VizWiz_val_00000000.jpg", "question": "Ok. There is another picture I hope it is a better one.",
 "answers": [{"answer": "unanswerable", "answer_confidence": "yes"}, {"answer": "chair", "answer_confidence": "yes"}, ...],
 "answer_type": "unanswerable", "answerable": 0}
"""

from collections.abc import Iterator

from data.datasets._reading import (
    ANSWER_FORMS,
    FolderOptions,
    Unusable,
    guarded,
    json_file,
    member,
    mined_or_dev,
    numbered,
    picture,
    text,
    unique,
)
from data.records import BadLine, Dataset, SourceExample

SUFFIX = "When the provided information is insufficient, respond with 'Unanswerable'.\nAnswer the question using a single word or phrase."


class VizWiz:
    class Options(FolderOptions):
        pass

    def __init__(self, options: Options) -> None:
        self.options = options

    def about(self) -> Dataset:
        return Dataset(
            name="vizwiz",
            title="VizWiz-VQA",
            format="vizwiz",
            metric="vqa_accuracy",
            prompt_suffix=SUFFIX,
            answer_form=ANSWER_FORMS["vqa_accuracy"] + "; 'unanswerable' if the image doesn't suffice",
            source="Gurari et al. 2018, VizWiz Grand Challenge, arXiv 1802.08218",
            licence="CC BY 4.0",
        )

    def read(self) -> Iterator[SourceExample | BadLine]:
        return unique(self._items())

    def _items(self) -> Iterator[tuple[str, SourceExample | BadLine]]:
        for official in ("train", "val"):
            path = self.options.path / "Annotations" / f"{official}.json"
            try:
                items = json_file(path, list, "the VizWiz-VQA annotations")
            except Unusable as error:
                yield str(path), BadLine(str(path), str(error))
                continue
            for source, item in numbered(path, items, self.options.limit):
                yield source, guarded(source, lambda item=item, official=official: self._example(item, official))

    def _example(self, item: dict, official: str) -> SourceExample:
        name = text(item, "image")
        return SourceExample(
            external_id=name,
            split="eval" if official == "val" else mined_or_dev(name, self.options.dev_share),
            question=text(item, "question"),
            golds=tuple(text(answer, "answer") for answer in member(item, "answers", list)) or _no_answers(),
            picture=picture(self.options.path / official, name),
            kind="unanswerable/photo" if item.get("answerable") == 0 else None,
        )


def _no_answers() -> tuple[str, ...]:
    raise Unusable("field 'answers' is an empty list, expected ten answers; the test split has none and can't be used")
