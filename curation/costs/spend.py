"""What was spent, and what for: a job while it runs, rounds and clusters afterwards, and for each sample that people approved.

What has no price is None, never a guess; lost calls (sent, but without a usable reply) are counted beside it, with their highest cost.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from curation.jobs.views import JobView
from data.records import Record
from data.statuses import ACTIVE, JobStatus
from data.store import Store

LATELY = 60.0  # seconds, over which dollars a minute are taken
COUNTS = ("calls", "prompt_tokens", "completion_tokens", "cached_tokens", "unpriced", "lost", "lost_usd")
LEAST = 3  # rows, from which a job's end is projected
STEPS = 300  # of a chart of spend over time, at most
WIDTHS = (1.0, 10.0, 60.0, 300.0, 900.0, 3600.0, 6 * 3600.0, 86400.0)  # seconds that a step may be wide


@dataclass(frozen=True)
class SpendTotal(Record):
    """What all paid replies have cost (None while nothing is priced), and how many have no price."""

    usd: float | None
    unpriced: int


@dataclass(frozen=True)
class CallSums(Record):
    """Paid calls added up. `usd` is None where none of them is priced."""

    calls: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    usd: float | None
    unpriced: int
    lost: int
    lost_usd: float  # what the lost ones may have been billed at most


@dataclass(frozen=True)
class ModelCalls(CallSums):
    """What a job has asked, by purpose and model."""

    purpose: str | None
    endpoint: str | None
    model: str | None


@dataclass(frozen=True)
class ModelSpend(ModelCalls):
    stage: str | None  # of the job that paid; None: no job


@dataclass(frozen=True)
class StageSpend(CallSums):
    """What a round's jobs of a stage paid."""

    round: int
    stage: str


@dataclass(frozen=True)
class StageCost(StageSpend):
    per_approved: float | None  # dollars for each approved sample of the round


@dataclass(frozen=True)
class RoundSamples(Record):
    """Samples of a round, and those that are approved."""

    round: int
    samples: int
    approved: int


@dataclass(frozen=True)
class RoundCost(RoundSamples):
    """What a round's jobs paid, by stage, and for each of its approved samples."""

    stages: list[StageCost]
    usd: float | None
    per_approved: float | None


@dataclass(frozen=True)
class SampleSpend(Record):
    """What samples have cost by stage, and how many of them are approved."""

    approved: int
    generate_usd: float | None
    draw_usd: float | None
    filter_usd: float | None


@dataclass(frozen=True)
class SampleCost(SampleSpend):
    """The same, all stages together, and for each that is approved."""

    usd: float | None
    per_approved: float | None


@dataclass(frozen=True)
class ClusterSpend(SampleSpend):
    """What a cluster has cost by stage, from the diagnosis of its failures to the judging of its samples."""

    cluster_id: int | None  # None: failures in no cluster
    title: str
    error_type: str | None
    failures: int
    diagnose_usd: float | None
    samples: int


@dataclass(frozen=True)
class ClusterCost(ClusterSpend):
    usd: float | None
    per_approved: float | None


@dataclass(frozen=True)
class JobSpend(CallSums):
    """A job's spend so far, its cap, and where it is heading."""

    cap_usd: float | None
    projected_usd: float | None  # at its end, if it goes on like this; None: it has ended, or has only begun
    per_minute_usd: float | None  # lately; None: it doesn't run


class SpendOverview(BaseModel):
    """What was spent: by stage and model, by round and for each approved sample, by cluster of a round."""

    round: int
    by_model: list[ModelSpend]
    rounds: list[RoundCost]
    clusters: list[ClusterCost]


@dataclass(frozen=True)
class SpendSpan(Record):
    """When the first and the last priced reply came, in seconds since 1970; None where nothing is priced."""

    first: float | None
    last: float | None


@dataclass(frozen=True)
class SpendStep:
    """Dollars that one stage's jobs paid within a step of time, which begins at `begins` (seconds since 1970)."""

    begins: float
    stage: str
    usd: float


