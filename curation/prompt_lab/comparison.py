"""The outcome of a comparison of two versions of a prompt: replies side by side, what differs, what each side cost."""

import json
from collections import Counter
from typing import Any

from curation.jobs.views import JobView
from curation.prompt_lab.trial import SIDES, shown
from data.store import Store

_TELLING = {"diagnosis": ("error_type", "teachable"), "judge": ("score",), "blind": ("answer", "right")}
Result = dict[str, Any]  # of one side for one failure; {"problem": …} where the reply was of no use
Pair = dict[str, Result | None]  # the results of a failure, by side; None where it has none


def listed(store: Store, prompt: str, limit: int = 12) -> list[dict[str, Any]]:
    """The comparisons of a prompt, latest first."""
    rows = store.rows("comparison_jobs", prompt=prompt, limit=limit)
    return [
        {**row, "created_at": row["created_at"].isoformat(), "options": {name: json.loads(row["options"])[name] for name in ("a", "b")}}
        for row in rows
    ]


def view(store: Store, job: JobView) -> dict[str, Any]:
    """A comparison as far as it is: `failures` with both results, `counts` of both sides and between them, `costs` by side."""
    options = job.options
    failures: dict[int, dict[str, Any]] = {}
    for row in store.rows("comparison_rows", job_id=job.job_id):
        entry = failures.setdefault(row["failure_id"], {**shown(row), "people": row["peoples_type"]})
        entry[row["side"]] = json.loads(row["result"])
    for row in store.rows("row_errors", job_id=job.job_id, after="", limit=1000):
        failure, _, side = row["key"].partition("/")
        if int(failure) in failures:
            failures[int(failure)][side] = {"problem": row["error"]}
    pairs = [{side: entry.get(side) for side in SIDES} for entry in failures.values()]
    for entry, pair in zip(failures.values(), pairs):
        entry |= pair | {"differs": differs(options["prompt"], pair)}
    costs = {row["side"]: row for row in store.rows("comparison_costs", job_id=job.job_id)}
    return {
        "job": job,
        "prompt": options["prompt"],
        "versions": {side: next((result["version"] for pair in pairs if (result := _good(pair[side]))), options[side]) for side in SIDES},
        "failures": list(failures.values()),
        "counts": counts(options["prompt"], pairs, [entry["people"] for entry in failures.values()]),
        "costs": {side: _cost(costs.get(side), len(failures)) for side in SIDES},
    }


def differs(prompt: str, pair: Pair) -> bool | None:
    """Whether the two sides have different outcomes; None where one is missing, and for proposals, which always differ."""
    results = _both(pair)
    if prompt == "proposal" or results is None:
        return None
    return any(results["a"][name] != results["b"][name] for name in _TELLING.get(prompt, ("answer", "agrees")))


def counts(prompt: str, pairs: list[Pair], people: list[str | None]) -> dict[str, Any]:
    """Counts of each side under "a" and "b", and between both under "both", over the failures to which both sides have a reply.

    `people` has the error type that people gave each failure, if any.
    """
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
        counted["changes"] = [{"a": a, "b": b, "failures": count} for (a, b), count in changes.most_common() if a != b]
    if prompt != "proposal":
        counted["same"] = sum(not differs(prompt, dict(results)) for results, _ in compared)
    return counted


def _good(result: Result | None) -> Result | None:
    """The result, if it can be compared."""
    return None if result is None or result.get("problem") else result


def _both(pair: Pair) -> dict[str, Result] | None:
    """The results of both sides; None where one has none that can be compared."""
    results = {side: result for side in SIDES if (result := _good(pair[side]))}
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


def _cost(row: dict[str, Any] | None, failures: int) -> dict[str, Any]:
    """What the replies of a side cost when they were bought; None where one has no price."""
    if row is None or not failures:
        return {"calls": 0, "usd": None, "usd_a_failure": None, "prompt_tokens": 0, "completion_tokens": 0}
    usd = None if row["unpriced"] else row["usd"]
    counts = {name: row[name] for name in ("calls", "prompt_tokens", "completion_tokens")}
    return {**counts, "usd": usd, "usd_a_failure": None if usd is None else usd / failures}


_COUNTS = {"diagnosis": _diagnoses, "proposal": _proposals, "judge": _judgements}
