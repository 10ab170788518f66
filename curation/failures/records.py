"""Failures as pages show them in lists, by cluster and one by one: rows of data/sql/failures.sql."""

from dataclasses import dataclass
from datetime import datetime

from curation.scoring import reading
from data.metrics import measure
from data.records import Failure, Metric, Record


@dataclass(frozen=True)
class AskedFailure(Record):
    """What was asked and answered where a model failed."""

    failure_id: int
    image: str
    question: str
    answer: str
    golds: tuple[str, ...]
    choices: tuple[str, ...]


@dataclass(frozen=True)
class FailureThumbnail(AskedFailure):
    """What a small picture of a failure shows."""

    error_type: str | None
    triage: str | None


@dataclass(frozen=True)
class FailureRow(FailureThumbnail):
    """A failure in the grid."""

    dataset: str
    teachable: bool
    diagnosed: bool


@dataclass(frozen=True)
class NearFailure(FailureThumbnail):
    """A failure beside another one; `distance` is that on the map."""

    distance: float | None


@dataclass(frozen=True)
class FailureTally(Record):
    """Failures of an error type ('': none yet), those with a diagnosis and those that can teach."""

    error_type: str
    failures: int
    diagnosed: int
    teachable: int


@dataclass(frozen=True)
class FacetRow(Record):
    """A value of a facet and how many failures have it, under all the other parts of the filter."""

    facet: str
    value: str
    count: int


@dataclass(frozen=True)
class RoundSummary(Record):
    """Some rounds at a glance: items, answers, accuracy with and without label errors, how far diagnosis and clustering are."""

    round: int | None  # the latest of them; None where there is none
    checkpoint: str | None
    examples: int
    answered: int
    failures: int
    diagnosed: int
    teachable: int
    placed: int
    map_mark: str | None  # changes with the map
    label_errors: int
    accuracy: float | None
    accuracy_lenient: float | None
    accuracy_without_label_errors: float | None
    accuracy_lenient_without_label_errors: float | None
    triaged: int
    unnamed: int  # examples without a kind of question


@dataclass(frozen=True)
class ClusterCounts(Record):
    """A cluster: its failures, and how many the other facets let through."""

    cluster_id: int
    error_type: str
    title: str
    failures: int
    shown: int


@dataclass(frozen=True)
class ClusterAccuracy(Record):
    """Accuracy over all train examples assigned to a cluster, and that of the round before on the same examples."""

    cluster_id: int
    accuracy: float | None
    accuracy_lenient: float | None
    accuracy_before: float | None
    examples: int


@dataclass(frozen=True)
class ListedCluster(ClusterCounts):
    """A cluster as the page and the command line list it; accuracies are None where no example is assigned to it."""

    accuracy: float | None = None
    accuracy_lenient: float | None = None
    accuracy_before: float | None = None
    examples: int | None = None


@dataclass(frozen=True)
class StandingTriage(Record):
    """A triage label or corrected error type that was not undone."""

    label: str | None
    error_type: str | None
    reviewer: str
    created_at: datetime


@dataclass(frozen=True)
class KnownFailure(Failure):
    """One failure with all that is known of it, how many samples practise it, and its triage, newest first."""

    cluster: str | None  # its title
    metric: Metric
    threshold: float
    dataset_title: str | None
    samples: int
    approved: int | None  # None: of so few samples, some of them blind to the reader, a count would tell
    history: tuple[StandingTriage, ...] | None


@dataclass(frozen=True)
class FailureCard(KnownFailure):
    read: str | None  # from the answer by the lenient score; None: nothing
    metric_title: str


@dataclass(frozen=True)
class FailureCardRow(KnownFailure):
    sample_ids: tuple[int, ...] | None

    def card(self) -> FailureCard:
        known = {name: value for name, value in vars(self).items() if name != "sample_ids"}
        read = reading(self.metric, self.answer, self.golds, self.choices)
        return FailureCard(**known, read=read, metric_title=measure(self.metric).title)
