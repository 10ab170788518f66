"""The search index against what a plain look at the texts finds; it follows the store, and no text breaks it."""

import re
import sqlite3
import threading
import time
import unicodedata
import uuid

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.config import Settings
from curation.jobs.manager import JobManager
from curation.review import decisions
from curation.stages import stage_class
from curation.ui.server.app import create_app
from data.search import Search, fts_query
from tests.support.browser import chromium, executable, served
from tests.support.failures_page import wait_for_count
from tests.support.seed import seeded_store

WORDS = (
    "not",
    "NOT a",
    "tri",
    "how many",
    '"how many"',
    '"many how"',
    '"not contain a',
    "is there not",
    "3",
    "B",
    "plain to see",
    "taken for",
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    store, _, workspace = seeded_store(tmp_path_factory.mktemp("search") / "seeded", 150, samples=150)
    search = Search(store, workspace.search)
    yield store, search
    search.close()
    store.close()


@pytest.fixture
def fresh(tmp_path):
    store, _, workspace = seeded_store(tmp_path / "seeded", 30, samples=30)
    yield store, Search(store, workspace.search), workspace
    store.close()


class Steps(threading.Event):
    """What the builder of an index waits for between two portions: it takes one more for each `step()`, all after `run()`."""

    def __init__(self):
        super().__init__()
        self._allowed, self._runs = threading.Semaphore(0), threading.Event()

    def step(self):
        self._allowed.release()

    def run(self):
        self._runs.set()

    def wait(self, timeout=None):
        while not (self.is_set() or self._runs.is_set() or self._allowed.acquire(timeout=0.01)):
            pass
        return self.is_set()


def until(true):
    while not true():
        time.sleep(0.01)


def ids(bitmap: bytes) -> list[int]:
    bits = np.unpackbits(np.frombuffer(bitmap, np.uint8))
    assert bits[-1] == 0, "the last bit stands for all ids beyond"
    return np.flatnonzero(bits).tolist()


def plain(text: str) -> list[str]:
    """Words of a text as the index sees them."""
    bare = "".join(c for c in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(c))
    return re.findall(r"[^\W_]+", bare)


def by_hand(texts: dict[int, list[str]], words: str) -> list[int]:
    """Ids of the texts (a list of columns each) that hold all the words."""

    def holds(column: list[str], wanted: list[str], prefix: bool) -> bool:
        runs = (column[i : i + len(wanted)] for i in range(len(column)))
        return any(
            run[:-1] == wanted[:-1] and (run[-1].startswith(wanted[-1]) if prefix else run[-1] == wanted[-1])
            for run in runs
            if len(run) == len(wanted)
        )

    parts = [(plain(phrase or word), not end) for phrase, end, word in re.findall(r'"([^"]*)("?)|([^\s"]+)', words)]
    parts = [part for part in parts if part[0]]
    return sorted(key for key, columns in texts.items() if parts and all(any(holds(plain(c), *part) for c in columns) for part in parts))


def texts_of_samples(store) -> dict[int, list[str]]:
    rows = store.rows("search_text_samples", low=0, high=10**9)
    return {row["id"]: [row["question"], row["choices"], row["answer"]] for row in rows}


@pytest.mark.parametrize("words", WORDS)
def test_finds_what_a_look_at_all_texts_finds(shared, words):
    store, search = shared
    rows = store.rows("search_text_failures", low=0, high=10**9)
    failures = {row["id"]: [row["question"], row["answers"], row["diagnosis"]] for row in rows}
    assert ids(search.failures(words)) == by_hand(failures, words)
    assert ids(search.samples(words)) == by_hand(texts_of_samples(store), words)


def test_the_words_do_occur(shared):
    _, search = shared
    sizes = [len(ids(search.failures(words))) for words in WORDS]
    assert 0 in sizes and len(set(sizes)) > 5


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=30))
def test_no_text_is_an_error(shared, words):
    _, search = shared
    ids = search.samples(words)
    assert (ids is None) == (not words.strip())


@pytest.mark.parametrize(
    "words",
    (
        '"',
        "AND",
        "a OR b",
        "question : x",
        "NEAR(a b)",
        "*",
        "^a",
        "a*",
        "-",
        "'; DROP TABLE samples; --",
        "\0",
        "\ud800",
        "(",
        "{a b} : c",
    ),
)
def test_nothing_has_a_meaning_of_its_own(shared, words):
    store, search = shared
    assert ids(search.samples(words)) == by_hand(texts_of_samples(store), words.replace("\0", " ").replace("\ud800", " "))
    assert fts_query("%_") is None


def test_nothing_asked_is_no_filter(shared):
    _, search = shared
    assert search.samples(None) is search.samples("  ") is None
    assert not ids(search.samples("%"))


def test_it_follows_edits_and_what_comes_new(fresh):
    store, search, _ = fresh
    first = store.rows("search_text_samples", low=0, high=10**9)[0]
    assert ids(search.samples("zeppelin")) == []
    decisions.edit(store, first["id"], 0, "Is there a zeppelin?", [], "yes", "ada", decisions.new_event())
    assert ids(search.samples("zeppelin")) == [first["id"]]
    decisions.edit(store, first["id"], 1, "Is there a train?", [], "yes", "ada", decisions.new_event())
    assert ids(search.samples("zeppelin")) == []
    with store.write() as write:
        row = {"key": "new", "round": 1, "dataset": "pocket-photo", "error_type": "counting", "route": "by_hand", "choices": []}
        new = write.insert("sample", [{**row, "question": "Any zeppelins?", "answer": "no"}], returning="sample_id")
        write.touch(new)
    assert ids(search.samples("zeppelin")) == new
    with store.write() as write:
        expected = {
            "failure_id": 7,
            "description": "A Zeppelin above",
            "gold_looks_wrong": False,
            "right_but_misformatted": False,
            "job_id": 99,
        }
        write.insert("diagnosis", [{**expected, "own_score": 1.0, "error_type": "spatial"}])
    assert ids(search.failures("zeppelin")) == [7]


