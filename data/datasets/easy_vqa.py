"""easy-VQA: a public benchmark of drawn shapes that its own package ships (victorzhou.com, MIT): the real input of a first run.

4,000 train and 1,000 test pictures of 64 x 64 pixels. An item: ("is there not a red shape?", "yes", picture 17).
"""

import random
import re
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, Field

from data.records import BadLine, Dataset, SourceExample, Split

COLOURS = ("red", "green", "blue", "black", "gray", "teal", "brown", "yellow")
Question = tuple[str, str, int, int]  # question, answer, picture, place in its file


class EasyVQA:
    """dev is carved from the package's train pictures; eval is its test set. No picture is in two splits."""

    class Options(BaseModel):
        train_limit: int | None = Field(default=1800, ge=0, description="Questions to mine; empty: all 34,700.")
        dev_limit: int | None = Field(default=200, ge=0, description="Questions that steer; empty: all 3,900.")
        eval_limit: int | None = Field(default=1000, ge=0, description="Questions that are only measured; empty: all 9,673.")
        seed: int = Field(default=0, description="Which questions are drawn where a limit leaves some out.")

    def __init__(self, options: Options):
        self.options = options

    def about(self) -> Dataset:
        return Dataset(
            name="easy-vqa",
            title="easy-VQA",
            metric="exact_match",
            format="easy_vqa",
            prompt_suffix="Answer with one word.",
            answer_form="one word, lower case",
            source="package easy-vqa 1.0",
            licence="MIT",
        )

    def read(self) -> Iterator[SourceExample | BadLine]:
        import easy_vqa

        train = _items(*easy_vqa.get_train_questions())
        test = _items(*easy_vqa.get_test_questions())
        train_paths, test_paths = easy_vqa.get_train_image_paths(), easy_vqa.get_test_image_paths()
        dev = [item for item in train if item[2] % 10 == 9]
        mined = [item for item in train if item[2] % 10 != 9]
        yield from self._split("train", mined, train_paths, self.options.train_limit)
        yield from self._split("dev", dev, train_paths, self.options.dev_limit)
        yield from self._split("eval", test, test_paths, self.options.eval_limit)

    def _split(self, split: Split, items: list[Question], paths: dict[int, str], limit: int | None) -> Iterator[SourceExample]:
        rng = random.Random(f"easy-vqa {split} {self.options.seed}")
        chosen = items if limit is None or limit >= len(items) else sorted(rng.sample(items, limit), key=lambda item: item[3])
        for question, answer, image_id, number in chosen:
            yield SourceExample(f"{split}-{number:05d}", split, question, (answer,), Path(paths[image_id]), kind=kind(question, answer))


def kind(question: str, answer: str) -> str:
    """The kind of a question, from its words."""
    if re.search(r"\b(not|no)\b", question):
        return "negation/existence"
    if answer in ("yes", "no"):
        return "recognition/existence"
    return "attribute/colour" if answer in COLOURS else "recognition/shape"


def _items(questions: list[str], answers: list[str], image_ids: list[int]) -> list[Question]:
    return [(q, a, i, number) for number, (q, a, i) in enumerate(zip(questions, answers, image_ids))]
