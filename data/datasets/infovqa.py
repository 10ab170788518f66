"""InfographicVQA: questions on infographics, answered from their text and layout (Mathew et al., arXiv 2104.12756).

The folder as it is unpacked: infographicsVQA_train_v1.0.json, infographicsVQA_val_v1.0_withQT.json, and the pictures in
infographicsvqa_images/. The test split has no answers, so val is what is measured. A real file begins:

{"dataset_name": "infographicVQA", "dataset_split": "train", "dataset_version": "1.0", "data": [
  {"questionId": 65718, "question": "Which social platform has heavy female audience?", "image_local_name": "20471.jpeg",
   "image_url": "...", "ocr_output_file": "20471.json", "answers": ["pinterest"], "data_split": "train"}, ...]}
"""

from pathlib import Path
from typing import Any

from data.datasets._folders import BenchmarkFolder
from data.datasets._reading import FolderOptions, identifier, json_file, member, picture, text, texts
from data.metrics import measure
from data.records import Dataset, SourceExample

FILES = {"train": "infographicsVQA_train_v1.0.json", "val": "infographicsVQA_val_v1.0_withQT.json"}
PICTURES = "infographicsvqa_images"


class InfoVqa(BenchmarkFolder):
    Options = FolderOptions

    def about(self) -> Dataset:
        return Dataset(
            name="infovqa",
            title="InfographicVQA",
            format="infovqa",
            metric="anls",
            prompt_suffix=measure("anls").prompt_suffix,
            answer_form=measure("anls").answer_form,
            source="Mathew et al. 2022, InfographicVQA, arXiv 2104.12756",
            licence="see the source",
        )

    def file(self, official: str) -> Path:
        return self.options.path / FILES[official]

    def items(self, official: str) -> list[Any]:
        return member(json_file(self.file(official), dict, "the InfographicVQA questions and answers"), "data", list)

    def example(self, item: dict[str, Any], official: str) -> SourceExample:
        name = text(item, "image_local_name")
        return SourceExample(
            external_id=identifier(item, "questionId"),
            split=self.split(official, name),
            question=text(item, "question"),
            golds=texts(item, "answers"),
            picture=picture(self.options.path / PICTURES, name),
        )