def test_a_file_that_is_lost_damaged_or_of_another_store_is_made_anew(fresh, tmp_path):
    store, search, workspace = fresh
    expected = search.samples("not")
    search.close()
    for harm in ("lost", "damaged", "torn", "foreign"):
        if harm == "lost":
            workspace.search.unlink()
        elif harm == "damaged":
            workspace.search.write_bytes(b"no database at all" * 1000)
        elif harm == "torn":
            content = workspace.search.read_bytes()
            workspace.search.write_bytes(content[: len(content) // 3] + bytes(len(content) // 3))
        else:
            other = sqlite3.connect(workspace.search)
            other.execute("UPDATE mark SET rows = rows - 1, last = last + 5")
            other.commit()
            other.close()
        again = Search(store, workspace.search)
        assert again.samples("not") == expected, harm
        assert ids(again.failures("not")), harm
        again.close()


def test_many_search_while_the_store_is_written(fresh):
    store, search, _ = fresh
    troubles = []

    def look():
        try:
            for _ in range(20):
                ids(search.samples("zep"))
        except Exception as error:
            troubles.append(error)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    made = []
    for _ in range(10):
        with store.write() as write:
            row = {"key": uuid.uuid4().hex, "round": 1, "dataset": "d", "error_type": "counting", "route": "by_hand", "choices": []}
            made += write.insert("sample", [{**row, "question": "zeppelin", "answer": "no"}], returning="sample_id")
            write.touch(made[-1:])
        time.sleep(0.01)
    for thread in threads:
        thread.join()
    assert troubles == []
    assert ids(search.samples("zep")) == made


def test_a_large_index_is_built_beside_searches_that_find_what_is_there(fresh, monkeypatch):
    store, search, workspace = fresh
    expected, failures = search.samples("not"), search.failures("not")
    search.close()
    workspace.search.unlink()
    monkeypatch.setattr("data.search.AT_ONCE", 5)
    monkeypatch.setattr("data.search.PORTION", 4)
    again = Search(store, workspace.search)
    again._leave = steps = Steps()
    first = ids(again.samples("not"))  # it doesn't wait: not one step is allowed yet
    until(lambda: again.progress()["samples"] > 0)
    seen = [again.progress()["samples"]]
    while seen[-1] < 1:
        steps.step()
        until(lambda: again.progress()["samples"] > seen[-1])
        seen.append(again.progress()["samples"])
        assert set(ids(again.samples("not"))) <= set(ids(expected))
    assert len(first) < len(ids(expected)) and len(seen) > 3
    steps.run()
    until(lambda: "samples" not in again.progress())
    assert again.samples("not") == expected
    again.refresh()
    assert again.progress() == {} and again.failures("not") == failures
    again.close()

    workspace.search.unlink()  # closed in the middle: begun anew
    half = Search(store, workspace.search)
    half._leave = Steps()
    half.samples("not")
    until(lambda: half.progress()["samples"] > 0)
    half.close()
    last = Search(store, workspace.search)
    last.refresh()
    assert last.samples("not") == expected and last.failures("not") == failures
    last.close()


def test_the_search_box_says_how_far_the_index_is(fresh, monkeypatch):
    executable()
    store, search, workspace = fresh
    expected = len(ids(search.failures("not")))
    search.close()
    workspace.search.unlink()
    for name, value in (("AT_ONCE", 5), ("PORTION", 3)):
        monkeypatch.setattr(f"data.search.{name}", value)
    app = create_app(workspace, store, JobManager(store, workspace, stage_class), Settings(reviewer="ada"))
    app.state.services.search._leave = steps = Steps()
    app.state.services.search.refresh_soon()
    with served(app) as address, chromium(f"{address}/?page=failures&words=not") as page:
        page.wait_for_selector(".search-box .indexing >> text=/indexing \\d+ %/")
        steps.run()
        page.wait_for_function("() => document.querySelector('.search-box .indexing').textContent === ''")
        wait_for_count(page, expected)
    app.state.services.search.close()


def test_once_closed_nothing_goes_on_in_the_background(fresh, monkeypatch):
    _, search, _ = fresh
    for name, value in (("AT_ONCE", 5), ("PORTION", 3)):
        monkeypatch.setattr(f"data.search.{name}", value)
    search._leave = Steps()
    search.refresh_soon()
    until(search.progress)
    search.close()
    for thread in threading.enumerate():
        if thread.name.startswith("search"):
            thread.join()
    assert search.progress() == {} and search._connection is None
    search.refresh()
    assert search._connection is None, "what was still to come is left to the next one that opens the workspace"


def test_nothing_is_decided_in_bulk_on_what_a_part_of_the_index_finds(fresh):
    store, _, workspace = fresh
    app = create_app(workspace, store, JobManager(store, workspace, stage_class), Settings(reviewer="ada"), headless=True)
    client = TestClient(app, base_url="http://127.0.0.1", headers={"Origin": "http://127.0.0.1"})
    body = {"matching": {"search": "not"}, "action": "approve"}
    assert client.post("/api/review/bulk/preview", json=body).status_code == 200
    app.state.services.search._built = {"samples": 0.5}
    refused = client.post("/api/review/bulk/preview", json=body)
    assert refused.status_code == 409 and "wait until indexing is done" in refused.json()["error"]
    assert client.get("/api/search/progress").json() == {"samples": 0.5}
