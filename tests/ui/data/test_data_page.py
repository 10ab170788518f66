"""The Data & models page: looking before importing, uploads, checkpoints, keys, the endpoint's test, and the page in Chromium."""

import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from curation.commands.stages import estimate_in_words
from curation.config import Settings
from curation.jobs.estimates import EstimateView
from curation.jobs.manager import JobManager
from curation.stages import stage_class
from curation.ui.server.app import create_app
from data.images import ImageStore
from tests.support.browser import chromium, executable, served
from tests.support.seed import seeded_store

ORIGIN = {"Origin": "http://127.0.0.1"}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    store, _, workspace = seeded_store(tmp_path_factory.mktemp("data") / "seeded", 60, samples=10)
    jobs = JobManager(store, workspace, stage_class)
    yield create_app(workspace, store, jobs, Settings(reviewer="ada")), store, workspace, jobs
    jobs.shutdown()
    store.close()


@pytest.fixture(scope="module")
def client(world):
    return TestClient(world[0], base_url="http://127.0.0.1", headers=ORIGIN)


def post(client, route, expect=200, **body):
    answer = client.post(f"/api/data/{route}", json=body)
    assert answer.status_code == expect, answer.text
    return answer.json()


@pytest.fixture
def own(world, tmp_path):
    """A list with two good lines and three bad ones."""
    store, workspace = world[1], world[2]
    sha = store.rows("data_pictures", each=1)[0]["image"]
    (tmp_path / "a.png").write_bytes(ImageStore(workspace.images).path(sha).read_bytes())
    (tmp_path / "broken.png").write_bytes(b"no picture")
    good = [
        {"id": i, "image": "a.png", "question": f"What is <b>{i}</b>?", "answer": "red", "split": split}
        for i, split in enumerate(("train", "eval"))
    ]
    bad = [{**good[0], "id": 7, "image": "broken.png"}, {"image": "a.png"}]
    path = tmp_path / "mine.jsonl"
    path.write_text("\n".join([*map(json.dumps, good + bad), "{"]))
    return path


def test_counts_and_scores_are_those_of_the_round(world, client):
    store = world[1]
    overview = post(client, "overview")
    for dataset in overview["datasets"]:
        examples = next(row for row in store.rows("datasets") if row["name"] == dataset["name"])
        assert (dataset["train"], dataset["eval"]) == (examples["train"], examples["eval"])
        assert 0 <= dataset["eval_accuracy"] <= 1 and len(dataset["pictures"]) == 12
    base, tuned = overview["checkpoints"][:2]
    assert base["of_round"] and not tuned["of_round"] and tuned["parent"] == base["name"]
    assert base["model_bytes"] > 1e6
    assert {card["name"] for card in overview["cards"]} == {"pocket-llava", "pocket-flux", "pocket-teacher"}


def test_a_look_shows_rows_and_bad_lines_and_stores_nothing(world, client, own):
    before = len(world[1].rows("datasets"))
    preview = post(client, "preview", format="jsonl", source={"path": str(own)})
    assert [row["external_id"] for row in preview["rows"]] == ["0", "1"]
    assert preview["rows"][0]["picture"].startswith("data:image/webp;base64,")
    assert (preview["looked"], preview["unusable"], preview["splits"]["eval"], preview["whole"]) == (5, 3, 1, True)
    assert any("mine.jsonl:5" in line["source"] for line in preview["bad"])
    assert len(world[1].rows("datasets")) == before
    assert "path" in post(client, "preview", 422, format="jsonl", source={})["error"]
    assert "there are: aokvqa" in post(client, "preview", 404, format="nope")["error"]


