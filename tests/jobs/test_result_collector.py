"""The collector: each result once, in one transaction with the offset; paid replies copied and summed by job."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curation.jobs.job_folder import JobFolder
from curation.jobs.result_collector import Collector
from curation.stage import Job
from data.files import read_lines
from models.frontier import Journal, Reply
from models.paid_calls.ledger import Claim, RecordReply
from tests.support.stores import log
from tests.support.trivial_stages import Double

pytestmark = pytest.mark.timeout(120)


def make_job(store, workspace, job_id=1):
    job = Job(job_id, "double", 0, Double.Options(), workspace.job(job_id))
    job.folder.mkdir(parents=True)
    row = {"job_id": job_id, "stage": "double", "options": {}, "round": 0, "lane": "cpu", "status": "running", "total": 9, "author": "ann"}
    with store.write() as write:
        write.insert("job", [row])
    return job


def append(job, *results, torn=""):
    with JobFolder(job.folder).results.open("a") as file:
        file.write("".join(json.dumps(result) + "\n" for result in results) + torn)


def good(key):
    return {"key": str(key), "double": 2 * key}


def bad(key, **more):
    return {"key": str(key), "error": f"bad {key}", **more}


def test_results_and_errors_are_taken_up_once(store, workspace):
    collector, job = Collector(store, workspace), make_job(store, workspace)
    assert collector.collect(Double(), job) == 0
    append(job, good(1), bad(2, reply="what it said"), good(3), torn='{"key": "4", "dou')
    assert collector.collect(Double(), job) > 0
    assert collector.collect(Double(), job) == 0  # the torn line waits
    row = store.row("job", job_id=1)
    assert (row["done"], row["failed"]) == (2, 1)
    assert [(r["key"], r["error"], r["reply"]) for r in log(store, "row_error")] == [("2", "bad 2", "what it said")]
    append(job, torn='ble": 8}\n')
    append(job, good(2))  # asked again, and good now
    collector.collect(Double(), job)
    row = store.row("job", job_id=1)
    assert (row["done"], row["failed"], log(store, "row_error")) == (4, 0, [])
    assert len(log(store, "kind")) == 4


def test_what_a_crash_left_half_done_is_taken_up_again(store, workspace):
    class Crashing(Double):
        def collect(self, write, job, results):
            super().collect(write, job, results)
            raise OSError(28, "No space left on device")

    collector, job = Collector(store, workspace), make_job(store, workspace)
    append(job, good(1), bad(2))
    with pytest.raises(OSError):
        collector.collect(Crashing(), job)
    assert log(store, "kind") == log(store, "row_error") == [] and store.value("job_offset", job_id=1) == 0
    collector.collect(Double(), job)
    assert (len(log(store, "kind")), store.row("job", job_id=1)["done"]) == (1, 1)


def test_inserting_twice_changes_nothing(store, workspace):
    collector, job = Collector(store, workspace), make_job(store, workspace)
    append(job, good(1), good(2), bad(3))
    collector.collect(Double(), job)
    before = log(store, "kind"), log(store, "row_error")
    with store.write() as write:
        Double().collect(write, job, [good(1), good(2)])
        write.insert("row_error", [{"job_id": 1, "key": "3", "error": "bad 3", "reply": None}], replace=True)
    assert [r | {"created_at": None} for r in log(store, "kind")] == [r | {"created_at": None} for r in before[0]]
    assert len(log(store, "row_error")) == len(before[1]) == 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    keys=st.lists(st.tuples(st.text(max_size=3), st.booleans()), max_size=12),
    cuts=st.lists(st.integers(1, 40), min_size=1),
    limit=st.integers(1, 60),
)
def test_lines_are_read_once_however_they_arrive(tmp_path, keys, cuts, limit):
    """A file that grows by arbitrary pieces, read in arbitrary pieces, gives each line once and in order."""
    path = tmp_path / "results.jsonl"
    path.unlink(missing_ok=True)
    results = [{"key": key, **({"error": "é\n"} if wrong else {})} for key, wrong in keys]
    content = "".join(json.dumps(result, ensure_ascii=False) + "\n" for result in results).encode()
    read, offset, written = [], 0, 0
    for step in [*cuts, len(content)]:
        with path.open("ab") as file:
            file.write(content[written : written + step])
        written = min(len(content), written + step)
        while True:
            lines, end = read_lines(path, offset, limit)
            if end == offset:
                break
            read, offset = read + lines, end
    assert read == results and offset == len(content)


def pay(journal, key, scope, usd):
    claim = Claim(key, "host|1|0.0|x", "http://api", "gpt", "judge", scope, 0.1, None)
    reply = Reply(key, "http://api", "gpt", "judge", '{"é": 1}', 100, 10, None, usd, 0.5, 1.7e9)
    journal.apply([claim, RecordReply(claim, reply, "v1", "json_schema")])


def test_paid_replies_are_copied_and_summed_by_job(store, workspace):
    make_job(store, workspace, 1)
    make_job(store, workspace, 2)
    collector = Collector(store, workspace)
    collector.copy_replies()  # no journal yet
    journal = Journal(workspace.journal)
    pay(journal, "a", "1", 0.25)
    pay(journal, "b", "1", 0.50)
    pay(journal, "c", "2", None)  # unpriced
    pay(journal, "d", "", 1.0)  # a call from the page
    collector.copy_replies()
    collector.copy_replies()
    assert store.row("job", job_id=1)["spend_usd"] == 0.75
    assert store.row("job", job_id=2)["spend_usd"] is None
    rows = {row["key"]: row for row in log(store, "reply")}
    assert {key: row["job_id"] for key, row in rows.items()} == {"a": 1, "b": 1, "c": 2, "d": None}
    assert rows["a"]["body"] == '{"é": 1}' and rows["a"]["created_at"].timestamp() == 1.7e9 and rows["a"]["cached_tokens"] is None
    assert store.row("spend_total") == {"usd": 1.75, "unpriced": 1}
    pay(journal, "e", "2", 0.125)
    collector.close()
    again = Collector(store, workspace)  # after a restart: from where it stood, or again, to the same end
    again.copy_replies()
    assert store.row("job", job_id=2)["spend_usd"] == 0.125 and len(log(store, "reply")) == 5
    again.close()
    assert store.value("journal_position") == 5
    assert Collector(store, workspace)._position == 5
    by_model = {(row["stage"], row["usd"]): row["calls"] for row in store.rows("spend_by_model")}
    assert by_model == {("double", 0.875): 4, (None, 1.0): 1}
    journal.close()
