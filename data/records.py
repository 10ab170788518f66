"""The nouns, one frozen dataclass each: what travels between stages, models and plugins.

Tables of the store carry the same names (data/migrations). A picture is named by `image`: the SHA-256 of its
bytes in hexadecimal, which `data.images` turns into a path.
"""

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, Self

Split = Literal["train", "dev", "eval"]
Metric = Literal["vqa_accuracy", "anls", "multiple_choice", "exact_match"]
Route = Literal["same_image", "new_image", "by_hand"]


class Record:
    """Reading from and writing to plain rows (of Parquet, JSON or the store); unknown columns are ignored."""

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Self:
        names = {f.name: f.type for f in fields(cls)}
        return cls(**{name: tuple(v) if isinstance(v, list) else v for name, v in row.items() if name in names})

    def to_row(self) -> dict[str, Any]:
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}


@dataclass(frozen=True)
class Dataset(Record):
    """A benchmark and how its answers are asked for and scored."""

    name: str
    metric: Metric
    title: str = ""
    format: str = ""  # the plugin of data/datasets that read it
    threshold: float = 0.5  # a score below it is a failure
    prompt_suffix: str = ""  # appended to each question, METHOD.md "Metrics"
    answer_form: str = "one short answer: a single word or phrase"  # what a sample's answer must look like
    source: str = ""
    licence: str = ""


@dataclass(frozen=True)
class Example(Record):
    """An item of a dataset. `kind` is "error-type/detail" where the dataset knows it, e.g. "counting/3"."""

    dataset: str
    external_id: str  # unique within dataset and split
    split: Split
    image: str  # SHA-256 in hexadecimal
    question: str
    golds: tuple[str, ...]
    choices: tuple[str, ...] = ()
    kind: str | None = None
    example_id: int | None = None


@dataclass(frozen=True)
class SourceExample(Record):
    """An item as a dataset plugin reads it: the picture still is bytes, a path, or missing."""

    external_id: str
    split: Split
    question: str
    golds: tuple[str, ...]
    picture: bytes | Path
    choices: tuple[str, ...] = ()
    kind: str | None = None


@dataclass(frozen=True)
class BadLine(Record):
    """A line or item of a source that can't be used; the import records it and goes on."""

    source: str  # file, with the line number after a colon where there is one
    error: str  # what was found, what was expected, what to do


@dataclass(frozen=True)
class Checkpoint(Record):
    """A model that can be asked: a base, or a base with an adapter."""

    name: str
    baseline: str  # plugin of models/baselines
    model: str  # folder or hub name of the base weights
    adapter: str | None = None  # folder of LoRA weights
    options: dict = field(default_factory=dict)  # further Options of the plugin
    checkpoint_id: int | None = None


@dataclass(frozen=True)
class Ask(Record):
    """A question for a model: the text as it is sent (with suffix and choices), and the picture's path."""

    key: str
    text: str
    image_path: str | None


@dataclass(frozen=True)
class Verdict(Record):
    """One filter's judgement of one revision of a sample. Pass or fail follows from the filter's setting."""

    sample_id: int
    revision: int
    filter: str
    version: int
    score: float | None
    reason: str
    error: str | None = None
