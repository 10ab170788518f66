"""The store: derived state against an independent reading of the logs; killing, locking, threads, queries."""

import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from curation.review import decisions as reviews
from data import queries
from data.store import MIGRATIONS, QueryFailed, Store, StoreInUse
from tests.support.stores import FILTERS, add_sample, differences, filled, log, set_filter

pytestmark = pytest.mark.timeout(300)
HOUSE = Path(__file__).parents[2]
REVIEWERS = ("ann", "bob")


def status_by_the_rules(sample, logs):
    """The status of a sample, read from the logs in plain Python: DESIGN §4 and §9, written a second time."""
    mine = {name: [row for row in rows if row.get("sample_id") == sample["sample_id"]] for name, rows in logs.items()}
    revision = max((row["revision"] for row in mine["revision"]), default=0)
    for name in ("review", "verdict"):  # what was said of an earlier picture is void
        drawn = max((row[f"{name}_mark"] for row in mine["drawing"]), default=0)
        mine[name] = [row for row in mine[name] if row[f"{name}_id"] > drawn]
    undone = {row["undoes"] for row in mine["review"] if row["action"] == "undo"}
    latest = {}
    for row in sorted(mine["review"], key=lambda row: row["review_id"]):
        if row["revision"] == revision and row["action"] in ("approve", "reject", "reset") and row["review_id"] not in undone:
            latest[row["reviewer"]] = row["action"]
    decisions = set(latest.values()) - {"reset"}
    if len(decisions) == 2:
        return "disputed"
    if decisions:
        return {"approve": "approved", "reject": "rejected"}[decisions.pop()]
    if sample["image"] is None and not mine["drawing"]:
        return "undrawn"
    standing = {row["filter"]: row for row in sorted(logs["filter_setting"], key=lambda row: row["setting_id"])}
    scores = {
        row["filter"]: row["score"] for row in sorted(mine["verdict"], key=lambda row: row["verdict_id"]) if row["revision"] == revision
    }
    enabled = {name: setting for name, setting in standing.items() if setting["enabled"]}
    judged = {name: scores[name] for name in enabled if scores.get(name) is not None}
    passes = {
        name: score >= enabled[name]["threshold"] if enabled[name]["comparison"] == "at_least" else score <= enabled[name]["threshold"]
        for name, score in judged.items()
    }
    if not all(passes.values()):
        return "failed"
    if len(judged) < len(enabled):
        return "unfiltered"
    rule = max(logs["auto_rule"], key=lambda row: row["rule_id"], default={"conditions": None})["conditions"]
    met = [
        scores.get(condition["filter"]) is not None
        and (
            scores[condition["filter"]] >= condition["threshold"]
            if condition["comparison"] == "at_least"
            else scores[condition["filter"]] <= condition["threshold"]
        )
        for condition in rule or []
    ]
    return "auto_approved" if met and all(met) else "pending"


