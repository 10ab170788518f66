"""What holds at any size, on a workspace of 2,000 samples: its state follows from its logs, pages and facets count right, a redraw voids
what was said before, and the benchmark prints what it promises."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from benchmarks import workspace as made
from benchmarks.parts.work import filter_of_size
from curation.filtering.settings import change_setting
from curation.review import decisions, queue
from curation.review.cards import cards
from curation.stage import Job
from curation.stages.filter import FilterStage
from data import queries
from data.images import ImageStore
from data.store import Store
from data.workspace import Workspace
from tests.support.stores import add_sample, differences, log, set_filter

HOUSE = Path(__file__).parents[2]
SAMPLES, FAILURES = 2_000, 300


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scale") / "full"
    made.make(folder, SAMPLES, FAILURES)
    store = Store(Workspace(folder).store)
    yield store
    store.close()


def test_the_workspace_is_whole(full):
    tables = full.table_counts(made.TABLES)
    assert tables["sample"] == SAMPLES and min(tables.values()) > 0
    assert tables["review"] == round(2_000_000 / 553_992 * SAMPLES)
    assert differences(full) == 0
    assert {row["status"] for row in full.rows("sample_statuses")} >= {
        "pending",
        "approved",
        "rejected",
        "failed",
        "undrawn",
        "unfiltered",
        "disputed",
    }
    images = ImageStore(Workspace(full.path.parent).images)
    page = queue.page(full, {}, "informative", 0, 60)
    assert page.total == SAMPLES and all(images.thumbnail(row.image).exists() for row in page.rows)
    card = cards(full, [page.rows[0].sample_id])[0]
    assert len(card.verdicts) == 5 and card.origin


def test_a_workspace_is_the_same_from_the_same_seed(full, tmp_path):
    made.make(tmp_path / "again", SAMPLES, FAILURES)
    again = Store(Workspace(tmp_path / "again").store)
    assert again.rows("sample_statuses") == full.rows("sample_statuses")
    assert again.table_counts(made.TABLES) == full.table_counts(made.TABLES)
    again.close()


def test_facets_count_what_the_pages_hold(full):
    """Each value's count is the number of samples under all the other parts of the filter, counted here in plain Python."""
    rows = log(full, "sample_state")
    chosen = {"statuses": ["pending", "failed"], "error_types": ["counting", "negation"], "rounds": [2, 3]}
    facets = queue.facets(full, chosen)
    for facet, field in (("status", "statuses"), ("error_type", "error_types"), ("dataset", None), ("route", None), ("round", "rounds")):
        others = {name: values for name, values in chosen.items() if name != field}
        columns = {"statuses": "status", "error_types": "error_type", "rounds": "round"}
        mine = [row for row in rows if all(row[columns[name]] in values for name, values in others.items())]
        counted = Counter(str(row[facet]) for row in mine)
        assert {row.value: row.count for row in facets[facet] if row.count} == counted, facet
    page = queue.page(full, chosen, "newest", 0, 60)
    kept = [row for row in rows if row["status"] in chosen["statuses"] and row["error_type"] in chosen["error_types"] and row["round"] > 1]
    assert page.total == len(kept)
    assert [row.sample_id for row in page.rows] == sorted((row["sample_id"] for row in kept), reverse=True)[:60]


def test_bulk_undo_and_settings_leave_the_state_that_follows_from_the_logs(full):
    before = full.rows("sample_statuses")
    matching, count = filter_of_size(full, 500)
    event = decisions.new_event()
    assert decisions.decide_bulk(full, matching, "approve", "ada", event, expected=count).count == count
    assert decisions.decide_bulk(full, matching, "approve", "ada", event).count == count  # sent again
    assert differences(full) == 0
    assert decisions.undo(full, "ada", decisions.new_event(), undone_event=event).count == count
    assert full.rows("sample_statuses") == before and differences(full) == 0
    change_setting(full, "duplicate", True, 0.3, "ada")
    assert full.rows("sample_statuses") != before and differences(full) == 0
    change_setting(full, "duplicate", False, 0.95, "ada")
    assert differences(full) == 0


def test_optional_conditions_are_settled_before_the_database_sees_them():
    query = queries.Query("SELECT 1 WHERE ($a IS NULL OR x = $a) AND ($b IS NULL OR (y = ')' AND z IN ($b))) AND $c", frozenset("abc"))
    assert query.bound({"b": 2, "c": 3}) == ("SELECT 1 WHERE true AND ((y = ')' AND z IN ($b))) AND $c", {"b": 2, "c": 3})
    assert query.bound({}) == ("SELECT 1 WHERE true AND true AND $c", {"c": None})


def test_a_redraw_voids_verdicts_and_decisions_and_verdicts_on_the_old_picture_are_dropped(store):
    set_filter(store, "judge", True, 3)
    sample_id = add_sample(store, "one", "old")

    def judged(image, job_id):
        verdict = {"sample_id": sample_id, "revision": 0, "filter": "judge", "version": 1, "score": 3.0, "reason": ""}
        with store.write() as write:
            FilterStage().collect(write, Job(job_id, "filter", 1, None, store.path.parent), [{"key": "k", **verdict, "image": image}])

    def status():
        return store.row("sample_revisions", sample_ids=[sample_id])["status"]

    judged("old", 1)
    assert status() == "pending"
    decisions.decide(store, decisions.Decision(sample_id, 0, "approve", decisions.new_event(), image="old"), "ada")
    assert status() == "approved"
    with store.write() as write:
        row = {"sample_id": sample_id, "image": "new", "generator": "g", "seed": 1, "recipe": {}, "job_id": 2}
        write.insert("drawing", [row])
        write.touch([sample_id])
    assert status() == "unfiltered"
    judged("old", 3)  # a result that came late
    assert status() == "unfiltered" and store.table_counts(["verdict"]) == {"verdict": 1}
    judged("new", 4)
    assert status() == "pending"
    with pytest.raises(decisions.StaleRevision):
        decisions.decide(store, decisions.Decision(sample_id, 0, "approve", decisions.new_event(), image="old"), "ada")
    assert differences(store) == 0


def test_the_benchmark_prints_a_table_and_its_figures_as_json(full, tmp_path):
    environment = {**os.environ, "MISTAKEBOOK_HOME": str(tmp_path)}
    asked = [sys.executable, "-m", "benchmarks.store", "--samples", str(SAMPLES), "--folder", str(full.path.parent), "--no-peers", "--json"]
    full.checkpoint()
    done = subprocess.run(asked, cwd=HOUSE, env=environment, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    *table, last = done.stdout.strip().split("\n")
    figures = json.loads(last)
    assert any(line.startswith("page") for line in table)
    assert figures["p95_ms"].keys() >= {"page", "facets", "decision", "bulk_50k", "preview", "undo", "open", "jump", "import_10k"}
    assert figures["samples"] == SAMPLES and figures["memory_mb"] > 50 and figures["machine"]["cores"]
    assert figures["peers"]["plain DuckDB"]["p95_ms"].keys() >= {"page", "facets", "decision", "bulk"}
