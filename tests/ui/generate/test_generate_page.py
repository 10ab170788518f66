"""The Generate page: its routes on a seeded store, then a real launch with pocket-teacher in Chromium."""

import uuid

import pytest

from curation.config import Settings
from curation.frontier.endpoints import host_of
from curation.jobs import chains
from curation.jobs.job_folder import JobFolder
from curation.jobs.manager import JobManager
from curation.stages import draw, stage_class
from curation.ui.server.app import create_app
from tests.support.browser import chromium, executable, served
from tests.support.page_api import PageApi
from tests.support.seed import seeded_store

JOB = 4  # the seeded generate job


class Api(PageApi):
    def __init__(self, store, workspace):
        self.store = store
        super().__init__(
            create_app(workspace, store, JobManager(store, workspace, stage_class), Settings(reviewer="ada"), headless=True), "generate"
        )


@pytest.fixture(scope="module")
def seeded(tmp_path_factory):
    store, _, workspace = seeded_store(tmp_path_factory.mktemp("generate") / "seeded", 160, samples=90)
    yield Api(store, workspace)
    store.close()


def test_choices_count_only_what_is_teachable(seeded):
    choices = seeded("choices")
    assert (
        choices["teachable"] == sum(cluster["teachable"] for cluster in choices["clusters"]) <= choices["diagnosed"] < choices["failures"]
    )
    assert [c["teachable"] for c in choices["clusters"]] == sorted((c["teachable"] for c in choices["clusters"]), reverse=True)
    first = choices["endpoints"][0]
    assert (first["name"], first["endpoint"], first["model"], first["host"]) == ("pocket-teacher", "pocket-teacher", "pocket-teacher", None)
    assert choices["generators"][0]["model"] == "pocket-flux" and choices["generators"][0]["host"] is None
    assert choices["limits"]["per_failure"] == {"minimum": 1, "maximum": 20}


def test_a_plan_counts_calls_samples_and_images(seeded):
    cluster = seeded("choices")["clusters"][0]
    options = {"cluster_ids": [cluster["cluster_id"]], "per_failure": 4, "images_per_prompt": 2, "endpoint": "pocket-teacher"}
    both = seeded("plan", options=options)
    n = cluster["teachable"]
    assert (both["failures"], both["rows"], both["images"], both["samples"]) == (n, 2 * n, 8 * n, 12 * n)
    assert sum(row["teachable"] for row in both["by_error_type"]) == n
    same = seeded("plan", options={**options, "route": "same_image", "limit": 2}, then=False)
    assert (same["failures"], same["images"], same["samples"], same["filter_calls"]) == (2, 0, 8, 0)
    none = seeded("plan", options={"failure_ids": []})
    assert none["failures"] == 0 and none["prompt"] is None


def test_a_limit_is_parted_among_the_clusters_as_they_fail(seeded):
    sizes = {cluster["cluster_id"]: cluster["teachable"] for cluster in seeded("choices")["clusters"]}
    limit = len(sizes) + 7
    for split in ("failures", "equal"):
        plan = seeded("plan", options={"limit": limit, "split": split})
        parts = {part["cluster_id"]: part for part in plan["detail"]["quotas"]}
        assert plan["failures"] == sum(part["quota"] for part in parts.values()) == limit
        assert {key: part["failures"] for key, part in parts.items() if key in sizes} == sizes
        assert all(part["quota"] and part["title"] for key, part in parts.items() if key in sizes)
    most, least = max(sizes, key=sizes.get), min(sizes, key=sizes.get)
    by_share = seeded("plan", options={"limit": limit})["detail"]["quotas"]
    quota = {part["cluster_id"]: part["quota"] for part in by_share}
    assert sizes[most] > sizes[least] and quota[most] > quota[least]
    every = seeded("plan", options={})["detail"]["quotas"]
    assert all(part["quota"] == part["failures"] for part in every)


def test_the_prompt_is_what_the_job_would_send(seeded):
    prompt = seeded("plan", options={"per_failure": 7})["prompt"]
    failure = seeded.store.row("failure_card_of", failure_id=prompt["failure_id"])
    assert [request_["route"] for request_ in prompt["requests"]] == ["same_image", "new_image"]
    for asked in prompt["requests"]:
        assert f"Question: {failure['question']}" in asked["user"] and f"Model's answer: {failure['answer']}" in asked["user"]
        assert f"Route: {asked['route']}" in asked["user"] and "Number of samples: 7" in asked["user"]
    assert prompt["image"] == failure["image"]