class Loop(RuleBasedStateMachine):
    """Everything that may happen to samples, in any order."""

    @initialize()
    def begin(self):
        self.folder = tempfile.TemporaryDirectory()
        self.store = Store(Path(self.folder.name) / "store.duckdb")
        self.samples, self.events, self.batches, self.jobs = [], [], [], 0
        self.sample(True)

    def teardown(self):
        assert differences(self.store) == 0
        self.store.close()
        self.folder.cleanup()

    def any(self, data):
        return data.draw(st.sampled_from(self.samples))

    def revision(self, sample_id):
        return next(row["revision"] for row in self.store.rows("sample_revisions", sample_ids=[sample_id]))

    @rule(drawn=st.booleans())
    def sample(self, drawn):
        self.samples.append(add_sample(self.store, f"key {len(self.samples)}", "aa" if drawn else None))

    @rule(data=st.data())
    def draw(self, data):
        self.jobs += 1
        row = {"sample_id": self.any(data), "image": f"picture {self.jobs}", "generator": "g", "seed": 1, "recipe": {}, "job_id": self.jobs}
        with self.store.write() as write:
            write.insert("drawing", [row])
            write.touch([row["sample_id"]])

    @rule(data=st.data(), name=st.sampled_from(FILTERS), score=st.none() | st.integers(0, 3), behind=st.integers(0, 1))
    def verdict(self, data, name, score, behind):
        self.jobs += 1
        sample_id = self.any(data)
        revision = max(0, self.revision(sample_id) - behind)
        row = {
            "sample_id": sample_id,
            "revision": revision,
            "filter": name,
            "version": 1,
            "score": score,
            "reason": "",
            "job_id": self.jobs,
        }
        with self.store.write() as write:
            write.insert("verdict", [row, row])  # twice: a collector may repeat itself
            write.touch([sample_id])

    @rule(
        name=st.sampled_from(FILTERS),
        enabled=st.booleans(),
        threshold=st.integers(0, 3),
        comparison=st.sampled_from(("at_least", "at_most")),
    )
    def setting(self, name, enabled, threshold, comparison):
        set_filter(self.store, name, enabled, threshold, comparison)

    @rule(
        conditions=st.none()
        | st.lists(
            st.fixed_dictionaries(
                {"filter": st.sampled_from(FILTERS), "comparison": st.sampled_from(("at_least", "at_most")), "threshold": st.integers(0, 3)}
            ),
            max_size=2,
        )
    )
    def auto_rule(self, conditions):
        with self.store.write() as write:
            write.insert("auto_rule", [{"conditions": conditions, "author": "ann"}])
            write.touch_judged()

    @rule(data=st.data(), reviewer=st.sampled_from(REVIEWERS), action=st.sampled_from(("approve", "reject", "reset")), again=st.booleans())
    def decide(self, data, reviewer, action, again):
        sample_id = self.any(data)
        event = reviews.new_event()
        decision = reviews.Decision(sample_id, self.revision(sample_id), action, event)
        for _ in range(1 + again):  # a repeated POST changes nothing
            reviews.decide(self.store, decision, reviewer)
        self.events.append((reviewer, event))

    @precondition(lambda self: self.samples)
    @rule(data=st.data(), reviewer=st.sampled_from(REVIEWERS), again=st.booleans())
    def decide_several(self, data, reviewer, again):
        actions = st.sampled_from(("approve", "reject", "reset"))
        chosen = data.draw(st.dictionaries(st.sampled_from(self.samples), actions, max_size=4))
        decisions = [reviews.Decision(sample_id, self.revision(sample_id), chosen[sample_id], reviews.new_event()) for sample_id in chosen]
        if again:  # the answer to some of them was lost: they come again with the others
            reviews.decide_each(self.store, decisions[:2], reviewer)
        reviews.decide_each(self.store, decisions, reviewer)
        self.events += [(reviewer, decision.event_id) for decision in decisions]

    @rule(data=st.data(), reviewer=st.sampled_from(REVIEWERS))
    def edit(self, data, reviewer):
        sample_id = self.any(data)
        revision, event = self.revision(sample_id), reviews.new_event()
        reviews.edit(self.store, sample_id, revision, f"How many now ({revision})?", [], "3", reviewer, event)
        self.events.append((reviewer, event))
        with pytest.raises(reviews.StaleRevision):
            reviews.decide(self.store, reviews.Decision(sample_id, revision, "approve", reviews.new_event()), reviewer)

    @rule(
        reviewer=st.sampled_from(REVIEWERS),
        action=st.sampled_from(("approve", "reject", "reset")),
        status=st.sampled_from(("pending", "failed")),
    )
    def bulk(self, reviewer, action, status):
        done = reviews.decide_bulk(self.store, {"statuses": [status]}, action, reviewer, reviews.new_event())
        if done.count:
            self.batches.append((reviewer, done.batch_id))

    @precondition(lambda self: self.events)
    @rule(data=st.data())
    def undo(self, data):
        reviewer, event = data.draw(st.sampled_from(self.events))
        reviews.undo(self.store, reviewer, reviews.new_event(), undone_event=event)

    @precondition(lambda self: self.batches)
    @rule(data=st.data())
    def undo_batch(self, data):
        reviewer, batch = data.draw(st.sampled_from(self.batches))
        reviews.undo(self.store, reviewer, reviews.new_event(), batch_id=batch)

    @rule(
        log=st.sampled_from(("review", "verdict", "drawing", "sample", "auto_rule", "filter_setting", "revision")),
        hours=st.integers(-48, 48),
    )
    def the_clock_was_wrong(self, log, hours):
        """The latest row as if another clock had stamped it: nothing follows from that."""
        with self.store.write() as write:
            cursor = write._cursor
            cursor.execute(f"UPDATE {log} SET created_at = now() + to_hours({hours}) WHERE rowid = (SELECT max(rowid) FROM {log})")

    @invariant()
    def rebuilding_changes_nothing(self):
        assert differences(self.store) == 0

    @invariant()
    def state_follows_from_the_logs(self):
        logs = {name: log(self.store, name) for name in ("revision", "review", "drawing", "verdict", "filter_setting", "auto_rule")}
        states = {row["sample_id"]: row["status"] for row in log(self.store, "sample_state")}
        assert states == {sample["sample_id"]: status_by_the_rules(sample, logs) for sample in log(self.store, "sample")}


Loop.TestCase.settings = settings(max_examples=6, stateful_step_count=18, deadline=None, suppress_health_check=list(HealthCheck))
TestLoop = Loop.TestCase


def test_a_second_process_is_told_who_holds_the_file(tmp_path):
    store = Store(tmp_path / "s.duckdb")
    code = "import sys; from pathlib import Path; from data.store import Store; Store(Path(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", code, str(store.path)], cwd=HOUSE, capture_output=True, text=True, timeout=60)
    assert StoreInUse.__name__ in done.stderr and "is open in another process" in done.stderr
    store.close()


