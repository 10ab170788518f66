"""What went wrong: failures, what was found out about them, and how they are grouped."""

from dataclasses import dataclass
from datetime import datetime

from data.records.base import ClusterAction, Record, Split


@dataclass(frozen=True)
class Failure(Record):
    """A prediction below the dataset's threshold on the train split, with the latest diagnosis, triage and place on the map."""

    failure_id: int
    round: int
    checkpoint_id: int
    prediction_id: int
    example_id: int
    dataset: str
    external_id: str
    split: Split
    kind: str | None
    image: str
    question: str
    choices: tuple[str, ...]
    golds: tuple[str, ...]
    opening: str  # the first two words of the question
    answer: str  # the checkpoint's
    answer_words: int
    strict: float
    lenient: float
    diagnosis_id: int | None
    description: str | None
    key_elements: tuple[str, ...] | None
    faulty_reasoning: str | None
    error_type: str | None  # a person's, else the diagnosis's
    own_answer: str | None  # the frontier model's
    own_score: float | None
    gold_looks_wrong: bool | None
    right_but_misformatted: bool | None
    confidence: float | None
    frontier: str | None  # the model that diagnosed it
    triage: str | None  # the latest triage label
    assigned: str | None  # the error type that its example is assigned to
    cluster_id: int | None
    x: float | None
    y: float | None
    distance: float | None  # to the centre of its cluster
    teachable: bool
    label_error: bool
    use: str  # "teachable", or why it can't teach


@dataclass(frozen=True)
class Diagnosis(Record):
    """The frontier model's analysis of a failure; the latest of a failure counts."""

    diagnosis_id: int
    failure_id: int
    description: str | None
    key_elements: tuple[str, ...] | None
    faulty_reasoning: str | None
    error_type: str | None
    skill: str | None  # that the question needs, finer than the error type
    own_answer: str | None
    own_score: float | None
    gold_looks_wrong: bool | None
    right_but_misformatted: bool | None
    confidence: float | None
    frontier: str | None
    replies: tuple[str, ...] | None  # keys of the paid replies it was read from
    job_id: int | None
    created_at: datetime


@dataclass(frozen=True)
class TriageEvent(Record):
    """A person's triage label or corrected error type for a failure, or the undoing of one."""

    failure_id: int
    label: str | None
    error_type: str | None
    reviewer: str
    event_id: str
    batch_id: str | None  # of what was labelled in one go
    undoes: str | None  # the event that this one takes back
    created_at: datetime
    triage_id: int  # the order in which they came


@dataclass(frozen=True)
class Cluster(Record):
    """Failures grouped within or across error types."""

    cluster_id: int
    round: int
    error_type: str
    title: str  # a person's, else `found_title`
    job_id: int
    name: str  # in the results of its job
    found_title: str | None  # the job's
    made_by: str | None  # who split it off or gathered it; None: a job found it
    suggested_title: str | None  # the frontier model's, asked for by a person
    created_at: datetime
    kind: str | None  # of question, named by the frontier model, where all its failures had it


@dataclass(frozen=True)
class KindType(Record):
    """A kind of question, and the error type that most diagnoses of its failures have."""

    kind: str
    error_type: str


@dataclass(frozen=True)
class ClusterChange(Record):
    """A person's edit of the clusters of a round (curation/clusters/edit_rules.py says what it means)."""

    change_id: int
    round: int
    job_id: int  # the layout it was made on
    action: ClusterAction
    cluster_ids: tuple[int, ...]
    into_id: int | None
    title: str | None
    failure_ids: tuple[int, ...]
    example_ids: tuple[int, ...]
    undoes: int | None
    reviewer: str
    event_id: str
    batch_id: str | None  # the correction of an error type that it follows from
    created_at: datetime
