"""InfographicVQA: questions on infographics, answered from their text and layout (Mathew et al., arXiv 2104.12756).

The folder as it is unpacked: infographicsVQA_train_v1.0.json, infographicsVQA_val_v1.0_withQT.json, and the pictures in
infographicsvqa_images/. The test split has no answers, so val is what is measured. A real file begins:

{"dataset_name": "infographicVQA", "dataset_split": "train", "dataset_version": "1.0", "data": [
  {"questionId": 65718, "question": "Which social platform has heavy female audience?", "image_local_name": "20471.jpeg",
   "image_url": "...", "ocr_output_file": "20471.json", "answers": ["pinterest"], "data_split": "train"}, ...]}
"""

from collections.abc import Iterator

from data.datasets._reading import (
    ANSWER_FORMS,
    SHORT_ANSWER,
    FolderOptions,
    Unusable,
    guarded,
    identifier,
    json_file,
    member,
    mined_or_dev,
    numbered,
    picture,
    text,
    texts,
    unique,
)
from data.records import BadLine, Dataset, SourceExample

FILES = {"train": "infographicsVQA_train_v1.0.json", "val": "infographicsVQA_val_v1.0_withQT.json"}
PICTURES = "infographicsvqa_images"


class InfoVqa:
    class Options(FolderOptions):
        pass

    def __init__(self, options: Options) -> None:
        self.options = options

    def about(self) -> Dataset:
        return Dataset(
            name="infovqa",
            title="InfographicVQA",
            format="infovqa",
            metric="anls",
            prompt_suffix=SHORT_ANSWER,
            answer_form=ANSWER_FORMS["anls"],
            source="Mathew et al. 2022, InfographicVQA, arXiv 2104.12756",
            licence="see the source",
        )

    def read(self) -> Iterator[SourceExample | BadLine]:
        return unique(self._items())

    def _items(self) -> Iterator[tuple[str, SourceExample | BadLine]]:
        for official, name in FILES.items():
            path = self.options.path / name
            try:
                items = member(json_file(path, dict, "the InfographicVQA questions and answers"), "data", list)
            except Unusable as error:
                yield str(path), BadLine(str(path), str(error))
                continue
            for source, item in numbered(path, items, self.options.limit):
                yield source, guarded(source, lambda item=item, official=official: self._example(item, official))

    def _example(self, item: dict, official: str) -> SourceExample:
        name = text(item, "image_local_name")
        return SourceExample(
            external_id=identifier(item, "questionId"),
            split="eval" if official == "val" else mined_or_dev(name, self.options.dev_share),
            question=text(item, "question"),
            golds=texts(item, "answers"),
            picture=picture(self.options.path / PICTURES, name),
        )
