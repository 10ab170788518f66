"""The contract of filters: their input, their context, their class.

A filter is one file with one class below `Filter`. It returns a verdict (score and reason) for each sample and
deletes nothing; whether a sample passes follows from the score and the filter's current setting.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import BaseModel

from curation.prompts.templates import SHIPPED, Prompts, version_of
from curation.prompts.templates import shipped as shipped_prompt
from data.images import BadImage
from data.records import Comparison, Metric, Record, Verdict
from data.registry import FILTERS

if TYPE_CHECKING:
    from models.frontier import Outcome, Request
    from models.frontier.client import OpenAICompatible

Need = Literal["frontier", "image", "text_embedder", "baseline"]


@dataclass(frozen=True)
class FilterInput(Record):
    """A revision of a sample, with what filters need of its dataset. Of the diagnosis it has the skill alone, which no request may say."""

    sample_id: int
    revision: int
    question: str
    answer: str  # the letter where there are choices
    dataset: str
    metric: Metric
    answer_form: str
    choices: tuple[str, ...] = ()
    image: str | None = None  # SHA-256 in hexadecimal; None before it is drawn
    image_path: str | None = None
    phash: int | None = None  # of the picture, data.images.phash; computed where it is missing
    prompt_suffix: str = ""  # as a baseline is asked
    skill: str = ""  # that the proposal says it practises
    failed_skill: str = ""  # of the failure that it was made for, by its diagnosis
    contrast: bool = False  # it asks the opposite, which the checkpoint may well do right
    picture_spec: str | None = None  # of a rendered picture, as JSON (data/picture_specs)
    answer_from: str | None = None  # as JSON: how the answer follows from the spec's data


@dataclass
class FilterContext:
    """What a filter may use besides the samples it judges. The Parquet files are written by the stage before it starts."""

    images_root: Path
    frontier: "OpenAICompatible | None" = None
    samples_parquet: Path | None = None  # all samples of the workspace: sample_id, image, phash, question, answer
    eval_parquet: Path | None = None  # all examples of all eval splits: example_id, image, phash, question, golds
    embed_text: Callable[[list[str]], np.ndarray] | None = None  # texts to (n, d) float32 rows of length 1
    open_baseline: Callable[[float], tuple[str, Any]] | None = (
        None  # sampling temperature (0: greedy) to the round's checkpoint: name, plugin
    )
    skills: Mapping[str, str] = field(default_factory=dict)  # that the workspace's diagnoses name, the most frequent first: error types
    prompts: Prompts = SHIPPED
    eval_mark: str = ""  # changes with the eval splits
    should_stop: Callable[[], bool | str] = lambda: False  # asked between samples or calls; samples after a stop get no verdict


class Filter:
    """Base of all filters. A plugin sets the class attributes, nests `Options`, and overrides `score` or `__call__`."""

    name: ClassVar[str]  # its file's
    title: ClassVar[str]
    version: ClassVar[int] = 1  # raised when the same sample may get another score
    threshold: ClassVar[float]  # the default; a person may move it
    comparison: ClassVar[Comparison] = "at_least"
    needs: ClassVar[frozenset[Need]] = frozenset()
    overridable_in_bulk: ClassVar[bool] = True  # False: curation/filtering/bulk_limits.py
    loosest: ClassVar[float]  # of a filter that can't be overridden in bulk: its threshold's limit
    reads_eval: ClassVar[bool] = False  # compares with the eval splits: a change of these makes its verdicts out of date
    enabled_by_default: ClassVar[bool] = True  # in a new workspace
    judges_aim: ClassVar[bool] = False  # True: whether a sample practises a failure; untargeted ones aren't judged by it
    prompt: ClassVar[str | None] = None  # the prompt that it asks by, curation/prompts/<prompt>.md
    Options: ClassVar[type[BaseModel]]
    seconds_a_sample: ClassVar[float | None] = None  # on one core, until it is measured on this machine (curation/stages/filter.py)

    def __init__(self, options: BaseModel) -> None:
        self.options = options

    def setup(self, context: FilterContext) -> None:
        """Called once before the first batch. Raises ValueError if the context lacks what the filter needs."""
        if "frontier" in self.needs:
            if context.frontier is None:
                raise ValueError(f"filter {self.name} needs a frontier model, but none is configured; choose one or disable the filter")
            self._frontier = context.frontier
        self.context = context
        self._stamp = self.stamp(context.prompts, context.eval_mark)

    @classmethod
    def asks(cls) -> Literal["frontier", "baseline"] | None:
        """Which model it asks, if any."""
        return next((who for who in ("frontier", "baseline") if who in cls.needs), None)

    @classmethod
    def stamp(cls, prompts: Prompts, eval_mark: str = "") -> int:
        """The version of a verdict: the filter's own, and in the lower 24 bits a hash of its prompt or of the eval splits.

        Verdicts of another stamp are out of date.
        """
        marks = []
        if cls.prompt is not None:
            marks.append(version_of(prompts.texts.get(cls.prompt) or shipped_prompt(cls.prompt).text))
        if cls.reads_eval:
            marks.append(version_of(eval_mark))
        return cls.version << 24 | int(version_of(" ".join(marks))[:6], 16) if marks else cls.version

    def requests(self, item: FilterInput, prompts: Prompts) -> "list[Request]":
        """The calls of a frontier model that one sample takes; its cost is estimated from them."""
        return []

    def ask(self, batch: Sequence[FilterInput]) -> "Iterator[Outcome]":
        """The outcomes of all the calls of these samples, as they end; samples without a call are left out."""
        requests = (request for item in batch for request in self.requests(item, self.context.prompts))
        return self._frontier.ask_all(requests, self.context.should_stop)

    def score(self, item: FilterInput) -> tuple[float, str]:
        """Score and reason for one sample. Raises BadImage or FileNotFoundError if its picture can't be used."""
        raise NotImplementedError

    def __call__(self, batch: Sequence[FilterInput]) -> Iterator[Verdict]:
        """One verdict a sample, in any order; a sample that can't be judged gets one with an error and no score."""
        for item in batch:
            if self.context.should_stop():
                return
            try:
                yield self.verdict(item, *self.score(item))
            except (BadImage, FileNotFoundError) as error:
                yield self.failed(item, str(error))

    def verdict(self, item: FilterInput, score: float, reason: str) -> Verdict:
        return Verdict(item.sample_id, item.revision, self.name, self._stamp, float(score), reason)

    def failed(self, item: FilterInput, error: str | None) -> Verdict:
        return Verdict(item.sample_id, item.revision, self.name, self._stamp, None, "could not be judged", error or "no usable reply")


def filter_class(name: str) -> type[Filter]:
    """The filter of that name. Raises UnknownPlugin."""
    return FILTERS.load(name)


def make_filter(name: str, options: dict[str, Any] | None = None) -> Filter:
    """The filter of that name, ready for `setup`. Raises UnknownPlugin, ValidationError."""
    return FILTERS.make(name, options)


def passes(score: float | None, threshold: float, comparison: Comparison) -> bool | None:
    """Whether a score passes a setting; None where there is no score.

    >>> passes(0.97, 0.95, "at_most")
    False
    """
    if score is None:
        return None
    return score >= threshold if comparison == "at_least" else score <= threshold


def picture_of(item: FilterInput) -> str:
    """The SHA-256 of a sample's picture. Raises BadImage if it has none yet."""
    if item.image is None:
        raise BadImage(f"sample {item.sample_id} has no image yet; draw it first")
    return item.image
