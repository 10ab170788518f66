"""The Try it page: real answers of pocket-llava from a child process, and what can't be asked."""

import pytest

from curation import checkpoints
from curation.config import Settings
from curation.jobs.manager import JobManager
from curation.stages import stage_class
from curation.ui.server.app import create_app
from curation.ui.try_it import routes
from data.images import ImageStore
from data.records import Checkpoint
from tests.support.browser import chromium, executable, served
from tests.support.page_api import PageApi
from tests.support.seed import seeded_store


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    store, _, workspace = seeded_store(tmp_path_factory.mktemp("try") / "seeded", 40, samples=5, clustered=False)
    checkpoints.register(store, Checkpoint("elsewhere", "imported", ""))
    yield create_app(workspace, store, JobManager(store, workspace, stage_class), Settings(reviewer="ada")), store, workspace
    routes.answerer.close()
    store.close()


@pytest.fixture(scope="module")
def post(world):
    return PageApi(world[0], "try")


def test_an_example_and_the_same_picture_sent_get_the_same_answer(world, post):
    _, store, workspace = world
    choices = post("choices", seed=1)
    assert "elsewhere" not in choices["checkpoints"] and choices["of_round"] == "pocket-llava"
    example = next(row for row in choices["examples"] if not row["choices"])
    asked = {"checkpoint": "pocket-llava", "question": example["question"], "suffix": example["prompt_suffix"]}
    first = post("ask", **asked, image=example["image"])
    assert first["answer"] and first["text"].endswith(example["prompt_suffix"])
    content = ImageStore(workspace.images).path(example["image"]).read_bytes()
    sent = post.client.post("/api/try/picture", content=content).json()
    second = post("ask", **asked, upload=sent["upload"])
    assert second["answer"] == first["answer"] and second["load_seconds"] < first["load_seconds"]
    assert store.rows("jobs", limit=100)[0]["job_id"] == 7 and not (workspace.root / "jobs").joinpath("8").exists()


def test_what_cannot_be_asked_is_said(world, post):
    image = post("choices")["examples"][0]["image"]
    assert "were imported; it can't be run" in post("ask", 409, checkpoint="elsewhere", question="?", image=image)["error"]
    assert "choose an image" in post("ask", 404, checkpoint="pocket-llava", question="?", image="0" * 64)["error"]
    assert "choose it again" in post("ask", 409, checkpoint="pocket-llava", question="?", upload="../../x")["error"]
    assert "not an image of a known format" in post.client.post("/api/try/picture", content=b"<svg/>").json()["error"]
    assert "adapter" in post("ask", checkpoint="run 1", question="?", image=image)["error"]  # the seeded run has no weights


def test_asking_on_the_page(world):
    executable()
    app, _, workspace = world
    before = {path.name for path in workspace.images.rglob("*.png")}
    with served(app) as address, chromium(f"{address}/?page=try&b=none") as page:
        page.wait_for_selector("#page-try textarea")
        page.fill("#page-try textarea", "What color is the <b>shape</b>?")
        page.keyboard.press("Enter")
        page.wait_for_selector("#page-try .two b")
        assert "<b>shape</b>" in page.locator("#page-try .answered").inner_text()
    assert {path.name for path in workspace.images.rglob("*.png")} == before
