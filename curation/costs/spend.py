"""What was spent, and what for: a job while it runs, rounds and clusters afterwards, and for each sample that people approved.

What has no price is None, never a guess; lost calls (sent, but without a usable reply) are counted beside it, with their highest cost.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from curation.jobs.views import JobView
from data.statuses import ACTIVE, JobStatus
from data.store import Store

LATELY = 60.0  # seconds, over which dollars a minute are taken
COUNTS = ("calls", "prompt_tokens", "completion_tokens", "cached_tokens", "unpriced", "lost", "lost_usd")
PARTS = ("diagnose", "generate", "draw", "filter")
LEAST = 3  # rows, from which a job's end is projected
STEPS = 300  # of a chart of spend over time, at most
WIDTHS = (1.0, 10.0, 60.0, 300.0, 900.0, 3600.0, 6 * 3600.0, 86400.0)  # seconds that a step may be wide


@dataclass(frozen=True)
class SpendStep:
    """Dollars that one stage's jobs paid within a step of time, which begins at `begins` (seconds since 1970)."""

    begins: float
    stage: str
    usd: float


def of_job(store: Store, job: JobView, calls: list[dict[str, Any]]) -> dict[str, Any] | None:
    """A job's spend so far: `calls` are its calls by model. None for a job without paid calls."""
    cap = job.options.get("budget_usd")
    if not calls:
        return None
    usd = _sum(row["usd"] for row in calls)
    progress = job.progress or {}
    done, total = progress.get("done", job.done + job.failed), progress.get("total", job.total)
    open_ = job.status in (*ACTIVE, JobStatus.PAUSED, JobStatus.INTERRUPTED)
    return {
        **{name: sum(row[name] for row in calls) for name in COUNTS},
        "usd": usd,
        "cap_usd": cap,
        "projected_usd": usd * total / done if open_ and usd is not None and done >= LEAST and total > done else None,
        "per_minute_usd": _per_minute(store, job) if job.status is JobStatus.RUNNING and usd is not None else None,
    }


def overview(store: Store, round_: int) -> dict[str, Any]:
    """The Spend view: by stage and model, by round and for each approved sample, by cluster of a round."""
    approved = {row["round"]: row for row in store.rows("approved_by_round")}
    stages: dict[int, list[dict[str, Any]]] = {}
    for row in store.rows("spend_by_stage"):
        stages.setdefault(row["round"], []).append(row)
    return {
        "round": round_,
        "by_model": store.rows("spend_by_model"),
        "rounds": [_round(number, rows, approved.get(number)) for number, rows in stages.items()],
        "clusters": [_with_total(row, PARTS) for row in store.rows("spend_by_cluster", round=round_)],
    }


def over_time(store: Store) -> tuple[float, list[SpendStep]]:
    """Priced spend by stage in steps of equal width, oldest first; (seconds a step is wide, steps). Nothing priced: no steps."""
    span = store.row("spend_span")
    if span is None or span["first"] is None:
        return WIDTHS[0], []
    seconds = next((width for width in WIDTHS if (span["last"] - span["first"]) / width <= STEPS), WIDTHS[-1])
    return seconds, store.rows("spend_over_time", SpendStep, seconds=seconds)


def of_generated(store: Store, job_id: int) -> dict[str, Any]:
    """What the samples of a generate job have cost up to now, all stages since, and for each that is approved."""
    return _with_total(store.one("spend_of_generate_job", job_id=job_id), PARTS[1:])


def _round(number: int, rows: list[dict[str, Any]], samples: dict[str, Any] | None) -> dict[str, Any]:
    totals = {"round": number, "samples": 0, "approved": 0, **(samples or {})}
    usd, approved = _sum(row["usd"] for row in rows), totals["approved"]
    each = [{**row, "per_approved": _each(row["usd"], approved)} for row in rows]
    return {**totals, "stages": each, "usd": usd, "per_approved": _each(usd, approved)}


def _with_total(row: dict[str, Any], parts: tuple[str, ...]) -> dict[str, Any]:
    usd = _sum(row[f"{part}_usd"] for part in parts)
    return {**row, "usd": usd, "per_approved": _each(usd, row["approved"])}


def _per_minute(store: Store, job: JobView) -> float:
    """Over the last minute, or since the job began if that is less."""
    since = (datetime.now().astimezone() - datetime.fromisoformat(job.started_at)).total_seconds() if job.started_at else LATELY
    seconds = min(LATELY, max(since, 1.0))
    return 60.0 * store.one("job_spend_lately", float, job_id=job.job_id, seconds=seconds) / seconds


def _each(usd: float | None, approved: int) -> float | None:
    return usd / approved if usd is not None and approved else None


def _sum(values: Any) -> float | None:
    priced = [value for value in values if value is not None]
    return sum(priced) if priced else None
