"""The filters' settings: on or off, threshold, comparison. Each change is logged, and every sample's state is derived anew from it."""

from curation.filtering import bulk_limits
from curation.filtering.base import filter_class
from data.records import FilterSetting
from data.registry import FILTERS
from data.store import Store


def current(store: Store) -> dict[str, FilterSetting]:
    """The latest setting of each filter, by its name; also of filters whose plugin was taken away."""
    return {setting.filter: setting for setting in store.rows("filters", FilterSetting)}


def add_default_settings(store: Store, author: str) -> None:
    """Gives every filter that has no setting yet its default one. Bits are only appended.

    A filter that comes to a workspace with settings of its own is disabled until somebody enables it: nothing changes by an update. Only
    those with a bulk limit are enabled whatever was set before (curation/filtering/bulk_limits.py).
    """
    known = current(store)
    bit = max((setting.bit for setting in known.values()), default=-1)
    rows = []
    for name in FILTERS.names():
        if name not in known:
            plugin, bit = filter_class(name), bit + 1
            enabled = plugin.enabled_by_default and not known
            rows.append({"filter": name, "bit": bit, "enabled": enabled, "threshold": plugin.threshold, "comparison": plugin.comparison})
    with store.write() as write:
        write.insert("filter_setting", [{**row, "author": author} for row in rows])
    settings = current(store)
    for name in bulk_limits.names():
        threshold = settings[name].threshold
        if not bulk_limits.within_limit(name, settings[name].enabled, threshold):
            change_setting(store, name, True, min(threshold, filter_class(name).loosest), author)


def change_setting(store: Store, name: str, enabled: bool, threshold: float, author: str) -> None:
    """Logs a new setting of a filter and derives every sample's state anew. Raises NotOverridable; KeyError if there is no such filter."""
    bulk_limits.check_setting(name, enabled, threshold)
    before = current(store)[name]
    row = {"filter": name, "bit": before.bit, "enabled": enabled, "threshold": threshold, "comparison": before.comparison, "author": author}
    with store.write() as write:
        write.insert("filter_setting", [row])
        write.touch_judged()
        if name in bulk_limits.names():
            bulk_limits.withdraw(write)
