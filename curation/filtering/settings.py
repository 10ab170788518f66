"""The filters' settings: on or off, threshold, comparison. Each change is logged, and every sample's state is derived anew from it."""

from typing import Any

from curation.filtering import bulk_limits
from curation.filtering.base import filter_class
from data.registry import FILTERS
from data.store import Store


def enable_defaults(store: Store, author: str) -> None:
    """Gives every filter that has no setting yet its default one. Bits are only appended.

    A filter that comes to a workspace with settings of its own is off until somebody turns it on: nothing changes by an update. Just
    those that bar bulk approvals are on whatever was set before (curation/filtering/bulk_limits.py).
    """
    known = {row["filter"]: row["bit"] for row in store.rows("filters")}
    rows: list[dict[str, Any]] = []
    for name in FILTERS.names():
        if name not in known:
            plugin = filter_class(name)
            bit = max(known.values(), default=-1) + 1 + len(rows)
            enabled = plugin.enabled_by_default and not known
            rows.append({"filter": name, "bit": bit, "enabled": enabled, "threshold": plugin.threshold, "comparison": plugin.comparison})
    with store.write() as write:
        write.insert("filter_setting", [{**row, "author": author} for row in rows])
    now = {row["filter"]: row for row in store.rows("filters")}
    for name in bulk_limits.names():
        if not bulk_limits.holds(name, now[name]["enabled"], now[name]["threshold"]):
            change_setting(store, name, True, min(now[name]["threshold"], filter_class(name).loosest), author)


def change_setting(store: Store, name: str, enabled: bool, threshold: float, author: str) -> None:
    """Logs a new setting of a filter and derives every sample's state anew. Raises NotOverridable; KeyError if there is no such filter."""
    bulk_limits.check_setting(name, enabled, threshold)
    now = {row["filter"]: row for row in store.rows("filters")}[name]
    row = {"filter": name, "bit": now["bit"], "enabled": enabled, "threshold": threshold, "comparison": now["comparison"], "author": author}
    with store.write() as write:
        write.insert("filter_setting", [row])
        write.touch_judged()
        if name in bulk_limits.names():
            bulk_limits.withdraw(write)
