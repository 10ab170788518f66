"""Leakage can't be overridden in bulk: not by a bulk approval, a list, undo, the command line's route, a setting or a later eval split."""

import pytest

from curation.filtering import bulk_limits
from curation.filtering.settings import add_default_settings, change_setting
from curation.review import decisions
from curation.stage import Job
from curation.stages.filter import FilterOptions, FilterStage, _pairs
from data.registry import FILTERS
from data.store import Store
from tests.support.stores import add_sample, differences, log

PASSES, LEAKS, UNJUDGED, ERROR = "passes", "leaks", "unjudged", "error"


@pytest.fixture
def world(tmp_path):
    """Four samples: one passes leakage, one is in an eval split, one is not judged yet, one could not be judged."""
    store = Store(tmp_path / "store.duckdb")
    add_default_settings(store, "built-in")
    ids = {name: add_sample(store, name) for name in (PASSES, LEAKS, UNJUDGED, ERROR)}
    judge(store, {ids[PASSES]: 0.2, ids[LEAKS]: 1.0, ids[ERROR]: None}, job_id=1)
    yield store, ids
    store.close()


def judge(store, scores, job_id):
    """Verdicts of leakage (and passing ones of the other filters, at first) as the collector takes them up."""
    results = [
        {"key": f"{i}/leakage", "sample_id": i, "revision": 0, "filter": "leakage", "version": 1, "score": score, "reason": "r"}
        for i, score in scores.items()
    ]
    if job_id == 1:
        for name in (row["filter"] for row in store.rows("filters") if row["enabled"] and row["filter"] != "leakage"):
            score = FILTERS.load(name).threshold
            results += [
                {**result, "key": f"{result['sample_id']}/{name}", "filter": name, "score": score} for result in results[: len(scores)]
            ]
    with store.write() as write:
        FilterStage().collect(write, Job(job_id, "filter", 1, FilterOptions(), None), results)
    assert differences(store) == 0


def statuses(store, ids):
    by_sample = {row["sample_id"]: row["status"] for row in store.rows("samples_matching")}
    return {name: by_sample[i] for name, i in ids.items()}


def approve(store, matching, **more):
    return decisions.decide_bulk(store, matching, "approve", "ada", decisions.new_event(), **more)


@pytest.mark.parametrize("matching", [{}, {"statuses": ["failed", "unfiltered", "pending"]}, {"failing": ["leakage"]}, "a list"])
def test_no_bulk_approval_takes_a_leak_or_what_was_not_compared(world, matching):
    store, ids = world
    chosen = {"sample_ids": list(ids.values())} if matching == "a list" else matching
    preview = decisions.preview_bulk(store, chosen)
    done = approve(store, chosen, expected=preview.count)
    assert done.left_out == preview.left_out.undrawn + preview.left_out.leaking == preview.total - preview.count
    now = statuses(store, ids)
    assert now[PASSES] == ("approved" if preview.count else "pending")
    assert (now[LEAKS], now[UNJUDGED], now[ERROR]) == ("failed", "unfiltered", "unfiltered")


def test_a_list_of_one_is_bulk_and_a_person_may_decide_one(world):
    store, ids = world
    assert approve(store, {"sample_ids": [ids[LEAKS]]}).count == 0
    decisions.decide(store, decisions.Decision(ids[LEAKS], 0, "approve", decisions.new_event()), "ada")
    assert statuses(store, ids)[LEAKS] == "approved"


def test_undo_brings_back_single_decisions_only(world):
    """A bulk approval that was taken back for a leak stays taken back, whatever is undone behind it."""
    store, ids = world
    first = approve(store, {"sample_ids": [ids[PASSES]]})
    reset = decisions.decide_bulk(store, {"sample_ids": [ids[PASSES]]}, "reset", "ada", decisions.new_event())
    judge(store, {ids[PASSES]: 1.0}, job_id=2)
    assert statuses(store, ids)[PASSES] == "failed"
    assert decisions.undo(store, "ada", decisions.new_event(), batch_id=reset.batch_id).count == 1
    assert statuses(store, ids)[PASSES] == "failed"
    assert decisions.undo(store, "ada", decisions.new_event(), batch_id=first.batch_id).count == 0, "there is nothing left to undo"
    decisions.decide(store, decisions.Decision(ids[LEAKS], 0, "approve", decisions.new_event()), "ada")
    rejected = decisions.decide_bulk(store, {"sample_ids": [ids[LEAKS]]}, "reject", "ada", decisions.new_event())
    decisions.undo(store, "ada", decisions.new_event(), batch_id=rejected.batch_id)
    assert statuses(store, ids)[LEAKS] == "approved", "somebody had looked at it"
    assert differences(store) == 0