def test_uploads_stay_inside_their_folder(world, client):
    first = client.post("/api/data/upload/new/set/mine.jsonl", content=b"{}").json()
    second = client.post(f"/api/data/upload/{first['batch']}/set/pictures/a.png", content=b"x" * 100_000).json()
    root = world[2].root / "uploads" / first["batch"]
    assert (root / "set/mine.jsonl").read_bytes() == b"{}" and (root / "set/pictures/a.png").stat().st_size == 100_000
    assert second["folder"] == str(root)
    for batch, name in (("new", "..%2F..%2Fstore.duckdb"), ("..", "x"), (first["batch"], ".hidden"), (first["batch"], "c:%5Cx")):
        assert client.post(f"/api/data/upload/{batch}/{name}", content=b"x").status_code in (404, 409)


def test_a_checkpoint_is_checked_before_it_is_added(world, client, tmp_path):
    added = post(client, "checkpoint", name=" copy ", baseline="llava", model="pocket-llava", options={"batch_size": 8})
    assert added["name"] == "copy" and world[1].row("checkpoint_by_name", name="copy")["model"] == "pocket-llava"
    assert "already" in post(client, "checkpoint", 409, name="copy", baseline="llava", model="pocket-llava")["error"]
    assert "config.json" in post(client, "checkpoint", 409, name="x", baseline="llava", model=str(tmp_path))["error"]
    assert (
        "adapter_config.json"
        in post(client, "checkpoint", 409, name="x", baseline="llava", model="pocket-llava", adapter=str(tmp_path))["error"]
    )
    assert "batch_size" in post(client, "checkpoint", 422, name="x", baseline="llava", model="m", options={"batch_size": 0})["error"]


def test_keys_are_named_but_never_shown(world, client, monkeypatch):
    file = world[2].root / "keys.json"
    file.write_text(json.dumps({"OTHER_KEY": "sk-secret"}))
    file.chmod(0o600)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-hidden")
    text = client.post("/api/data/overview", json={}).text
    assert "sk-secret" not in text and "sk-hidden" not in text
    assert [(key["name"], key["where"]) for key in json.loads(text)["keys"]] == [
        ("OPENAI_API_KEY", "environment"),
        ("OTHER_KEY", "keys.json"),
    ]
    file.chmod(0o644)
    monkeypatch.delenv("OPENAI_API_KEY")
    assert "chmod 600" in post(client, "overview")["keys"][0]["trouble"]
    file.unlink()


def test_the_test_says_exactly_what_came_of_it(client):
    report = client.post("/api/endpoints/test", json={"name": "pocket-teacher"}).json()
    assert report["ok"] and "sees images" in report["words"]
    report = client.post("/api/endpoints/test", json={"values": {"endpoint": "http://127.0.0.1:9/v1", "model": "none"}}).json()
    assert not report["ok"] and report["words"].startswith("Failed")


def test_importing_on_the_page(world, own):
    executable()
    app, store, _, jobs = world
    with served(app) as address, chromium(f"{address}/?page=data") as page:
        page.wait_for_selector("#page-data .set")
        page.click("text=Import dataset")
        page.fill("dialog .field:has(label:text-is('Path')) input", str(own))
        page.wait_for_selector("dialog .look img")
        assert "<b>0</b>" in page.locator("dialog .look").inner_text()
        page.click("dialog .foot .btn.p")
        page.wait_for_selector("dialog", state="detached")
        job_id = store.rows("jobs", limit=1)[0]["job_id"]
        jobs.wait(job_id, 240)
        page.wait_for_selector("#page-data .set >> text=mine")
    assert [row["eval"] for row in store.rows("datasets") if row["name"] == "mine"] == [1]


def test_a_checkpoint_is_tested_on_the_page(world, client):
    """The built-in model in a process of its own: files, template, tokens, a real answer, memory; and a folder that can't be used."""
    executable()
    name = world[1].rows("data_checkpoints")[0]["name"]
    with served(world[0]) as address, chromium(f"{address}/?page=data") as page:
        page.locator("#page-data tr", has_text=name).locator("button", has_text="Test").first.click()
        page.wait_for_selector("[data-tested] td >> text=LoRA memory", timeout=180_000)
        rows = page.locator("[data-tested] tr").all_inner_texts()
    assert len(rows) == 6 and all(row.startswith("ok") for row in rows)
    assert "tokens for this picture" in rows[2] and "weights learn" in rows[5]
    broken = post(client, "checkpoint/test", 409, model="/nowhere/at/all")
    assert "not a folder" in broken["error"]


