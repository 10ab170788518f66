"""Filling a store by hand and looking into its tables, for tests."""

from curation.review import decisions
from data.store import Store

FILTERS = ("judge", "duplicate", "leakage")


def add_sample(store, key, image="aa"):
    row = {"key": key, "round": 1, "dataset": "d", "error_type": "counting", "route": "same_image", "question": "How many?"}
    with store.write() as write:
        ids = write.insert("sample", [{**row, "choices": [], "answer": "2", "image": image}], returning="sample_id")
        write.touch(ids)
    return ids[0]


def set_filter(store, name, enabled, threshold, comparison="at_least"):
    row = {
        "filter": name,
        "bit": FILTERS.index(name),
        "enabled": enabled,
        "threshold": threshold,
        "comparison": comparison,
        "author": "ann",
    }
    with store.write() as write:
        write.insert("filter_setting", [row])
        write.touch_judged()


def differences(store):
    """Rows of sample_state that differ from what the logs say."""
    with store.write() as write:
        write.run("touch_all")
        (row,) = write.run("sample_state_differences")
        write.run("touched_clear")
    return next(iter(row.values()))


def table(store, name):
    return store._cursor().execute(f'SELECT * FROM "{name}" ORDER BY ALL').fetchall()


def log(store, name):
    cursor = store._cursor().execute(f'SELECT * FROM "{name}"')
    columns = [column[0] for column in cursor.description]
    return [dict(zip(columns, row)) for row in cursor.fetchall()]


def filled(path):
    """A store with a row in many tables."""
    store = Store(path)
    set_filter(store, "judge", True, 3)
    for i in range(5):
        add_sample(store, f"key {i}", None if i == 4 else "aa")
    with store.write() as write:
        rows = [
            {"sample_id": i, "revision": 0, "filter": "judge", "version": 1, "score": float(i), "reason": "é'\"", "job_id": 1}
            for i in range(1, 5)
        ]
        write.insert("verdict", rows)
        write.touch(range(1, 5))
        write.insert("setting", [{"name": "budget", "value": {"usd": 3}, "author": "ann"}])
        write.insert("image", [{"image": "aa", "phash": 2**64 - 1}])
    decisions.decide(store, decisions.Decision(2, 0, "approve", decisions.new_event()), "ann")
    return store