@pytest.mark.parametrize(
    ("options", "word"), [({"per_failure": 0}, "per_failure"), ({"route": "sideways"}, "route"), ({"budget_usd": -1}, "budget_usd")]
)
def test_a_form_that_does_not_fit_is_named_in_words(seeded, options, word):
    assert word in seeded("plan", 422, options=options)["error"]


def test_the_funnel_narrows_and_agrees_with_the_states(seeded):
    job = seeded("job", job_id=JOB)
    funnel, store = job["funnel"], seeded.store
    assert job["job"]["status"] == "done" and funnel["parsed"] == 90
    assert job["asked"] >= funnel["parsed"] >= funnel["drawn"] >= funnel["judged"] >= funnel["passed"]
    statuses = {row["status"]: row["count"] for row in store.rows("samples_matching_by_status")}
    assert (funnel["pending"], funnel["failed"]) == (statuses["pending"], statuses["failed"])
    assert funnel["approved"] == statuses["approved"] and funnel["drawn"] == 90 - len(
        store.rows("samples_of_job", job_id=JOB, undrawn=True)
    )
    assert job["errors"][0]["reply"] == "Sure! Here are" and job["chain"] == []
    drawn = [row["image"] is not None for row in seeded("job", limit=1000)["latest"]]
    assert drawn == sorted(drawn, reverse=True) and len(drawn) == 90


def test_jobs_of_other_stages_are_not_shown_here(seeded):
    assert "there is no job 999" in seeded("job", 404, job_id=999)["error"]
    assert "finetune" in seeded("job", 404, job_id=7)["error"]


def test_only_other_machines_have_to_be_named(monkeypatch):
    local = ("pocket-teacher", "http://localhost:8000/v1", "http://127.0.0.1:1/v1", "http://[::1]:1/v1", "http://127.9.0.1/v1")
    assert [host_of(endpoint) for endpoint in local] == [None] * len(local)
    assert host_of("https://api.example.org/v1") == "api.example.org" and host_of("http://10.0.0.7:8000/v1") == "10.0.0.7"
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    assert draw.DrawOptions(generator="diffusers").host() is None
    assert draw.DrawOptions(generator="openai_images", model="gpt-image-1").host() == "api.openai.com"
    assert draw.DrawOptions(generator="openai_images", generator_options={"base_url": "http://gpu-box:8000/v1"}).host() == "gpu-box"


def test_a_chain_draws_what_the_job_made_and_nothing_else(tmp_path):
    """Through the route that the page uses, on the seeded generate job as it becomes done."""
    store, _, workspace = seeded_store(tmp_path / "seeded", 40, samples=80)
    jobs = JobManager(store, workspace, stage_class)
    jobs._closing = True  # jobs are queued, none is started: what would be drawn is what is looked at
    painter = {"generator": "openai_images", "model": "painter", "generator_options": {"base_url": "http://127.0.0.1:9/v1"}}
    steps = [
        chains.Step(stage="draw", options=painter, samples_of=0),
        chains.Step(stage="filter", options={"filters": ["image_quality"]}, samples_of=0),
    ]
    with store.write() as write:
        write.insert("setting", [chains.row(JOB, steps, "ada")])
    waiting = store.column("samples_of_job", job_id=JOB, undrawn=True)
    draw = chains.follow(jobs.store, JOB, jobs.launch)
    assert [int(row["key"]) for row in JobFolder(workspace.job(draw)).rows()] == waiting != []
    assert [step.stage for step in chains.view(store, JOB)] == ["draw", "filter"]
    filtering = chains.follow(jobs.store, draw, jobs.launch)
    assert {row["sample_id"] for row in JobFolder(workspace.job(filtering)).rows()} <= set(store.column("samples_of_job", job_id=JOB))
    by_hand = Api(store, workspace)("undrawn", job_id=JOB)  # what is left of a job that failed, say
    assert by_hand == {**painter, "budget_usd": None, "sample_ids": waiting}
    store.close()


