"""What there is to review: the queue in an order, a page of it, counts by facet, and samples with all that is known of them."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from curation.review.decisions import UnknownSample
from data.store import Store

Order = Literal["informative", "random", "newest", "oldest"]
TARGET = 100  # approved samples of a cluster that are wanted, unless the workspace says otherwise
TARGET_SETTING = "review.target"


@dataclass(frozen=True)
class Place:
    """Where a sample stands in a queue: its key in the order, and its id where keys are alike."""

    key: float
    sample_id: int


def following(
    store: Store,
    matching: dict,
    order: Order,
    after: Place | None,
    count: int,
    back: bool = False,
    short: dict[str, float] | None = None,
    skip: int = 0,
) -> list[dict[str, Any]]:
    """The next `count` cards after a place, past `skip` (before it, nearest first, if `back`); each has its `key`.

    `short` is what `shortfalls` gave when the queue was begun: with it places stay where they are while approvals go on.
    """
    place = {"after_key": after.key, "after_id": after.sample_id} if after else {}
    where = {**matching, "order": order, "short": _short(store, order, short), "limit": count, **place}
    return _with_keys(store, store.rows("review_before", **where) if back else store.rows("review_next", **where, skip=skip))


def starting_at(
    store: Store, matching: dict, order: Order, sample_id: int, count: int, short: dict[str, float] | None = None
) -> list[dict[str, Any]]:
    """The card of a sample, whether the filter matches it or not, and those after it. Raises UnknownSample."""
    first = store.row("review_place", order=order, sample_id=sample_id, short=_short(store, order, short))
    if first is None:
        raise UnknownSample(f"there is no sample {sample_id}")
    return _with_keys(store, [first]) + following(store, matching, order, Place(first["key"], sample_id), count - 1, short=short)


def rank(store: Store, matching: dict, order: Order, place: Place | None, short: dict[str, float] | None = None) -> dict[str, int]:
    """How many samples stand before a place, and how many there are: {"before", "total"}."""
    place = place or Place(float("-inf"), 0)
    where = {"order": order, "short": _short(store, order, short), "after_key": place.key, "after_id": place.sample_id}
    return store.row("review_rank", **matching, **where)


def page(store: Store, matching: dict, order: Order, offset: int, limit: int, short: dict[str, float] | None = None) -> dict[str, Any]:
    """A page of the grid and how many samples the filter matches: {"total", "rows"}."""
    filters = [{"filter": row["filter"], "bit": row["bit"]} for row in store.remembered("filters") if row["enabled"]]
    where = {"order": order, "short": _short(store, order, short), "offset": offset, "limit": limit, "filters_known": filters}
    if order == "newest":  # its key would have to be worked out for every sample
        rows = store.rows("review_page_newest", **matching, offset=offset, limit=limit, filters_known=filters)
    else:
        rows = store.rows("review_page", **matching, **where)
    return {"total": store.value("review_total", **matching), "rows": rows}


def target(store: Store) -> int:
    """How many approved samples of a cluster are wanted."""
    found = store.remembered("setting_latest", name=TARGET_SETTING)
    return json.loads(found[0]["value"])["samples"] if found else TARGET


def shortfalls(store: Store) -> dict[str, Any]:
    """How far each group of samples is from the target: {"target", "approved": {group: count}, "short": {group: 0 to 1}}.

    A group is a cluster of failures, "#12", or the error type where the failure behind a sample is in no cluster. `short` holds
    those below the target only.
    """
    wanted = target(store)
    approved = {_group(row): row["approved"] for row in store.remembered("review_approved")}
    return {"target": wanted, "approved": approved, "short": {name: 1 - n / wanted for name, n in approved.items() if n < wanted}}


def _group(row: dict[str, Any]) -> str:
    return row["error_type"] if row["cluster_id"] is None else f"#{row['cluster_id']}"


def _short(store: Store, order: Order, short: dict[str, float] | None) -> list[dict] | None:
    if order != "informative":
        return None
    known = shortfalls(store)["short"] if short is None else short
    groups = [(int(name[1:]), None, share) if name[:1] == "#" else (None, name, share) for name, share in known.items()]
    return [dict(zip(("cluster_id", "error_type", "short"), group)) for group in groups]


def facets(store: Store, matching: dict) -> dict[str, list[dict[str, Any]]]:
    """Values and counts by facet (status, error_type, dataset, route, round, failing), most frequent first."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in ("status", "error_type", "dataset", "route", "round", "failing")}
    for row in store.rows("review_facets", **matching):
        found[row.pop("facet")].append(row)
    return found


def cards(store: Store, sample_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Samples with verdicts, drawings, the failure behind them, siblings, events and revisions, in the order asked for."""
    ids = list(sample_ids)
    if not ids:
        return []
    rows = {row["sample_id"]: row for row in store.rows("review_cards", sample_ids=ids)}
    parts = {
        name: _by(store.rows(f"review_{name}", sample_ids=ids), "sample_id") for name in ("verdicts", "drawings", "events", "revisions")
    }
    origins = {row.pop("sample_id"): row for row in store.rows("review_origins", sample_ids=ids)}
    failures = list({row["failure_id"] for row in rows.values() if row["failure_id"] is not None})
    siblings = _by(store.rows("review_siblings", failure_ids=failures), "failure_id") if failures else {}
    for sample_id, row in rows.items():
        row |= {name: found.get(sample_id, []) for name, found in parts.items()}
        for drawing in row["drawings"]:
            drawing["recipe"] = json.loads(drawing["recipe"])
        row["origin"] = origins.get(sample_id)
        row["siblings"] = [other for other in siblings.get(row["failure_id"], []) if other["sample_id"] != sample_id]
    return [rows[sample_id] for sample_id in ids if sample_id in rows]


def _with_keys(store: Store, found: list[dict]) -> list[dict]:
    keys = {row["sample_id"]: row["key"] for row in found}
    return [{**card, "key": keys[card["sample_id"]]} for card in cards(store, list(keys))]


def _by(rows: list[dict], name: str) -> dict[int, list[dict]]:
    groups = defaultdict(list)
    for row in rows:
        groups[row[name]].append({key: value for key, value in row.items() if key != name})
    return groups
