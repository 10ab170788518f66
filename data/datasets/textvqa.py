"""TextVQA: questions on text in pictures of OpenImages (Singh et al., arXiv 1904.08920).

The files as they come: TextVQA_0.5.1_{train,val,test}.json, and the pictures in train_images/ (of train and val) and test_images/. The
test split has no answers, so val is what is measured. A real item, shortened:

{"question": "what is the brand of this camera?", "image_id": "0054c91397f2fe05", "image_classes": ["Camera"], "question_id": 0,
 "answers": ["nous les gosses", "dakota", "clos culombu", ...], "set_name": "train"}
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data.datasets._folders import BenchmarkFolder, Read, located
from data.datasets._reading import NO_ANSWERS, FolderOptions, LeftOut, annotators, benchmark, identifier, member, text
from data.json_text import Peek, elements
from data.records import SourceExample


class TextVqa(BenchmarkFolder):
    class Options(FolderOptions):
        pass

    usual = benchmark("textvqa", "TextVQA", "textvqa", "vqa_accuracy", "Singh et al. 2019, arXiv 1904.08920", "CC BY 4.0")
    expected = "TextVQA_…json: an object whose data has image_id, question and answers"
    places = ("train_images", "test_images", "train_val_images/train_images")

    @classmethod
    def claims(cls, path: Path, seen: Peek) -> bool:
        first = seen.lists.get("data")
        named = str(seen.head.get("dataset_name", "")).lower() == "textvqa"
        return isinstance(first, dict) and "image_id" in first and "question" in first and (named or "image_classes" in first)

    def items(self, path: Path) -> Iterator[Read]:
        return located(path, elements(path, "data"))

    def example(self, item: Any, official: str) -> SourceExample:
        name = f"{identifier(item, 'image_id')}.jpg"
        if "answers" not in item and official not in ("train", "val"):
            raise LeftOut(NO_ANSWERS)
        return SourceExample(
            external_id=identifier(item, "question_id"),
            split=self.split(official, name),
            question=text(item, "question"),
            golds=annotators(member(item, "answers", list)),
            picture=self.pictures.find(name, "test_images" if official == "test" else "train_images"),
        )
