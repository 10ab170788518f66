"""A-OKVQA: questions on COCO 2017 pictures that need knowledge and reasoning (Schwenk et al., arXiv 2206.01718).

The files as they come: aokvqa_v1p0_{train,val,test}.json, and the pictures in train2017/, val2017/ and test2017/. The test split has no
answers, so val is what is measured. Asked as multiple choice, or by the option `task` as ten people's direct answers; questions that the
authors mark as too hard for a direct answer are then left out, as in their evaluation. A real item:

{"split": "train", "image_id": 299207, "question_id": "22MexNkBPpdZGX6sxbxVBH", "question": "What is the man by the bags awaiting?",
 "choices": ["skateboarder", "train", "delivery", "cab"], "correct_choice_idx": 3, "direct_answers": ["ride", "ride", "bus", ...],
 "difficult_direct_answer": false, "rationales": [...]}
"""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from data.datasets._folders import BenchmarkFolder
from data.datasets._reading import (
    NO_ANSWERS,
    FolderOptions,
    LeftOut,
    annotators,
    benchmark,
    described,
    identifier,
    letter_at,
    member,
    text,
    texts,
)
from data.json_text import Peek
from data.records import Dataset, SourceExample

TOO_HARD = "too hard for a direct answer"


class AOkVqa(BenchmarkFolder):
    class Options(FolderOptions):
        task: Literal["multiple_choice", "direct_answer"] = Field(
            default="multiple_choice", description="What is asked: a letter of the choices, or an answer in words."
        )

    options: Options
    usual = benchmark("aokvqa", "A-OKVQA", "aokvqa", "multiple_choice", "Schwenk et al. 2022, arXiv 2206.01718; COCO 2017", "Apache-2.0")
    expected = "aokvqa_v1p0_…json: lists with image_id, question_id, choices and direct_answers"

    @classmethod
    def claims(cls, path: Path, seen: Peek) -> bool:
        first = seen.first
        return seen.kind == "list" and isinstance(first, dict) and {"image_id", "question_id", "choices", "question"} <= set(first)

    def about(self) -> Dataset:
        if self.options.task == "multiple_choice":
            return described(self.options, self.usual)
        return described(
            self.options,
            benchmark("aokvqa-direct", "A-OKVQA, direct answers", "aokvqa", "vqa_accuracy", self.usual.source, self.usual.licence),
        )

    def example(self, item: Any, official: str) -> SourceExample:
        asked_for = "correct_choice_idx" if self.options.task == "multiple_choice" else "direct_answers"
        number = identifier(item, "question_id")
        if asked_for not in item and official not in ("train", "val"):
            raise LeftOut(NO_ANSWERS)
        name = f"{member(item, 'image_id', int):012d}.jpg"
        folder = f"{official}2017"
        if self.options.task == "multiple_choice":
            choices = texts(item, "choices")
            golds: tuple[str, ...] = (letter_at(member(item, "correct_choice_idx", int), choices),)
        elif item.get("difficult_direct_answer"):
            raise LeftOut(TOO_HARD)
        else:
            choices, golds = (), annotators(member(item, "direct_answers", list), "direct_answers")
        return SourceExample(
            external_id=number,
            split=self.split(official, name),
            question=text(item, "question"),
            golds=golds,
            picture=self.pictures.find(name, folder, f"coco/{folder}", f"images/{folder}"),
            choices=choices,
        )
