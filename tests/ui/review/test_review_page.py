"""The Review page: its routes on a seeded store, and a person with a keyboard in a real browser, on a server that goes away meanwhile."""

import shutil
import socket
import threading
import time
import uuid

import httpx
import pytest
from fastapi.testclient import TestClient

from curation.config import Settings
from curation.jobs.manager import JobManager
from curation.stages import stage_class
from curation.ui.server.app import create_app
from data.store import Store
from data.workspace import Workspace
from tests.review.test_decisions import picture_bytes
from tests.support.seed import seeded_store

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


class Api:
    def __init__(self, store: Store, workspace: Workspace):
        self.store = store
        app = create_app(workspace, store, JobManager(store, workspace, stage_class), Settings(reviewer="ada"), headless=True)
        self.client = TestClient(app, base_url="http://127.0.0.1", headers={"Origin": "http://127.0.0.1"})

    def __call__(self, name: str, status: int = 200, **body):
        answer = self.client.post(f"/api/review/{name}", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def history(self):
        return self.client.get("/api/review/history").json()


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    store, _, workspace = seeded_store(tmp_path_factory.mktemp("review") / "seeded", 60, samples=80, seed=9)
    yield Api(store, workspace)
    store.close()


def event() -> str:
    return uuid.uuid4().hex


def test_a_card_holds_all_that_is_known_of_a_sample(api):
    first = api("next", matching={"routes": ["new_image"], "statuses": ["pending", "failed"]}, count=5)
    card = first["cards"][0]
    assert first["before"] == 0 and first["total"] >= len(first["cards"]) == 5
    assert [verdict["filter"] for verdict in card["verdicts"]] == [r["filter"] for r in api.store.rows("filters") if r["enabled"]]
    assert card["drawings"][0]["recipe"]["steps"] == 8 and card["image"] == card["drawings"][0]["image"]
    assert card["origin"]["failure_id"] == card["failure_id"] and card["origin"]["faulty_reasoning"]
    assert all(other["sample_id"] != card["sample_id"] for other in card["siblings"])
    last = first["cards"][-1]
    more = api("next", matching={"routes": ["new_image"], "statuses": ["pending", "failed"]}, key=last["key"], sample_id=last["sample_id"])
    assert not {c["sample_id"] for c in first["cards"]} & {c["sample_id"] for c in more["cards"]}
    assert {k: v for k, v in card.items() if k != "key"} == api("card", sample_id=card["sample_id"])


def test_decide_edit_and_undo_over_the_routes(api):
    card = api("next", matching={"statuses": ["failed"]})["cards"][0]
    sample_id, approve, edit = card["sample_id"], event(), event()
    known = {"sample_id": sample_id, "revision": 0}
    assert api("decide", **known, action="approve", event_id=approve, image=card["image"])["status"] == "approved"
    assert api("decide", **known, action="approve", event_id=approve)["status"] == "approved"
    shown = api("card", sample_id=sample_id)  # what clearing the decision would make of it
    assert (shown["status"], shown["status_without_people"]) == ("approved", "failed")
    assert api("edit", **known, question="What else?", choices=card["choices"], answer=card["answer"], event_id=edit)["revision"] == 1
    refused = api("decide", 409, **known, action="approve", event_id=event())
    assert "edited meanwhile" in refused["error"]
    assert [(row["action"], row["sample_id"], row["undone"]) for row in api.history()[:2]] == [
        ("edit", sample_id, False),
        ("approve", sample_id, False),
    ]
    assert api("undo", event_id=event(), undone_event=edit) == {"count": 1, "sample_ids": [sample_id]}
    assert api("card", sample_id=sample_id)["question"] == card["question"]
    again = api("card", sample_id=sample_id)
    assert [(e["action"], e["undone"]) for e in again["events"]] == [("approve", False), ("edit", True), ("undo", False)]
    api("undo", event_id=event(), undone_event=approve)


def test_what_queued_up_in_a_browser_goes_in_one_request(api):
    first, second, third = api("next", matching={"statuses": ["pending"]})["cards"][:3]
    sent = [{"sample_id": card["sample_id"], "revision": 0, "action": "approve", "event_id": event()} for card in (first, second, third)]
    sent[1]["revision"] = 7
    approved, refused, also = api("decisions", decisions=sent)["answers"]
    assert (approved["sample_id"], approved["status"], also["status"]) == (first["sample_id"], "approved", "approved")
    assert refused["status"] == 409 and "edited meanwhile" in refused["error"]
    assert [row["sample_id"] for row in api.history()[:2]] == [third["sample_id"], first["sample_id"]]
    twice = [{**sent[0], "event_id": event()} for _ in range(2)]
    assert "on the same sample" in api("decisions", 400, decisions=twice)["error"]
    for decision in (sent[0], sent[2]):
        api("undo", event_id=event(), undone_event=decision["event_id"])


def test_a_bulk_decision_and_its_preview_by_the_names_of_filters(api):
    matching = {"statuses": ["failed"], "failing": ["duplicate", "judge"]}
    preview = api("bulk/preview", matching=matching, action="approve")
    assert preview["count"] > 0 and preview["by_status"] == {"failed": preview["total"]}
    sent = {"matching": matching, "action": "approve", "event_id": event(), "expected": preview["count"]}
    done = api("bulk", **sent)
    assert done["count"] == preview["count"] and api("bulk", **sent)["batch_id"] == done["batch_id"]
    assert "look at the preview again" in api("bulk", 409, **{**sent, "event_id": event()})["error"]
    assert api("undo", event_id=event(), batch_id=done["batch_id"])["count"] == done["count"]
    assert api("bulk/preview", matching=matching, action="approve")["by_status"] == preview["by_status"]


def test_a_picture_can_be_uploaded_for_a_sample_by_hand(api):
    send = {"content": picture_bytes(), "headers": {"Content-Type": "application/octet-stream"}}
    row = api.client.post("/api/review/upload?name=mine.png", **send).json()
    assert (row["width"], row["height"]) == (64, 48)
    whole = {"image": row["image"], "dataset": "pocket-photo", "error_type": "attribute", "question": "Which blue?", "answer": "navy"}
    card = api("by_hand", event_id=event(), **whole)
    assert (card["route"], card["image"], card["origin"]) == ("by_hand", row["image"], None)
    bad = api.client.post("/api/review/upload?name=notes.txt", content=b"no picture", headers=send["headers"])
    assert bad.status_code == 409 and "notes.txt" in bad.json()["error"]


@pytest.mark.parametrize(
    ("status", "name", "body", "says"),
    [
        (404, "card", {"sample_id": 99_999}, "no sample 99999"),
        (404, "next", {"start": 99_999}, "no sample 99999"),
        (404, "decide", {"sample_id": 99_999, "revision": 0, "action": "approve", "event_id": "0123456789"}, "no sample 99999"),
        (422, "decide", {"sample_id": 1, "revision": 0, "action": "like", "event_id": "0123456789"}, "action"),
        (422, "facets", {"colours": ["red"]}, "colours"),
        (422, "page", {"limit": 10_000}, "limit"),
        (400, "undo", {"event_id": "0123456789"}, "name a batch or an event"),
        (
            409,
            "edit",
            {"sample_id": 1, "revision": 0, "question": " ", "choices": [], "answer": "x", "event_id": "0123456789"},
            "must not be empty",
        ),
    ],
)
def test_bad_requests_say_what_is_wrong(api, status, name, body, says):
    assert says in api(name, status, **body)["error"]


def test_an_empty_workspace_answers_too(store, workspace):
    empty = Api(store, workspace)
    assert empty("next").items() >= {"cards": [], "before": 0, "total": 0, "short": {}}.items()
    assert empty("page") == {"rows": [], "total": 0}
    assert not any(empty("facets")["facets"].values()) and empty.history() == []


# In the browser -----------------------------------------------------------------------------------------------


class Served:
    """The app with its pages, on a port of its own; it can go away and come back."""

    def __init__(self, store, workspace):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.app = create_app(workspace, store, JobManager(store, workspace, stage_class), Settings(reviewer="ada", port=self.port))
        self.up()

    def up(self):
        import uvicorn

        config = uvicorn.Config(self.app, host="127.0.0.1", port=self.port, log_level="error", timeout_graceful_shutdown=1)
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        _until(lambda: self.server.started)

    def down(self):
        self.server.should_exit = True
        self.thread.join(20)
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"http://127.0.0.1:{self.port}/api/health")


