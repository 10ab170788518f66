"""What is known of prompts, their versions, and what two versions have brought: types alone, for pages and the command line."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from curation.jobs.views import JobView
from curation.prompts.validation import Flaw
from curation.prompts.versions import DiffLine, ListedVersion
from data.records import JobStatus, Record

Result = dict[str, Any]  # the outcome of a reply: its fields are the prompt's; {"problem": …} where it was of no use
Side = Literal["a", "b"]


class Named(BaseModel):
    """A field of a prompt or of its reply."""

    name: str
    about: str | None


class PromptField(Named):
    required: bool


class PromptAbout(BaseModel):
    """A prompt: what it is, who asks by it, what it is filled with, what its reply holds."""

    name: str
    title: str
    used_by: list[str]
    stage: str
    shipped: str = Field(description="the version that came with the program")
    fields: list[PromptField]
    reply: list[Named]
    comparable: bool


class ListedPrompt(PromptAbout):
    in_use: str = Field(description="the version that new jobs ask by")


@dataclass(frozen=True)
class SideVersions(Record):
    a: str
    b: str


@dataclass(frozen=True)
class ComparisonProgress(Record):
    """How far a job is that compares two versions of a prompt."""

    job_id: int
    status: JobStatus
    total: int
    done: int
    failed: int
    created_at: datetime


@dataclass(frozen=True)
class ListedComparison(ComparisonProgress):
    options: SideVersions


class PromptShown(ListedPrompt):
    """A prompt with all its versions, the text of one of them, how that differs from the shipped one, and its comparisons."""

    version: str
    system: str
    user: str
    difference: list[DiffLine]
    versions: list[ListedVersion]
    comparisons: list[ListedComparison]


class PromptSaved(BaseModel):
    """The version that a text was saved as, or the flaws that it isn't saved for."""

    flaws: list[Flaw]
    version: str | None = None


class VersionUsed(BaseModel):
    version: str


@dataclass(frozen=True)
class AskedAbout(Record):
    """What a filter's prompt is asked about in a failure's place: `of` which sample, or of the failure's own question."""

    of: str
    image: str
    question: str
    choices: tuple[str, ...]
    proposed: str


@dataclass(frozen=True)
class TriedFailure(Record):
    """What a page shows of a failure beside a prompt."""

    failure_id: int
    image: str
    question: str
    choices: tuple[str, ...]
    answer: str
    error_type: str | None
    dataset: str
    golds: str  # as a prompt names them
    asked: AskedAbout | None


@dataclass(frozen=True)
class ComparedFailure(TriedFailure):
    """A failure with the results of both sides, where they have one. `differs` is None where the two can't be compared."""

    people: str | None  # the error type that people gave it
    a: Result | None
    b: Result | None
    differs: bool | None


@dataclass(frozen=True)
class TypeChange(Record):
    """Failures that the two sides give these different error types."""

    a: str
    b: str
    failures: int


class ComparisonCounts(BaseModel):
    """Counts of each side and between both, over the failures to which both sides have a reply. The last four are of some prompts only."""

    compared: int
    replies: dict[Side, int] = Field(description="that can be compared, by side")
    a: dict[str, Any] = Field(description="counts by name: which ones there are is the prompt's")
    b: dict[str, Any]
    people: int | None = Field(default=None, description="of these failures, those whose error type people gave")
    same_type: int | None = None
    changes: list[TypeChange] | None = None
    same: int | None = None


@dataclass(frozen=True)
class SideCost(Record):
    """What the replies of a side cost when they were bought; None where one has no price."""

    calls: int
    usd: float | None
    usd_a_failure: float | None
    prompt_tokens: int
    completion_tokens: int


class ComparisonView(BaseModel):
    """A comparison as far as it is."""

    job: JobView
    prompt: str
    versions: dict[Side, str]
    failures: list[ComparedFailure]
    counts: ComparisonCounts
    costs: dict[Side, SideCost]