def test_a_verdict_that_comes_later_takes_a_bulk_approval_back_and_says_why(world):
    store, ids = world
    approve(store, {"statuses": ["pending"]})
    decisions.decide(store, decisions.Decision(ids[PASSES], 0, "approve", decisions.new_event()), "bea")
    judge(store, {ids[PASSES]: 0.3}, job_id=2)
    assert statuses(store, ids)[PASSES] == "approved"
    judge(store, {ids[PASSES]: 0.99}, job_id=3)
    assert statuses(store, ids)[PASSES] == "approved", "bea had looked at it"
    (gone,) = [row for row in log(store, "review") if row["action"] == "undo"]
    assert (gone["reviewer"], "leaks from an eval split" in gone["note"]) == ("ada", True)
    decisions.undo(store, "bea", decisions.new_event(), undone_event=log(store, "review")[1]["event_id"])
    assert statuses(store, ids)[PASSES] == "failed"
    judge(store, {ids[PASSES]: 0.99}, job_id=4)  # again: nothing more is taken back
    assert len([row for row in log(store, "review") if row["action"] == "undo"]) == 2


def test_no_setting_lets_a_leak_through(world):
    store, ids = world
    for enabled, threshold in ((False, 0.95), (True, 1.0), (True, 5)):
        with pytest.raises(bulk_limits.NotOverridable, match="approved in bulk"):
            change_setting(store, "leakage", enabled, threshold, "ada")
    approve(store, {})
    assert statuses(store, ids)[PASSES] == "approved"
    change_setting(store, "leakage", True, 0.1, "ada")  # stricter: what was approved in bulk now fails
    assert statuses(store, ids)[PASSES] == "failed" and differences(store) == 0
    change_setting(store, "leakage", True, 0.95, "ada")
    assert statuses(store, ids)[PASSES] == "pending"
    change_setting(store, "duplicate", False, 1.0, "ada")  # others may be set at will


@pytest.mark.parametrize(("enabled", "threshold", "becomes"), [(False, 0.9, 0.9), (True, 1.0, 0.99)])
def test_a_workspace_that_had_it_off_or_too_loose_is_put_right_when_it_is_opened(world, enabled, threshold, becomes):
    """Before it was barred to do so people could switch the filter off: then nothing held a bulk approval back."""
    store, ids = world
    now = next(row for row in store.rows("filters") if row["filter"] == "leakage")
    with store.write() as write:
        row = {"filter": "leakage", "bit": now["bit"], "comparison": now["comparison"]}
        write.insert("filter_setting", [{**row, "enabled": enabled, "threshold": threshold, "author": "ada"}])
        write.touch_judged()
    approve(store, {})
    assert statuses(store, ids)[LEAKS] == "approved"
    add_default_settings(store, "built-in")
    leakage = next(row for row in store.rows("filters") if row["filter"] == "leakage")
    assert (leakage["enabled"], leakage["threshold"], leakage["bit"]) == (True, becomes, now["bit"])
    assert statuses(store, ids)[LEAKS] == "failed" and differences(store) == 0
    changes = len(log(store, "filter_setting"))
    add_default_settings(store, "built-in")
    assert len(log(store, "filter_setting")) == changes, "once is enough"


def test_a_new_eval_split_is_compared_with_what_was_judged_before(world):
    store, ids = world
    options = FilterOptions(filters=["leakage", "duplicate"])
    with store.write() as write:
        write.insert("dataset", [{"name": "d", "metric": "exact_match", "threshold": 0.5, "prompt_suffix": "", "answer_form": "one word"}])
        write.insert("image", [{"image": "aa", "phash": 1}])

    def stamped(names):
        shared = {"revision": 0, "score": 0.1, "reason": "r"}
        rows = [row for row in _pairs(store, options) if row["filter"] in names]
        with store.write() as write:
            jobs = {"job_id": 10 + len(log(store, "verdict"))}
            write.insert("verdict", [{**shared, **jobs, **{k: row[k] for k in ("sample_id", "filter", "version")}} for row in rows])

    stamped(["leakage", "duplicate"])
    assert _pairs(store, options) == []
    example = {"dataset": "e", "split": "eval", "image": "aa", "question": "How many?", "choices": [], "golds": ["2"]}
    with store.write() as write:
        write.insert("example", [{**example, "external_id": "new", "split": "train"}])
    assert _pairs(store, options) == []
    with store.write() as write:
        write.insert("example", [{**example, "external_id": "new eval"}])
    assert {row["filter"] for row in _pairs(store, options)} == {"leakage"}
    assert len(_pairs(store, options)) == len(ids)