@pytest.mark.timeout(900)
def test_a_launch_in_the_browser_brings_samples(tmp_path):
    executable()
    store, _, workspace = seeded_store(tmp_path / uuid.uuid4().hex, 60, samples=12)
    jobs = JobManager(store, workspace, stage_class)
    app = create_app(workspace, store, jobs, Settings(reviewer="ada"))
    cluster = store.rows("generate_clusters", round=1)[0]
    form = f"clusters={cluster['cluster_id']}&limit=3&route=same_image&then=0"
    with served(app) as address, chromium(f"{address}/?page=generate&{form}", expect_errors=True) as page:
        page.wait_for_selector("#page-generate .gen-prompt .mono")
        assert "Route: same_image" in page.locator("#page-generate .gen-prompt").inner_text()
        page.wait_for_selector("text=Generate 9 samples")
        page.fill("#gen-per", "2")
        page.wait_for_selector("text=Generate 6 samples")
        page.fill("#gen-per", "99")
        page.wait_for_selector("#page-generate .card.bad >> text=per_failure")
        page.fill("#gen-per", "2")
        page.wait_for_selector("text=Generate 6 samples")
        page.locator("#page-generate [data-job]").click(position={"x": 5, "y": 5})
        page.click("#page-generate [data-errors] >> text=See reply")
        page.wait_for_selector("dialog >> text=Sure! Here are")
        page.keyboard.press("Escape")
        page.keyboard.press("g")
        page.keyboard.press("b")
        page.wait_for_selector("#page-generate [data-launch] .btn:focus >> text=Generate 6 samples")
        assert "job=" not in page.url, "no key launches by itself"
        page.keyboard.press("Enter")
        page.wait_for_function("() => location.search.includes('job=')")
        job_id = int(page.url.rpartition("job=")[2])
        jobs.wait(job_id, 240)
        page.wait_for_selector("#page-generate [data-job-state] >> text=done")
        page.wait_for_function("() => document.querySelector('#page-generate .funnel .card .num')?.textContent === '6'")
        page.wait_for_selector("#page-generate [data-latest] .th")
        made = store.column("samples_of_job", job_id=job_id)
        assert 0 < len(made) <= 6
        assert {int(thumbnail.get_attribute("data-id")) for thumbnail in page.locator("#page-generate [data-latest] .th").all()} == set(
            made
        )
        assert store.row("job", job_id=job_id)["total"] == 3
    jobs.shutdown()
    store.close()


@pytest.mark.timeout(900)
def test_another_machine_is_named_and_asked_once(tmp_path):
    executable()
    store, _, workspace = seeded_store(tmp_path / uuid.uuid4().hex, 40, samples=5)
    jobs = JobManager(store, workspace, stage_class)
    jobs._closing = True  # nothing is started: no call goes out
    app = create_app(workspace, store, jobs, Settings(reviewer="ada"))
    with (
        served(app) as address,
        chromium(f"{address}/?page=generate&endpoint=http://frontier.invalid/v1&model=big&limit=1&then=0", 1024, 768, "dark") as page,
    ):
        launch = page.locator("#page-generate [data-launch] .btn.p:not([disabled])")
        launch.click()
        page.wait_for_selector("dialog >> text=frontier.invalid")
        page.click("dialog >> text=Cancel")
        assert not [row for row in store.rows("jobs", limit=20) if row["status"] == "queued"]
        launch.click()
        page.click("dialog .btn.p")
        page.wait_for_selector("#page-generate [data-job-state] >> text=queued")
        first = page.evaluate("new URLSearchParams(location.search).get('job')")
        launch.click()
        page.wait_for_function("first => ![null, first].includes(new URLSearchParams(location.search).get('job'))", arg=first)
        assert page.locator("dialog[open]").count() == 0
    assert {row["status"] for row in store.rows("jobs", limit=2)} == {"queued"}
    store.close()


def test_the_estimate_is_a_range_of_every_part_before_anything_was_asked(seeded):
    """From the real prompts: generating, judging and drawing each, and none of them guessed where there is no price."""
    workspace = seeded("choices")  # the routes work without any reply in the journal
    assert workspace["teachable"]
    options = {"endpoint": "pocket-teacher", "model": "pocket-teacher", "limit": 10}
    plan = seeded("plan", options=options, filter={"endpoint": "pocket-teacher", "model": "pocket-teacher"})
    for low, high in (plan["usd"], plan["filter_usd"]):
        assert 0 < low < high
    assert plan["filter_calls"] >= plan["samples"] > 0 and plan["draw_usd"] == [0.0, 0.0]
    unpriced = seeded("plan", options={**options, "model": "no-price"}, filter={"endpoint": "pocket-teacher", "model": "no-price"})
    assert unpriced["usd"] is None and unpriced["filter_usd"] is None and unpriced["filter_calls"] == plan["filter_calls"]
    paid = seeded("plan", options=options, draw={"generator": "openai_images", "model": "no-price"})
    assert paid["draw_usd"] is None