WRITER = """
import sys
from pathlib import Path
from curation.review import decisions as reviews
from data.store import Store
store = Store(Path(sys.argv[1]))
for i in range(100000):
    event = f"{sys.argv[2]}-{i}"
    if i % 7 == 3:
        reviews.decide_bulk(store, {}, ("approve", "reject")[i % 2], "ann", event)
    else:
        reviews.decide(store, reviews.Decision(1 + i % 5, 0, ("approve", "reject", "reset")[i % 3], event), "ann")
    print(event, flush=True)
"""


def test_kill_9_loses_no_acknowledged_write(tmp_path):
    filled(tmp_path / "s.duckdb").close()
    rng, acknowledged = random.Random(7), set()
    for turn in range(6):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path / "s.duckdb"), str(turn)], cwd=HOUSE, stdout=subprocess.PIPE, text=True
        )
        acknowledged |= {process.stdout.readline().strip() for _ in range(5)}
        time.sleep(rng.random() * 0.4)
        process.send_signal(signal.SIGKILL)
        acknowledged |= {line for line in process.stdout.read().split("\n")[:-1] if line}
        process.wait()
        store = Store(tmp_path / "s.duckdb")
        events = {row["event_id"] for row in log(store, "review")}
        assert acknowledged <= events
        assert differences(store) == 0
        store.close()
    assert len(acknowledged) >= 30


def test_a_failed_transaction_leaves_nothing_and_the_next_one_works(store, monkeypatch):
    texts = {**queries._texts(), "broken": "INSERT INTO setting SELECT error('on purpose')"}
    monkeypatch.setattr(queries, "_texts", lambda: texts)
    row = {"value": "1", "author": "ann"}
    with pytest.raises(RuntimeError), store.write() as write:
        write.insert("setting", [{"name": "a", **row}])
        raise RuntimeError
    with pytest.raises(QueryFailed, match="query broken"), store.write() as write:
        write.insert("setting", [{"name": "b", **row}])
        write.run("broken")
    assert log(store, "setting") == []
    with store.write() as write:
        write.insert("setting", [{"name": "c", **row}])
    assert [row["name"] for row in log(store, "setting")] == ["c"]


def test_threads_write_and_read_at_once(store):
    ids = [add_sample(store, f"key {i}") for i in range(8)]
    failures = []

    def work(reviewer):
        try:
            for i in range(25):
                reviews.decide(store, reviews.Decision(ids[i % 8], 0, "approve", f"{reviewer}-{i}"), reviewer)
                store.rows("workspace_now")
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(f"reviewer {i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == [] and len(log(store, "review")) == 100 and differences(store) == 0


@pytest.mark.parametrize(("rows", "patience", "ends"), [(800_000_000, 60.0, "answered"), (300_000_000_000, 0.1, "interrupted")])
def test_closing_waits_for_a_read_or_interrupts_it(tmp_path, monkeypatch, rows, patience, ends):
    texts = {**queries._texts(), "long": "SELECT count(*) AS hits FROM range($rows) WHERE range % 7 = 3"}
    monkeypatch.setattr(queries, "_texts", lambda: texts)
    monkeypatch.setattr("data.store.PATIENCE", patience)
    store, ended = Store(tmp_path / "s.duckdb"), []
    cursors = []

    def read():
        store._cursor().execute("SET enable_progress_bar = true; SET enable_progress_bar_print = false; SET progress_bar_time = 0")
        cursors.append(store._cursor())
        try:
            ended.append("answered" if store.value("long", rows=rows) > 0 else "")
        except QueryFailed as error:
            ended.append("interrupted" if "Interrupted" in str(error) else str(error))

    thread = threading.Thread(target=read)
    thread.start()
    while not cursors or (cursors[0].query_progress() < 0 and not ended):  # -1: nothing runs yet
        time.sleep(0.005)
    store.close()
    thread.join()
    assert ended == [ends]
    Store(tmp_path / "s.duckdb").close()


def test_every_named_query_fits_the_schema(store):
    """Binds each statement of data/sql against the tables, with NULL for every parameter; fragments are covered by their users."""
    cursor, broken = store._connection.cursor(), {}
    cursor.execute("CREATE TEMP TABLE touched (sample_id BIGINT)")
    cursor.execute("CREATE TEMP TABLE touched_failure (failure_id BIGINT)")
    for name in queries._texts():
        wanted = queries.query(name)
        if wanted.text.split(None, 1)[0].upper() in ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "FROM"):
            try:
                cursor.execute("EXPLAIN " + wanted.text, wanted.values({}))
            except Exception as error:
                broken[name] = str(error).splitlines()[0]
    assert broken == {}
    with pytest.raises(KeyError):
        queries.query("no_such_query")
    with pytest.raises(TypeError, match="it has"):
        queries.query("job").values({"number": 1})


def test_every_migration_has_a_number_of_its_own():
    """Two files of one number would be one step: the other were never run."""
    numbers = [path.name[:4] for path in MIGRATIONS.glob("*.sql")]
    assert len(numbers) == len(set(numbers))
