"""What the page says of clusters beside their size and accuracy: how far each can be trusted, and how far the error types can."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, Field

from curation.statistics.agreement import Kappa, kappa
from curation.statistics.intervals import wilson
from data.records import Record
from data.store import Store


@dataclass(frozen=True)
class CheckedType(Record):
    """A failure whose error type people corrected or confirmed: the cluster it came from, the frontier model's type and the person's."""

    failure_id: int
    cluster_id: int | None
    frontier: str | None
    person: str


@dataclass(frozen=True)
class ClusterQuality(Record):
    """How stable a cluster is under resampling (None: not measured), what the job called it, and who made it (None: the job)."""

    cluster_id: int
    found_title: str | None
    made_by: str | None
    stability: float | None  # mean Jaccard
    dissolved: float | None  # share of the resamples in which it fell apart
    resamples: int | None
    suggested_title: str | None


@dataclass(frozen=True)
class TypeAgreement(Record):
    """Of the failures that people checked, those that kept their error type; the share's interval."""

    agreed: int
    checked: int
    low: float
    high: float


@dataclass(frozen=True)
class ClusterEvidence(ClusterQuality):
    agreement: TypeAgreement | None  # None: nobody checked one


class Evidence(BaseModel):
    """How far the clusters of a round can be trusted, and its error types."""

    clusters: list[ClusterEvidence]
    kappa: Kappa = Field(description="of the frontier model and people on error types")
    changes: int = Field(description="entries of the log of edits")


def evidence(store: Store, round_: int) -> Evidence:
    """All that is known of a round's clusters beside their size and accuracy."""
    checked = store.rows("error_types_checked", CheckedType, round=round_)
    by_cluster = defaultdict(list)
    for row in checked:
        by_cluster[row.cluster_id].append(row.frontier == row.person)
    known = store.rows("cluster_quality_of_round", ClusterQuality, round=round_)
    return Evidence(
        clusters=[ClusterEvidence(**vars(row), agreement=_agreement(by_cluster[row.cluster_id])) for row in known],
        kappa=kappa([row.frontier for row in checked], [row.person for row in checked]),
        changes=store.one("cluster_change_count", int, round=round_),
    )


def _agreement(alike: Sequence[bool]) -> TypeAgreement | None:
    return TypeAgreement(sum(alike), len(alike), *wilson(sum(alike), len(alike))) if alike else None