def test_an_image_generator_is_told_its_options(tmp_path):
    store, _, workspace = seeded_store(tmp_path / "seeded", 40, samples=5)
    app = create_app(workspace, store, JobManager(store, workspace, stage_class), Settings(reviewer="ada"))
    with served(app) as address, chromium(f"{address}/?page=generate&route=new_image&drawer=openai_images", expect_errors=True) as page:
        page.wait_for_selector("#page-generate >> text=draws with gpt-image-1 at api.openai.com, another machine")
        page.locator("#page-generate .plan-row", has_text="Image generator").get_by_role("button", name="Options").click()
        page.locator("dialog").get_by_label("Base url").fill("http://gpu-box:8000/v1")
        page.locator("dialog").get_by_label("Size").fill("512 square")
        page.locator("dialog .btn.p").click()
        page.wait_for_selector("#page-generate .card.bad >> text=size")
        page.locator("#page-generate .plan-row", has_text="Image generator").get_by_role("button", name="Options").click()
        page.locator("dialog").get_by_label("Size").fill("512x512")
        page.locator("dialog .btn.p").click()
        page.wait_for_selector("#page-generate >> text=at gpu-box, another machine")
        assert "1024x1024" not in page.url and "512x512" in page.url, "what differs from the defaults is kept"
    store.close()


def test_a_redraw_at_another_machine_is_asked_about_first(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://gpu-box:8000/v1")
    store, _, workspace = seeded_store(tmp_path / "seeded", 40, samples=60)
    (sample, *_) = store.rows("samples_of_job", job_id=JOB, undrawn=False)
    jobs = JobManager(store, workspace, stage_class)
    app = create_app(workspace, store, jobs, Settings(reviewer="ada"))
    options = {"generator": "openai_images", "sample_ids": [sample["sample_id"]]}
    assert jobs.estimate_view("draw", options).host == "gpu-box"
    assert jobs.estimate_view("draw", {**options, "generator": "diffusers"}).host is None
    before = len(jobs.latest())
    with served(app) as address, chromium(f"{address}/?page=review&sample={sample['sample_id']}") as page:
        page.locator("#page-review button", has_text="Redraw").first.click()
        page.locator("dialog summary", has_text="Options").click()
        page.locator("dialog").get_by_label("Generator", exact=True).select_option("openai_images")
        page.wait_for_selector("dialog >> text=unpriced")
        page.locator("dialog .btn.p", has_text="Draw").click()
        page.wait_for_selector("dialog >> text=Send to gpu-box?")
        page.locator("dialog", has_text="Send to gpu-box?").last.locator("text=Cancel").click()
        page.wait_for_function("() => document.querySelectorAll('dialog[open]').length === 1")
        assert len(jobs.latest()) == before
    store.close()


@pytest.mark.timeout(180)
def test_a_drawing_server_keeps_its_address(tmp_path):
    """What was drawn with before is offered with its address, not OpenAI's; a new one's can be typed."""
    executable()
    store, _, workspace = seeded_store(tmp_path / "seeded", 40, samples=5)
    jobs = JobManager(store, workspace, stage_class)
    jobs._closing = True  # nothing is started: no call goes out
    own = {"base_url": "http://127.0.0.1:9/v1", "api_key_env": "PAINTER_API_KEY"}
    job = {"options": {"generator": "openai_images", "model": "painter", "generator_options": own}, "round": 1, "lane": "api"}
    with store.write() as write:
        write.insert("job", [{**job, "stage": "draw", "status": "done", "total": 1, "done": 1, "author": "ada"}])
    app = create_app(workspace, store, jobs, Settings(reviewer="ada"))
    with served(app) as address, chromium(f"{address}/?page=generate&limit=1") as page:
        chosen = page.locator("#page-generate select[title='Image generator']")
        chosen.select_option(label="painter at 127.0.0.1:9")
        page.wait_for_selector("#page-generate [data-estimate] >> text=draws with painter on this machine")
        chosen.select_option(label="Another model…")
        page.locator("#page-generate .plan-row", has_text="Image generator").get_by_role("button", name="Options").click()
        page.locator("dialog").get_by_label("Base url").fill("http://gpu-box:8000/v1")
        page.locator("dialog .btn.p").click()
        page.wait_for_selector("#page-generate [data-estimate] >> text=draws with painter at gpu-box, another machine")
        chosen.select_option(label="painter at 127.0.0.1:9")
        page.wait_for_selector("#page-generate [data-estimate] >> text=draws with painter on this machine")
        page.locator("#page-generate [data-launch] .btn.p:not([disabled])").click()
        page.wait_for_function("() => location.search.includes('job=')")
    launched = store.rows("jobs", limit=1)[0]["job_id"]
    assert chains.of(store, launched).steps[0].options["generator_options"] == own
    store.close()
