"""What is wrong with a store is told by what happens; a good file or log is never touched, a damaged log loses only what is damaged."""

import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from curation.review import decisions, recovery
from data.review_journal import ReviewJournal, mark_of
from data.store import DiskFull, Store
from data.store_errors import StoreDamaged, StoreForbidden, StoreInUse, StoreMissing, StoreNewer
from data.store_opening import wal_of
from tests.support.stores import differences, filled, log

pytestmark = pytest.mark.timeout(300)
HOUSE = Path(__file__).parents[2]
WORDS = ("waldo", "wal", "lock", "version", "permission denied", "no space left on device")
DECIDES = """
import os, sys
from pathlib import Path
from curation.review import decisions
from data.store import Store
store = Store(Path(sys.argv[1]))
for i in range(int(sys.argv[2])):
    action, reason = ("approve", "reject", "reset")[i % 3], "why" if i % 2 else None
    decisions.decide(store, decisions.Decision(1 + i % 4, 0, action, f"event {i}", reason), "ann")
decisions.decide_bulk(store, {}, "approve", "bob", "bulk")
decisions.edit(store, 1, 0, "How many now?", ["one", "two"], "B", "ann", "edit")
decisions.decide(store, decisions.Decision(1, 1, "reject", "on the edit"), "ann")
decisions.undo(store, "ann", "undo", undone_event="edit")
decisions.undo(store, "bob", "undo bulk", undone_event="bulk")
os.kill(os.getpid(), 9)
"""
LATER = 5 + 3 + 3  # reviews after the loop: bulk and its undo on 4 samples each, edit, decision, undo


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A store whose last decisions are in its log alone, as a kill leaves it."""
    folder = tmp_path_factory.mktemp("killed") / "workspace"
    filled(folder / "s.duckdb").close()
    decide(folder, DECIDES, "60")
    assert wal_of(folder / "s.duckdb").stat().st_size > 10_000
    return folder


def decide(folder, script, *arguments):
    done = subprocess.run([sys.executable, "-c", script, folder / "s.duckdb", *arguments], cwd=HOUSE, stderr=subprocess.PIPE)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


@pytest.fixture
def home(killed, tmp_path):
    folder = tmp_path / "home"
    shutil.copytree(killed, folder)
    return folder


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def reviews(store):
    left_out = ("review_id", "undoes", "batch_id", "created_at")
    return [{name: value for name, value in row.items() if name not in left_out} for row in log(store, "review")]


def flip(path, share):
    content = bytearray(path.read_bytes())
    content[int(len(content) * share)] ^= 1
    path.write_bytes(content)


AS_NOBODY = """
import os, sys
sys.path.insert(0, os.getcwd())
from pathlib import Path
from data.store import Store
os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    Store(Path(sys.argv[1]))
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
@pytest.mark.parametrize("word", WORDS)
def test_another_owners_store_is_named_and_left_alone(killed, word):
    folder = killed.parent / f"{word} of another" / "home"
    shutil.copytree(killed, folder)
    for path in (folder.parent, folder):
        path.chmod(0o755)
    for parent in killed.parents:
        if parent == Path(tempfile.gettempdir()):
            break
        parent.chmod(0o755)
    before = contents(folder)
    done = subprocess.run([sys.executable, "-c", AS_NOBODY, folder / "s.duckdb"], cwd=HOUSE, capture_output=True, text=True)
    assert done.stdout.startswith(StoreForbidden.__name__), done
    assert "belongs to root" in done.stdout and "MISTAKEBOOK_HOME" in done.stdout
    assert contents(folder) == before
    store = Store(folder / "s.duckdb")
    assert len(log(store, "review")) > 60
    store.close()


@pytest.mark.parametrize("word", WORDS)
def test_a_store_that_is_cut_in_half_is_named_and_its_log_left_alone(killed, tmp_path, word):
    folder = tmp_path / word
    shutil.copytree(killed, folder)
    path = folder / "s.duckdb"
    os.truncate(path, path.stat().st_size // 2)
    before = contents(folder)
    with pytest.raises(StoreDamaged, match="restore one into another workspace"):
        Store(path)
    assert contents(folder) == before


def test_a_file_of_another_kind_and_one_of_a_newer_version_are_told_apart(home):
    path = home / "s.duckdb"
    content = bytearray(path.read_bytes())
    struct.pack_into("<Q", content, 12, 10_000)
    path.write_bytes(content)
    before = contents(home)
    with pytest.raises(StoreNewer, match="10000"):
        Store(path)
    assert contents(home) == before
    path.write_bytes(b"GIF89a" + bytes(5000))
    with pytest.raises(StoreDamaged, match="no DuckDB file"):
        Store(path)


def test_a_lock_names_the_process_that_holds_it(home):
    store = Store(home / "s.duckdb")
    code = "import sys; from pathlib import Path; from data.store import Store; Store(Path(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", code, store.path], cwd=HOUSE, capture_output=True, text=True)
    assert StoreInUse.__name__ in done.stderr and f"process {os.getpid()}" in done.stderr
    store.close()


