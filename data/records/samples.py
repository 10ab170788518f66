"""What practises it: samples, how they are judged by filters, rules and people."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from data.records.base import Comparison, Record, ReviewAction, Route
from data.statuses import SampleStatus


@dataclass(frozen=True)
class Sample(Record):
    """A synthetic candidate as it was proposed: revision 0, never changed."""

    sample_id: int
    key: str
    round: int
    failure_id: int | None
    diagnosis_id: int | None
    dataset: str
    error_type: str
    route: Route
    question: str
    choices: tuple[str, ...]
    answer: str
    image: str | None  # None: drawn later
    image_prompt: str | None
    seed: int | None
    frontier: str | None
    replies: tuple[str, ...] | None
    picture_spec: dict[str, Any] | None  # what is rendered (data/picture_specs); None: drawn from the prompt, or not new
    answer_from: dict[str, Any] | None  # how the answer follows from the spec's data; None: it isn't computed
    difficulty: str | None  # asked for: as_seed, easier, harder
    skill: str | None  # that the proposal says it practises
    contrast: bool  # asks the opposite of another sample of its picture
    job_id: int | None
    example_id: int | None  # that it was made from, where it was made without a failure
    created_at: datetime


@dataclass(frozen=True)
class SampleState(Record):
    """A sample as it stands: the current text and picture, and the effective status."""

    sample_id: int
    revision: int
    status: SampleStatus
    question: str
    choices: tuple[str, ...]
    answer: str
    image: str | None


@dataclass(frozen=True)
class ExportedSample(Record):
    """A sample as exports write it, and where it comes from."""

    sample_id: int
    revision: int
    question: str
    choices: tuple[str, ...]
    answer: str
    image: str
    dataset: str
    error_type: str
    route: Route
    prompt_suffix: str
    skill: str | None = None  # that it practises, as its proposal states it
    contrast: bool = False
    picture_spec: dict[str, Any] | None = None  # of a rendered picture, with its data
    answer_from: dict[str, Any] | None = None
    round: int | None = None
    status: str = SampleStatus.APPROVED
    reviewer: str | None = None  # whose decision stands
    cluster: str | None = None  # of the failure that it answers
    proposed_by: str | None = None  # models, as they are called at their endpoints
    diagnosed_by: str | None = None
    drawn_by: str | None = None
    prompts: dict[str, str] | None = None  # version by name of the prompt
    filters: tuple[dict[str, Any], ...] = ()  # {filter, version, score, comparison, threshold, passed} of the verdicts that stand
    dataset_licence: str | None = None


@dataclass(frozen=True)
class Drawing(Record):
    """A picture that was drawn for a sample, and how; the latest counts."""

    sample_id: int
    image: str
    generator: str
    seed: int
    recipe: dict[str, Any]
    job_id: int | None
    created_at: datetime
    drawing_id: int  # the order in which they came
    review_mark: int  # reviews of greater numbers came after it
    verdict_mark: int  # as verdicts


@dataclass(frozen=True)
class Revision(Record):
    """An edit of a sample's text; revision 0 is in Sample."""

    sample_id: int
    revision: int
    question: str
    choices: tuple[str, ...]
    answer: str
    reviewer: str
    created_at: datetime


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


@dataclass(frozen=True)
class Review(Record):
    """A person's decision on a revision of a sample."""

    review_id: int
    sample_id: int
    revision: int
    action: ReviewAction
    reason: str | None
    note: str | None
    reviewer: str
    batch_id: int | None  # of a bulk decision
    undoes: int | None  # the review that this one takes back
    event_id: str
    created_at: datetime


@dataclass(frozen=True)
class FilterSetting(Record):
    """Whether a filter is enabled, and which scores pass it; the latest of a filter counts."""

    setting_id: int
    filter: str
    bit: int  # its place in the masks of sample_state
    enabled: bool
    threshold: float
    comparison: Comparison  # of a passing score with the threshold
    author: str
    created_at: datetime


@dataclass(frozen=True)
class Condition(Record):
    """A part of a rule: the score of a filter must be at least, or at most, a threshold."""

    filter: str
    comparison: Comparison
    threshold: float


@dataclass(frozen=True)
class AutoRule(Record):
    """A rule that approves pending samples which meet all its conditions; None: nothing is approved by rule. The latest counts."""

    rule_id: int
    conditions: tuple[Condition, ...] | None
    author: str
    reason: str | None
    evidence: dict[str, Any] | None
    created_at: datetime
    review_mark: int  # reviews of greater numbers came after it
