"""What `jsonl` and `csv` share: one example a line, with these fields.

id        unique within its split; the line's number if it is missing
image     path of the picture, relative to the list (or to the `images` folder)
question
answers   all gold answers, one an annotator; or `answer`, the only one. With choices: the letter or the choice's text
choices   the options of a multiple-choice question, in their order
split     train (is mined), dev (steers) or eval (is only measured); the option `split` if it is missing
kind      which skill the question needs, "error-type/detail", for example "counting/3"; may be missing
"""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from data.datasets._reading import Unusable, identifier, letter_of, picture, text, texts
from data.metrics import measure
from data.records import Dataset, Metric, SourceExample, Split

SPLITS = ("train", "dev", "eval")


class ListOptions(BaseModel):
    path: Path = Field(description="The list of examples.")
    images: Path | None = Field(default=None, description="Folder that the images' paths start from; empty means the list's own.")
    name: str = Field(default="", description="What the dataset is called; empty means the file's name without its ending.")
    metric: Metric = Field(default="exact_match", description="How answers are scored.")
    threshold: float | None = Field(
        default=None, gt=0, le=1, description="A score below it is a failure; empty means the metric's usual one: 0.5, of CIDEr 0.05."
    )
    prompt_suffix: str | None = Field(default=None, description="Appended to each question; empty means the metric's usual one.")
    answer_form: str | None = Field(
        default=None, description="What a new sample's answer must look like; empty means the metric's usual one."
    )
    split: Split = Field(default="train", description="The split of the lines that name none.")


def about_list(options: ListOptions, format_: str) -> Dataset:
    metric = measure(options.metric)
    suffix, form = options.prompt_suffix, options.answer_form
    return Dataset(
        name=options.name or options.path.stem,
        metric=options.metric,
        title=options.name or options.path.stem,
        format=format_,
        threshold=metric.threshold if options.threshold is None else options.threshold,
        prompt_suffix=metric.prompt_suffix if suffix is None else suffix,
        answer_form=metric.answer_form if form is None else form,
        source=str(options.path),
    )


def example_of(fields: Any, number: int, options: ListOptions) -> SourceExample:
    """The example of one line. Raises Unusable."""
    if not isinstance(fields, dict):
        raise Unusable("expected an object with the fields image, question and answer; correct the line")
    fields = {name: value for name, value in fields.items() if value is not None}
    choices = texts(fields, "choices") if fields.get("choices") else ()
    golds = texts(fields, "answers") if "answers" in fields else (identifier(fields, "answer"),)
    if measure(options.metric).wants_choices:
        golds = tuple(letter_of(gold, choices) for gold in golds)
    split = fields.get("split", options.split)
    if split not in SPLITS:
        raise Unusable(f"split {str(split)[:80]!r} is unknown, expected one of {', '.join(SPLITS)}; correct it or leave it out")
    return SourceExample(
        external_id=identifier(fields, "id") if "id" in fields else str(number),
        split=split,
        question=text(fields, "question"),
        golds=golds,
        picture=picture(options.images or options.path.parent, text(fields, "image")),
        choices=choices,
        kind=text(fields, "kind") if "kind" in fields else None,
    )