def test_a_store_that_is_gone_beside_its_log_or_journal_is_not_begun_anew(home):
    path = home / "s.duckdb"
    path.unlink()
    with pytest.raises(StoreMissing, match=r"s\.reviews\.jsonl"):
        Store(path)
    (home / "s.reviews.jsonl").unlink()
    with pytest.raises(StoreMissing, match=r"s\.duckdb\.wal"):
        Store(path)
    assert not path.exists()


@pytest.mark.parametrize("share", [0.999, 0.5, 0.1])
def test_a_flipped_byte_of_the_log_costs_nothing_that_was_acknowledged(killed, home, share):
    flip(wal_of(home / "s.duckdb"), share)
    before = contents(home)
    store = Store(home / "s.duckdb")
    kept = contents(store.salvage.folder)
    assert {name.name: kept[name] for name in kept if name.name != "report.json"} == {
        name.name: content for name, content in before.items() if name.name != "s.reviews.jsonl"
    }
    assert share - 0.15 < store.salvage.replayed_bytes / store.salvage.log_bytes <= share + 0.02
    stored = len(log(store, "review"))
    assert stored >= int(60 * (share - 0.3)) and differences(store) == 0
    looked = recovery.recover(store, apply=False)
    assert len(log(store, "review")) == stored and looked.brought_back > 0 and looked.left_out == 0
    done = recovery.recover(store, apply=True)
    assert done.brought_back == looked.brought_back and recovery.recover(store, apply=True).brought_back == 0
    assert reviews(store) == reviews_of(killed) and statuses(store) == statuses_of(killed) and differences(store) == 0
    store.close()


def reviews_of(killed):
    return opened(killed, reviews)


def statuses_of(killed):
    return opened(killed, statuses)


def statuses(store):
    return {row["sample_id"]: (row["status"], row["question"], row["revision"]) for row in log(store, "sample_state")}


def opened(killed, look):
    folder = killed.parent / f"opened {look.__name__}"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(killed, folder)
    store = Store(folder / "s.duckdb")
    try:
        return look(store)
    finally:
        store.close()


def test_a_torn_last_block_costs_only_itself(killed, home):
    wal = wal_of(home / "s.duckdb")
    content = wal.read_bytes()
    wal.write_bytes(content[:-20] + bytes(20))
    store = Store(home / "s.duckdb")
    assert store.salvage and store.salvage.replayed_bytes > 0.99 * len(content)
    assert len(log(store, "review")) >= len(reviews_of(killed)) - 4  # the last transaction: an undo of four
    assert recovery.recover(store, apply=True).brought_back <= 4
    assert reviews(store) == reviews_of(killed)
    store.close()


def test_all_decisions_are_rebuilt_where_the_whole_log_is_lost(killed, home):
    """As with a backup from before them, whose journal was kept."""
    wal_of(home / "s.duckdb").unlink()
    store = Store(home / "s.duckdb")
    assert len(log(store, "review")) == 1
    assert recovery.recover(store, apply=True).by_action["edit"] == 1
    assert reviews(store) == reviews_of(killed) and statuses(store) == statuses_of(killed)
    store.close()


def test_a_decision_that_somebody_made_again_since_stands(home):
    wal_of(home / "s.duckdb").unlink()
    kept = home / "kept.jsonl"
    shutil.copyfile(home / "s.reviews.jsonl", kept)
    store = Store(home / "s.duckdb")
    with store.write() as write:  # what the journal has of others and other samples is of no use here
        write._cursor.execute("DELETE FROM revision")
    lines = store.reviews.read().lines
    again = decisions.Decision(3, 0, "reject", "again")
    decisions.decide(store, again, "ann")
    done = recovery.recover(store, apply=True)
    assert done.superseded == sum(line["who"] == "ann" and 3 in line["ids"] for line in lines)
    assert {row["event_id"]: row for row in log(store, "review")}["again"]["action"] == "reject"
    assert statuses(store)[3][0] == "rejected"
    store.close()