def _until(true, seconds=60.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.05)


BOTH_PARTS = "() => performance.getEntriesByType('resource').filter((one) => one.name.endsWith('review/next')).length > 1"  # of the queue
COUNTED_FRAMES = "frames_asked = 0; const ask = requestAnimationFrame; requestAnimationFrame = (run) => (frames_asked++, ask(run))"
FRAMES_IN_A_SECOND = "new Promise((done) => { const before = frames_asked; setTimeout(() => done(frames_asked - before), 1000); })"


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is missing: the page is NOT tested")
def test_no_key_is_lost_while_the_server_goes_away_and_comes_back(tmp_path):
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=60_000)

    store, _, workspace = seeded_store(tmp_path / "seeded", 60, samples=160, seed=21)
    served = Served(store, workspace)
    mine = "SELECT sample_id, action::TEXT, reason FROM review WHERE reviewer = 'ada' AND event_id NOT LIKE 'seed-%' ORDER BY review_id"

    def log():
        return store._cursor().execute(mine).fetchall()

    def status(sample_id):
        return store.row("sample_revisions", sample_ids=[sample_id])["status"]

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        faults = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("dialog", lambda shown: shown.accept())
        page.add_init_script(COUNTED_FRAMES)
        try:
            page.goto(f"http://127.0.0.1:{served.port}/?page=review")
            unsaved = page.locator("#page-review [data-buttons] [data-unsaved]")
            title = page.locator("#page-review [data-title]")
            expect(unsaved).to_have_text("all saved", timeout=60_000)
            queue = [card["sample_id"] for card in _queue(served)]
            page.wait_for_function(BOTH_PARTS)
            _until(lambda: page.evaluate(FRAMES_IN_A_SECOND) < 10)  # Gradio's endless loop has ended

            # Thirty cards as fast as keys come: approvals, rejections with and without a reason
            for i in range(30):
                for key in ("a", "a", "r1", "rr", "a")[i % 5]:
                    page.keyboard.press(key)
            expect(title).to_have_text(f"Sample {queue[30]}")
            expect(unsaved).to_have_text("all saved", timeout=60_000)
            wanted = [("approve", None), ("approve", None), ("reject", "wrong answer"), ("reject", None), ("approve", None)]
            assert log() == [(queue[i], *wanted[i % 5]) for i in range(30)]
            page.keyboard.press("Control+a")  # keys with modifiers are not ours
            for _ in range(3):
                page.keyboard.press("u")
            expect(title).to_have_text(f"Sample {queue[27]}")
            _until(lambda: [row[1] for row in log()[30:]] == ["undo"] * 3)
            assert {status(queue[i]) for i in (27, 28, 29)} == {"pending"}

            # An edit, and an approval of what it made, before either is acknowledged
            page.keyboard.press("e")
            page.keyboard.type(" Really?")
            expect(page.locator("#page-review .rev-edit ins").first).to_contain_text("Really?")
            page.keyboard.press("Enter")
            page.keyboard.press("a")
            expect(title).to_have_text(f"Sample {queue[28]}")
            _until(lambda: status(queue[27]) == "approved")
            assert store.row("sample_revisions", sample_ids=[queue[27]])["question"].endswith(" Really?")

            # The server goes away: decisions wait; it comes back: they are stored
            served.down()
            for _ in range(3):
                page.keyboard.press("a")
            expect(unsaved).to_have_text("3 unsaved · retrying", timeout=60_000)
            expect(title).to_have_text(f"Sample {queue[31]}")
            assert page.evaluate("Object.keys(localStorage).filter((key) => key.includes('unsaved')).length") == 3
            served.up()
            expect(unsaved).to_have_text("all saved", timeout=60_000)
            assert [row[:2] for row in log()[-3:]] == [(queue[i], "approve") for i in (28, 29, 30)]

            # A draft, and decisions that the store refuses to take just now, outlive a reload
            page.keyboard.press("e")
            page.keyboard.type(" Draft")
            page.route("**/api/review/deci*", lambda route: route.abort())
            page.reload()
            expect(page.locator("#page-review .chip", has_text="unsaved draft")).to_be_visible(timeout=60_000)
            expect(title).to_have_text(f"Sample {queue[31]}")
            page.keyboard.press("a")
            page.keyboard.press("a")
            expect(unsaved).to_contain_text("2 unsaved", timeout=60_000)
            page.unroute("**/api/review/deci*")
            page.reload()
            _until(lambda: [row[:2] for row in log()[-2:]] == [(queue[i], "approve") for i in (31, 32)])
            expect(unsaved).to_have_text("all saved", timeout=60_000)

            # Edited by someone else meanwhile: refused, and shown for another look
            shown = int(title.inner_text().split()[1])
            from curation.review import decisions as reviews

            reviews.edit(store, shown, 0, "Changed by grace?", [], "yes", "grace", reviews.new_event())
            page.keyboard.press("a")
            expect(page.locator(".toast", has_text="edited meanwhile")).to_be_visible(timeout=60_000)
            assert status(shown) == "unfiltered"

            # Many at once: selected by keys, shown before, one undo
            page.evaluate("document.querySelectorAll('.toast button[title=Close]').forEach((button) => button.click())")
            page.keyboard.press("g")
            cells = page.locator("#page-review [data-grid] .th")
            expect(cells.first).to_be_visible()
            chosen = [int(cells.nth(i).get_attribute("data-id")) for i in range(4)]
            cells.nth(0).click()
            page.keyboard.press("x")
            page.keyboard.press("x")
            cells.nth(3).click(modifiers=["Shift"])
            page.keyboard.press("r")
            expect(page.locator("dialog")).to_contain_text("4 samples of 4 will be rejected")
            page.keyboard.press("Enter")
            _until(lambda: [status(i) for i in chosen] == ["rejected"] * 4)
            expect(page.locator("dialog")).to_have_count(0)
            expect(page.locator("#page-review [data-grid] .th.sel")).to_have_count(0)
            page.keyboard.press("u")
            _until(lambda: [status(i) for i in chosen] == ["pending"] * 4)

            # Nothing is left to decide: what comes next
            reviews.decide_bulk(store, {"statuses": ["pending"]}, "approve", "grace", reviews.new_event())
            page.goto(f"http://127.0.0.1:{served.port}/?page=review")
            stage = page.locator("#page-review [data-stage]")
            expect(stage).to_contain_text("No pending samples", timeout=60_000)
            stage.get_by_role("button", name="Finetune").click()
            expect(page.locator("#page-finetune")).to_be_visible(timeout=60_000)
            assert faults == []
        finally:
            browser.close()
            served.down()
            store.close()


def _queue(served):
    address = f"http://127.0.0.1:{served.port}"
    asked = {"matching": {"statuses": ["pending"]}, "count": 60}
    return httpx.post(f"{address}/api/review/next", json=asked, headers={"Origin": address}).json()["cards"]