def test_a_job_that_began_and_ended_unseen_is_shown_all_the_same(world, own):
    """A page looks every 1.5 s, and not at all in a hidden tab or while nothing answers."""
    executable()
    app, _, _, jobs = world
    with served(app) as address, chromium(f"{address}/?page=data", expect_errors=True) as page:
        page.wait_for_selector("#page-data .set")
        page.wait_for_selector("#page-data [data-plugins] > *")
        with page.expect_response("**/api/workspace"):  # it has looked, and nothing ran
            page.evaluate("document.dispatchEvent(new Event('mb:poll'))")
        page.route("**/api/workspace", lambda route: route.abort())
        page.wait_for_selector("text=The app does not respond")
        job_id = jobs.launch("import", {"format": "jsonl", "source": {"path": str(own), "name": "unseen"}}, "ada")
        assert jobs.wait(job_id, 240).status == "done"
        page.unroute("**/api/workspace")
        page.wait_for_selector("#page-data .set >> text=unseen")


def test_the_report_of_predictions_is_seen_before_they_are_imported(world, tmp_path):
    """In Chromium: matched, unmatched, duplicate, no answer, with the first lines that can't be used; the command says the same."""
    if not executable():
        pytest.skip("no Chromium")
    store = world[1]
    ids = [row["external_id"] for row in store.rows("examples_of_dataset", dataset="pocket-photo")][:2]
    lines = [{"id": ids[0], "answer": "a"}, {"id": ids[0], "answer": "b"}, {"id": "nobody", "answer": "c"}, {"id": ids[1], "answer": None}]
    path = tmp_path / "preds.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    with served(world[0]) as address, chromium(f"{address}/?page=data") as page:
        page.wait_for_selector("#page-data .set")
        page.click("text=Import predictions")
        page.select_option("dialog select[title='Dataset']", "pocket-photo")
        page.fill("dialog .field:has(label:text-is('Path')) input", str(path))
        page.fill("dialog .field:has(label:text-is('Checkpoint')) input", "elsewhere")
        page.wait_for_selector("text=1 matched · 1 unmatched · 1 duplicate · 1 no answer")
        report = page.locator("dialog .look").inner_text()
        assert "stands again in preds.jsonl:2, which counts" in report and "answer is null" in report
        assert "joined by id: 3 of 4 items have an id of this dataset, answers are those of 'answer'" in report
        assert all(name in page.locator("dialog").inner_text() for name in ("lmms-eval", "VLMEvalKit", "OpenCompass", ".xlsx"))
        table = f"id,answer\n{ids[0]},a\nnobody,b\n".encode()
        page.fill("dialog .field:has(label:text-is('Checkpoint')) input", "tabled")
        page.set_input_files("dialog input[type=file]", {"name": "preds.csv", "mimeType": "text/csv", "buffer": table})
        page.wait_for_selector("text=1 matched · 1 unmatched · 0 duplicate · 0 no answer")
        page.click("dialog >> button:text-is('Import')")
        page.goto(f"{address}/?page=jobs")
        page.wait_for_selector("text=Lines left out · 1")
        assert "nobody" in page.locator("#page-jobs").inner_text() and page.locator("button:has-text('Retry')").count() == 0
        with page.expect_download() as got:
            page.click("text=Download all")
        assert "no example 'nobody'" in Path(got.value.path()).read_text(encoding="utf-8")
    options = {"path": str(path), "dataset": "pocket-photo", "checkpoint": "elsewhere"}
    response = TestClient(world[0], base_url="http://127.0.0.1", headers=ORIGIN).post(
        "/api/estimate", json={"stage": "import_predictions", "options": options}
    )
    assert "1 rows · 1 matched · 1 unmatched · 1 duplicate · 1 no answer" in estimate_in_words(EstimateView.model_validate(response.json()))
