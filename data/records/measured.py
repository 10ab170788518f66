"""What is measured: datasets, their examples, checkpoints, rounds and predictions."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from data.records.base import Metric, Record, Split


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
    remarks: tuple[str, ...] = ()  # what of the item was passed over, for example "the first of several pictures is used"
    position: int | None = field(default=None, compare=False)  # its place in the official split, from 0, as harnesses number items
    source: str = field(default="", compare=False)  # file, with the line number after a colon where there is one


@dataclass(frozen=True)
class Skipped(Record):
    """An item that is left out for what it is, and counted: a question without a picture, say."""

    source: str
    reason: str


@dataclass(frozen=True)
class BadLine(Record):
    """A line or item of a source that can't be used; the import records it and goes on."""

    source: str  # file, with the line number after a colon where there is one
    error: str  # what was found, what was expected, what to do


@dataclass(frozen=True)
class ImportReport(Record):
    """What an import read: as which layout and why, what it left out and what of examples it passed over, counted by reason."""

    job_id: int
    dataset: str
    format: str
    layout: str
    source: str  # the options of the format, as JSON
    examples: int
    skipped: dict[str, int]
    remarks: dict[str, int]
    created_at: datetime

    def in_words(self) -> str:
        """One line for people."""
        counts = [f"{count:,} left out: {reason}" for reason, count in self.skipped.items() if reason != "not usable"]
        counts += [f"{count:,} with a remark: {remark}" for remark, count in self.remarks.items()]
        bad = self.skipped.get("not usable", 0)
        counts += [f"{bad:,} lines could not be used; see the job's errors"] if bad else []
        return ". ".join(filter(None, [self.layout, f"{self.examples:,} examples", *counts]))


@dataclass(frozen=True)
class Checkpoint(Record):
    """A model that can be asked: a base, or a base with an adapter."""

    name: str
    baseline: str  # plugin of models/baselines
    model: str  # folder or hub name of the base weights
    adapter: str | None = None  # folder of LoRA weights
    options: dict[str, Any] = field(default_factory=dict)  # further Options of the plugin
    checkpoint_id: int | None = None


@dataclass(frozen=True)
class Ask(Record):
    """A question for a model: the text as it is sent (with suffix and choices), and the picture's path.

    The longest answer in tokens and the texts that end it are the model's own where they aren't given.
    """

    key: str
    text: str
    image_path: str | None
    max_new_tokens: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True)
class Round(Record):
    """One turn of the loop, from one checkpoint to the next."""

    round: int
    checkpoint_id: int
    checkpoint: str  # its name
    created_at: datetime


@dataclass(frozen=True)
class Prediction(Record):
    """A checkpoint's answer to an example, with its scores (data/metrics.py)."""

    prediction_id: int
    checkpoint_id: int
    example_id: int
    answer: str
    strict: float
    lenient: float
    job_id: int | None
    created_at: datetime
    cut: bool | None  # had not ended at the longest length that was asked for; None: not known
