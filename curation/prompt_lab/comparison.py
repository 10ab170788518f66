"""The outcome of a comparison of two versions of a prompt: replies side by side, what differs, what each side cost."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from curation.jobs.views import JobView
from curation.prompt_lab.records import (
    ComparedFailure,
    ComparisonCounts,
    ComparisonProgress,
    ComparisonView,
    ListedComparison,
    Result,
    Side,
    SideCost,
    SideVersions,
    TypeChange,
)
from curation.prompt_lab.trial import SIDES, shown
from data.records import Record, RowError
from data.store import Store

_TELLING = {"diagnosis": ("error_type", "teachable"), "judge": ("score",), "blind": ("answer", "right")}
Pair = dict[Side, Result | None]  # the results of a failure, by side; None where it has none


@dataclass(frozen=True)
class ComparisonJob(ComparisonProgress):
    options: dict[str, Any]


@dataclass(frozen=True)
class ComparisonRow(Record):
    """The result of a side for a failure."""

    key: str
    side: Side
    result: dict[str, Any]
    replies: tuple[str, ...] | None
    failure_id: int
    image: str
    question: str
    choices: tuple[str, ...]
    golds: tuple[str, ...]
    answer: str
    error_type: str | None
    dataset: str
    peoples_type: str | None


@dataclass(frozen=True)
class ReplyCosts(Record):
    """The replies behind a side, and what they cost when they were bought."""

    side: Side
    calls: int
    usd: float | None
    unpriced: int
    prompt_tokens: int | None
    completion_tokens: int | None


def listed(store: Store, prompt: str, limit: int = 12) -> list[ListedComparison]:
    """The comparisons of a prompt, latest first."""
    rows = store.rows("comparison_jobs", ComparisonJob, prompt=prompt, limit=limit)
    return [ListedComparison(**{**vars(row), "options": SideVersions.from_row(row.options)}) for row in rows]


def view(store: Store, job: JobView) -> ComparisonView:
    """A comparison as far as it is."""
    prompt = job.options["prompt"]
    about: dict[int, ComparisonRow] = {}
    results: dict[int, Pair] = {}
    for row in store.rows("comparison_rows", ComparisonRow, job_id=job.job_id):
        about.setdefault(row.failure_id, row)
        results.setdefault(row.failure_id, dict.fromkeys(SIDES))[row.side] = row.result
    for error in store.rows("row_errors", RowError, job_id=job.job_id, after="", limit=1000):
        failure, _, side = error.key.partition("/")
        for pair in [results[int(failure)]] if int(failure) in results else []:
            pair["a" if side == "a" else "b"] = {"problem": error.error}
    pairs = list(results.values())
    costs = {row.side: row for row in store.rows("comparison_costs", ReplyCosts, job_id=job.job_id)}
    return ComparisonView(
        job=job,
        prompt=prompt,
        versions={side: next((result["version"] for pair in pairs if (result := _good(pair[side]))), job.options[side]) for side in SIDES},
        failures=[
            ComparedFailure(**vars(shown(vars(row))), people=row.peoples_type, a=pair["a"], b=pair["b"], differs=differs(prompt, pair))
            for row, pair in zip(about.values(), pairs)
        ],
        counts=counts(prompt, pairs, [row.peoples_type for row in about.values()]),
        costs={side: _cost(costs.get(side), len(pairs)) for side in SIDES},
    )


def differs(prompt: str, pair: Pair) -> bool | None:
    """Whether the two sides have different outcomes; None where one is missing, and for proposals, which always differ."""
    results = _both(pair)
    if prompt == "proposal" or results is None:
        return None
    return any(results["a"][name] != results["b"][name] for name in _TELLING.get(prompt, ("answer", "agrees")))


def counts(prompt: str, pairs: list[Pair], people: list[str | None]) -> ComparisonCounts:
    """Counts of each side, and between both. `people` has the error type that people gave each failure, if any."""
    compared = [(results, error_type) for pair, error_type in zip(pairs, people) if (results := _both(pair))]
    counted: dict[str, Any] = {
        "compared": len(compared),
        "replies": {side: sum(_good(pair[side]) is not None for pair in pairs) for side in SIDES},
        **{side: _COUNTS.get(prompt, _answers)([results[side] for results, _ in compared]) for side in SIDES},
    }
    if prompt == "diagnosis":
        judged = [(results, error_type) for results, error_type in compared if error_type]
        for side in SIDES:
            counted[side]["as_people"] = sum(results[side]["error_type"] == error_type for results, error_type in judged)
        changes = Counter((results["a"]["error_type"], results["b"]["error_type"]) for results, _ in compared)
        counted["people"] = len(judged)
        counted["same_type"] = sum(count for (a, b), count in changes.items() if a == b)
        counted["changes"] = [TypeChange(a, b, count) for (a, b), count in changes.most_common() if a != b]
    if prompt != "proposal":
        counted["same"] = sum(not differs(prompt, dict(results)) for results, _ in compared)
    return ComparisonCounts(**counted)


def _good(result: Result | None) -> Result | None:
    """The result, if it can be compared."""
    return None if result is None or result.get("problem") else result


def _both(pair: Pair) -> dict[Side, Result] | None:
    """The results of both sides; None where one has none that can be compared."""
    results: dict[Side, Result] = {side: result for side in SIDES if (result := _good(pair[side]))}
    return results if len(results) == len(SIDES) else None


def _diagnoses(results: list[dict[str, Any]]) -> dict[str, Any]:
    flags = ("teachable", "own_right", "gold_looks_wrong", "right_but_misformatted")
    mean = sum(result["confidence"] for result in results) / len(results) if results else None
    return {**{name: sum(result[name] for result in results) for name in flags}, "confidence": mean}


def _proposals(results: list[dict[str, Any]]) -> dict[str, Any]:
    dropped = Counter(proposal["rule"] for result in results for proposal in result["dropped"])
    return {"kept": sum(len(result["kept"]) for result in results), "dropped": sum(dropped.values()), "rules": dict(dropped.most_common())}


def _judgements(results: list[dict[str, Any]]) -> dict[str, Any]:
    scores = Counter(result["score"] for result in results)
    return {"scores": {str(score): scores[score] for score in (1, 2, 3)}}


def _answers(results: list[dict[str, Any]]) -> dict[str, Any]:
    names = [name for name in ("right", "agrees", "certain") if results and name in results[0]]
    return {name: sum(result[name] for result in results) for name in names}


def _cost(row: ReplyCosts | None, failures: int) -> SideCost:
    if row is None or not failures:
        return SideCost(calls=0, usd=None, usd_a_failure=None, prompt_tokens=0, completion_tokens=0)
    usd = None if row.unpriced else row.usd
    each = None if usd is None else usd / failures
    return SideCost(row.calls, usd, each, row.prompt_tokens or 0, row.completion_tokens or 0)


_COUNTS = {"diagnosis": _diagnoses, "proposal": _proposals, "judge": _judgements}
