"""What the page says of clusters beside their size and accuracy: how far each can be trusted, and how far the error types can."""

from collections import defaultdict
from typing import Any

from curation.statistics.agreement import kappa
from curation.statistics.intervals import wilson
from data.store import Store


def evidence(store: Store, round_: int) -> dict[str, Any]:
    """By cluster: `stability` (mean Jaccard under resampling, null where it wasn't measured), who made it, what the job called it,
    and how many of the failures that people checked kept their error type. For the round: kappa, and the number of changes."""
    checked = store.rows("error_types_checked", round=round_)
    by_cluster = defaultdict(list)
    for row in checked:
        by_cluster[row["cluster_id"]].append(row["frontier"] == row["person"])
    clusters = [
        {**row, "agreement": _agreement(by_cluster[row["cluster_id"]])} for row in store.rows("cluster_quality_of_round", round=round_)
    ]
    return {
        "clusters": clusters,
        "kappa": kappa([row["frontier"] for row in checked], [row["person"] for row in checked]).to_row(),
        "changes": store.value("cluster_change_count", round=round_),
    }


def _agreement(alike: list[bool]) -> dict[str, Any] | None:
    if not alike:
        return None
    low, high = wilson(sum(alike), len(alike))
    return {"agreed": sum(alike), "checked": len(alike), "low": low, "high": high}