def of_job(store: Store, job: JobView, calls: Sequence[ModelCalls]) -> JobSpend | None:
    """A job's spend so far: `calls` are its calls by model. None for a job without paid calls."""
    if not calls:
        return None
    usd = _sum(row.usd for row in calls)
    progress = job.progress or {}
    done, total = progress.get("done", job.done + job.failed), progress.get("total", job.total)
    open_ = job.status in (*ACTIVE, JobStatus.PAUSED, JobStatus.INTERRUPTED)
    return JobSpend(
        **{name: sum(getattr(row, name) for row in calls) for name in COUNTS},
        usd=usd,
        cap_usd=job.options.get("budget_usd"),
        projected_usd=usd * total / done if open_ and usd is not None and done >= LEAST and total > done else None,
        per_minute_usd=_per_minute(store, job) if job.status is JobStatus.RUNNING and usd is not None else None,
    )


def job_calls(store: Store, job_id: int) -> list[ModelCalls]:
    """What a job has asked, by purpose and model, most calls first."""
    return store.rows("job_calls_by_model", ModelCalls, job_id=job_id)


def by_model(store: Store) -> list[ModelSpend]:
    """All paid calls by stage, purpose and model, the dearest first."""
    return store.rows("spend_by_model", ModelSpend)


def overview(store: Store, round_: int) -> SpendOverview:
    """The Spend view; its clusters are those of a round."""
    approved = {row.round: row for row in store.rows("approved_by_round", RoundSamples)}
    stages: dict[int, list[StageSpend]] = {}
    for row in store.rows("spend_by_stage", StageSpend):
        stages.setdefault(row.round, []).append(row)
    return SpendOverview(
        round=round_,
        by_model=by_model(store),
        rounds=[_round(rows, approved.get(number) or RoundSamples(number, 0, 0)) for number, rows in stages.items()],
        clusters=[ClusterCost(**vars(row), **_total(row)) for row in store.rows("spend_by_cluster", ClusterSpend, round=round_)],
    )


def over_time(store: Store) -> tuple[float, list[SpendStep]]:
    """Priced spend by stage in steps of equal width, oldest first; (seconds a step is wide, steps). Nothing priced: no steps."""
    span = store.one("spend_span", SpendSpan)
    if span.first is None or span.last is None:
        return WIDTHS[0], []
    lasted = span.last - span.first
    seconds = next((width for width in WIDTHS if lasted / width <= STEPS), WIDTHS[-1])
    return seconds, store.rows("spend_over_time", SpendStep, seconds=seconds)


def of_generated(store: Store, job_id: int) -> SampleCost:
    """What the samples of a generate job have cost up to now, all stages since."""
    row = store.one("spend_of_generate_job", SampleSpend, job_id=job_id)
    return SampleCost(**vars(row), **_total(row))


def _round(rows: Sequence[StageSpend], samples: RoundSamples) -> RoundCost:
    usd, approved = _sum(row.usd for row in rows), samples.approved
    stages = [StageCost(**vars(row), per_approved=_each(row.usd, approved)) for row in rows]
    return RoundCost(**vars(samples), stages=stages, usd=usd, per_approved=_each(usd, approved))


def _total(row: SampleSpend) -> dict[str, Any]:
    """The fields of SampleCost that follow from those of SampleSpend."""
    usd = _sum(value for name, value in vars(row).items() if name.endswith("_usd"))
    return {"usd": usd, "per_approved": _each(usd, row.approved)}


def _per_minute(store: Store, job: JobView) -> float:
    """Over the last minute, or since the job began if that is less."""
    since = (datetime.now().astimezone() - datetime.fromisoformat(job.started_at)).total_seconds() if job.started_at else LATELY
    seconds = min(LATELY, max(since, 1.0))
    return 60.0 * store.one("job_spend_lately", float, job_id=job.job_id, seconds=seconds) / seconds


def _each(usd: float | None, approved: int) -> float | None:
    return usd / approved if usd is not None and approved else None


def _sum(values: Iterable[float | None]) -> float | None:
    priced = [value for value in values if value is not None]
    return sum(priced) if priced else None