def test_nothing_is_put_back_on_a_sample_that_looks_otherwise(home):
    wal_of(home / "s.duckdb").unlink()
    store = Store(home / "s.duckdb")
    with store.write() as write:
        write._cursor.execute("UPDATE sample SET question = 'Another question?' WHERE sample_id = 2")
        write.touch_all()
    done = recovery.recover(store, apply=True)
    assert done.other_text == 15 + 2  # every fourth decision of 60, the bulk one and its undo
    assert not [row for row in log(store, "review") if row["sample_id"] == 2 and row["event_id"].startswith("event")]
    store.close()


def test_a_damaged_line_of_the_journal_costs_itself_and_is_said(home):
    journal = home / "s.reviews.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    lines[10] = lines[10].replace(b"ann", b"bob")
    del lines[20]
    journal.write_bytes(b"".join(lines)[:-5])  # and the last one is torn
    read = ReviewJournal(journal).read()
    assert read.damaged == [11, len(lines)] and read.missing == 1 and len(read.lines) == len(lines) - 2
    store = Store(home / "s.duckdb")
    decisions.decide(store, decisions.Decision(3, 0, "approve", "after"), "ann")
    last = json.loads(journal.read_bytes().splitlines()[-1])
    assert last["event"] == "after" and ReviewJournal(journal).read().damaged == [11]
    store.close()


def test_a_line_says_what_the_store_says(tmp_path):
    store = filled(tmp_path / "s.duckdb")
    ids = [row["sample_id"] for row in log(store, "sample")]
    for row in store.rows("samples_marked", sample_ids=ids):
        state = next(state_row for state_row in log(store, "sample_state") if state_row["sample_id"] == row["sample_id"])
        assert row["mark"] == mark_of(state["question"], state["choices"], state["answer"], state["image"])
    store.close()


def test_a_decision_that_can_not_be_committed_is_in_no_journal(tmp_path):
    store = filled(tmp_path / "s.duckdb")
    before = store.reviews.path.read_bytes()
    with pytest.raises(RuntimeError), store.write() as write:
        write.note([{"event": "never", "who": "ann", "do": "approve", "ids": [1], "revisions": [0], "marks": ["x"]}])
        raise RuntimeError
    assert store.reviews.path.read_bytes() == before
    with pytest.raises(Exception, match="TransactionContext"), store.write() as write:
        write.note([{"event": "never", "who": "ann", "do": "approve", "ids": [1], "revisions": [0], "marks": ["x"]}])
        write._cursor.execute("ROLLBACK")  # the COMMIT fails
    assert store.reviews.path.read_bytes() == before
    store.close()


FULL = """
import sys
from pathlib import Path
from curation.review import decisions
from data.errors import is_disk_full
from data.store import DiskFull, Store
from tests.support.stores import log
folder = Path(sys.argv[1])
store = Store(folder / "s.duckdb")
filler = (folder / "filler").open("wb", buffering=0)
try:
    for size in (2**20, 2**10):
        while True:
            filler.write(bytes(size))
except OSError:
    pass
refused = stored = 0
for i in range(400):
    try:
        decisions.decide(store, decisions.Decision(3, 0, ("approve", "reject")[i % 2], f"full {i}"), "ann")
        stored += 1
    except (DiskFull, OSError) as error:
        assert isinstance(error, DiskFull) or is_disk_full(error), error
        refused += 1
        last = f"full {i}"
filler.truncate(0)
decisions.decide(store, decisions.Decision(3, 0, "approve", last), "ann")
events = [row["event_id"] for row in log(store, "review") if row["event_id"].startswith("full")]
noted = [line["event"] for line in store.reviews.read().lines if line["event"].startswith("full")]
print(refused, stored, len(events), noted == events)
store.close()
"""


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 24 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_refuses_decisions_by_name_and_takes_them_once_there_is_space(small_disk, killed):
    shutil.copytree(killed, small_disk, dirs_exist_ok=True)
    done = subprocess.run([sys.executable, "-c", FULL, small_disk], cwd=HOUSE, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    refused, stored, events, same = done.stdout.split()
    assert int(refused) > 0 and int(events) == int(stored) + 1 and same == "True"


def test_a_full_disk_is_named_where_a_store_is_opened(small_disk, killed):
    shutil.copytree(killed, small_disk, dirs_exist_ok=True)
    with (small_disk / "filler").open("wb", buffering=0) as filler, pytest.raises(OSError, match="space"):
        while True:
            filler.write(bytes(2**12))
    before = contents(small_disk)
    try:
        Store(small_disk / "s.duckdb").close()  # a log that is replayed needs no space yet
    except DiskFull as error:
        assert "Free some space" in str(error) and contents(small_disk) == before
