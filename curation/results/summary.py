"""The loop in numbers: what `mistakebook demo` prints as its last line, and what a workspace can tell of a round."""

from curation import checkpoints
from curation.results import comparison
from data.store import Store


def of_round(store: Store, before_name: str, after_name: str) -> dict:
    """Counts, spend, seconds a stage, accuracies before and after, and the paired differences. Raises NothingToDo, ValueError."""
    before, after = checkpoints.find(store, before_name), checkpoints.find(store, after_name)
    compared = comparison.compare(store, before, after)
    counts = store.row("loop_counts", checkpoint_id=before.checkpoint_id)
    seconds = {row["stage"]: row["seconds"] for row in store.rows("seconds_by_stage")}
    return {
        "examples": {"train": counts.pop("train"), "eval": counts.pop("eval")},
        **counts,
        "spend_usd": store.row("spend_total")["usd"],
        "seconds": {**seconds, "total": sum(seconds.values())},
        "before": comparison.accuracies(store, before),
        "after": comparison.accuracies(store, after),
        "difference": {
            "overall": _interval(compared["overall"]),
            "by_dataset": {line["name"]: _interval(line) for line in compared["by_dataset"]},
            "by_error_type": {line["name"]: {**_interval(line), "p_holm": line["p_holm"]} for line in compared["by_error_type"]},
        },
        "fixed": compared["fixed"],
        "broken": compared["broken"],
    }


def _interval(line: dict) -> dict:
    return {"value": line["difference"], "low": line["low"], "high": line["high"]}
