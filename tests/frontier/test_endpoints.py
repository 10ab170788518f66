"""Frontier endpoints with names: the file, what stands over what, the flags, the page."""

import argparse

import pytest
from pydantic import ValidationError

from curation import config
from curation.commands.app_client import CommandFailed, check_settings
from curation.commands.flags import add_flags, validated
from curation.config import BadSettings, keep
from curation.frontier import endpoints
from curation.frontier.client import open_client
from curation.frontier.options import FrontierOptions
from curation.stages import STAGES, stage_class
from tests.support.browser import chromium, executable, served
from tests.support.page_api import client_of

FILE = """# mine
MISTAKEBOOK_PORT = 7861

[frontier.cheap]  # the box under the desk
endpoint = "http://gpu-box:8000/v1"
model = "small"
api_key_env = "BOX_KEY"
concurrency = 64
max_pixels = 500000
detail = "low"

[frontier.strong]
endpoint = "https://api.example.org/v1"
model = "large"

[stages]
filter = "cheap"
"""


@pytest.fixture
def file(home, monkeypatch):
    for name in ("OPENAI_BASE_URL", "MISTAKEBOOK_MODEL", "MISTAKEBOOK_BUDGET_USD", "MISTAKEBOOK_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(config, "_set_on_page", {})
    home.mkdir(parents=True)
    (home / "config.toml").write_text(FILE)
    return home / "config.toml"


def options(stage, **given):
    return stage_class(stage).Options(**given)


def asks(found):
    return found.endpoint, found.model, found.api_key_env, found.concurrency


CHEAP = ("http://gpu-box:8000/v1", "small", "BOX_KEY", 64)


def test_the_stages_that_ask_are_those_with_a_frontier_in_their_options():
    asking = {name for name in STAGES if issubclass(stage_class(name).Options, FrontierOptions)}
    assert asking == {*endpoints.ASKING, "compare_prompts", "generate_untargeted", "kinds"}
    own = asking - {"generate_untargeted", "kinds"}  # as generate and diagnose; compare_prompts as the stage of its prompt
    assert all(name == stage_class(name).Options.STAGE for name in own)  # by this name its own endpoint is found
    assert stage_class("generate_untargeted").Options.STAGE == "generate"
    assert stage_class("kinds").Options.STAGE == "diagnose"


def test_flags_stand_over_the_named_endpoint_and_that_over_the_stages_own(file):
    assert asks(options("filter")) == CHEAP and options("filter").endpoint_options == {"max_pixels": 500000, "detail": "low"}
    assert asks(options("diagnose")) == ("pocket-teacher", "pocket-teacher", "OPENAI_API_KEY", 16)
    assert asks(options("filter", frontier="strong")) == ("https://api.example.org/v1", "large", "OPENAI_API_KEY", 16)
    mixed = options("diagnose", frontier="cheap", model="other", concurrency=3, endpoint_options={"detail": "high"})
    assert asks(mixed) == ("http://gpu-box:8000/v1", "other", "BOX_KEY", 3)
    assert mixed.endpoint_options == {"max_pixels": 500000, "detail": "high"}


def test_another_address_gets_nothing_that_was_meant_for_the_stages_own(file):
    chosen = options("filter", endpoint="http://elsewhere/v1", model="m")
    assert asks(chosen) == ("http://elsewhere/v1", "m", "OPENAI_API_KEY", 16) and chosen.endpoint_options == {} and chosen.frontier is None


def test_a_job_stays_as_it_was_launched(file):
    before = options("filter").model_dump(mode="json")
    file.write_text("")
    assert asks(options("filter", **before)) == CHEAP  # resumed, its endpoint's table being gone
    old = {name: before[name] for name in ("endpoint", "model", "api_key_env", "concurrency", "budget_usd")}  # launched before this was
    assert asks(options("filter", **old)) == CHEAP


def test_the_client_gets_the_endpoints_settings(file, workspace):
    with open_client(options("filter"), workspace) as client:
        chosen = client.options
    assert (chosen.endpoint, chosen.model, chosen.concurrency, chosen.max_pixels, chosen.detail) == (*CHEAP[:2], 64, 500000, "low")


def test_the_environment_is_an_endpoint_too(file, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://vllm:8000/v1")
    assert options("diagnose").endpoint == options("filter", frontier="environment").endpoint == "http://vllm:8000/v1"
    assert asks(options("filter")) == CHEAP
    assert options("filter", frontier="pocket-teacher").endpoint == "pocket-teacher"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[frontier.x]\nmodel = "m"', r"config.toml: \[frontier.x\] endpoint: field required"),
        ('[frontier.x]\nendpoint = "http://a/v1"\nmodel = "m"\ncolour = 3', r"\[frontier.x\] colour is not a setting .*max_pixels"),
        ('[frontier.x]\nendpoint = "http://a/v1"\nmodel = "m"\nconcurrency = 0', r"\[frontier.x\] concurrency: .*greater"),
        (
            '[frontier.x]\nendpoint = "http://a/v1"\nmodel = "m"\napi_key_env = "sk-live-1234"',
            r"api_key_env: expected the name .* never the key",
        ),
        ('frontier = "http://a/v1"', r"frontier is str; expected a table"),
        ("[frontier]\nx = 3", r"frontier.x is int; expected a table, \[frontier.x\]"),
        ('[stages]\nfilter = "nobody"', r"\[stages\] filter is 'nobody'.*there are: pocket-teacher"),
        ('[stages]\nfinetune = "pocket-teacher"', r"\[stages\] finetune: no stage .*diagnose, cluster, generate, filter"),
        ("[other]\na = 1", r"config.toml: other is dict; expected a text or a number"),
        ("[frontier", r"config.toml: "),
    ],
)
def test_bad_entries_name_file_and_key(file, text, words):
    file.write_text(text)
    with pytest.raises(BadSettings, match=words) as raised:
        check_settings()
    assert "sk-live" not in str(raised.value)


def test_an_unknown_name_or_setting_is_refused_in_words(file):
    with pytest.raises(ValidationError, match="no frontier endpoint is called 'x'; there are: pocket-teacher, cheap, strong"):
        options("generate", frontier="x")
    with pytest.raises(ValidationError, match="colour is not a setting of an endpoint"):
        options("generate", endpoint_options={"colour": 1})
    with pytest.raises(ValidationError, match="api_key_env"):
        options("generate", api_key_env="sk-live-1234")


@pytest.mark.parametrize("stage", endpoints.ASKING)
def test_every_stage_that_asks_has_the_flags(file, stage):
    made = argparse.ArgumentParser()
    add_flags(made, stage_class(stage).Options)
    line = "--endpoint http://a/v1 --model m --api-key-env MY_API_KEY --concurrency 5 --budget 2.5"
    line += " --endpoint-options max_pixels=4096 detail=low"
    chosen = validated(stage_class(stage).Options, made.parse_args(line.split()))
    assert [chosen[name] for name in ("endpoint", "model", "api_key_env", "concurrency", "budget_usd")] == [
        "http://a/v1",
        "m",
        "MY_API_KEY",
        5,
        2.5,
    ]
    assert chosen["endpoint_options"] == {"max_pixels": 4096, "detail": "low"}
    chosen = validated(stage_class(stage).Options, made.parse_args(["--frontier", "strong", "--model", "larger"]))
    assert (chosen["frontier"], chosen["endpoint"], chosen["model"]) == ("strong", "https://api.example.org/v1", "larger")
    with pytest.raises(CommandFailed, match="no frontier endpoint is called 'x'"):
        validated(stage_class(stage).Options, made.parse_args(["--frontier", "x"]))


def test_edits_keep_what_else_the_owner_wrote(file, monkeypatch):
    endpoints.save("box", {**endpoints.read().named["cheap"], "detail": None, "concurrency": 8}, former="cheap")
    endpoints.use("diagnose", "strong")
    keep("MISTAKEBOOK_BUDGET_USD", "3")
    text = file.read_text()
    assert text.startswith("# mine\nMISTAKEBOOK_PORT = 7861") and "detail" not in text
    registered = endpoints.read()
    assert registered.stages == {"filter": "box", "diagnose": "strong"} and registered.named["box"]["concurrency"] == 8
    assert config.read()["MISTAKEBOOK_BUDGET_USD"] == "3"  # not inside the last table
    endpoints.remove("box")
    assert endpoints.read().own == ("strong",) and endpoints.read().stages == {"diagnose": "strong"}
    endpoints.use("diagnose", None)
    assert endpoints.read().stages == {}
    for name, values, words in (("a b", {}, "letters"), ("strong", {}, "already"), ("new", {"model": "m"}, "endpoint: field required")):
        with pytest.raises(BadSettings, match=words):
            endpoints.save(name, values)
    before = file.read_text()
    file.write_text(before + "[broken")
    with pytest.raises(BadSettings):
        keep("MISTAKEBOOK_BUDGET_USD", "4")
    assert file.read_text() == before + "[broken"


def test_an_endpoint_is_added_tested_and_given_to_a_stage_on_the_page(home, tmp_path, monkeypatch):
    executable()
    from curation.config import Settings
    from curation.jobs.manager import JobManager
    from curation.ui.server.app import create_app
    from tests.support.seed import seeded_store

    for name in ("OPENAI_BASE_URL", "MISTAKEBOOK_MODEL"):
        monkeypatch.delenv(name, raising=False)
    store, _, workspace = seeded_store(tmp_path / "seeded", 60, samples=10)
    endpoints.save("qwen", {"endpoint": "http://127.0.0.1:9/v1", "model": "qwen"})
    jobs = JobManager(store, workspace, stage_class)
    jobs._closing = True  # jobs are queued, none is started
    app = create_app(workspace, store, jobs, Settings(reviewer="ada"))
    with served(app) as address, chromium(f"{address}/?page=data", expect_errors=True) as page:
        page.wait_for_selector("#page-data [data-endpoint=pocket-teacher] >> text=built-in")
        page.wait_for_selector("#page-data [data-endpoint=qwen] >> text=qwen at 127.0.0.1:9")
        page.keyboard.press("e")
        page.fill("dialog #endpoint-name", "cheap")
        page.fill("dialog .field:has(label:text-is('Model')) input", "pocket-teacher")
        page.click("dialog .foot .btn.p")
        page.wait_for_selector("dialog .err >> text=endpoint: field required")
        page.fill("dialog .field:has(label:text-is('Endpoint')) input", "pocket-teacher")
        page.fill("dialog .field:has(label:text-is('Max pixels')) input", "65536")
        page.click("dialog .btn:text-is('Test')")
        page.wait_for_selector("dialog .outcome.ok >> text=sees images")
        page.click("dialog .foot .btn.p")
        page.wait_for_selector("#page-data [data-endpoint=cheap] >> text=max pixels 65536")
        page.select_option("#page-data .stages select[title='diagnose asks']", "cheap")
        page.wait_for_selector("#page-data [data-endpoint=cheap] .chip >> text=diagnose")
        page.click("#page-data [data-endpoint=cheap] .btn:text-is('Test')")
        page.wait_for_selector("#page-data [data-outcome=cheap].ok")
        assert endpoints.read().named["cheap"] == {"endpoint": "pocket-teacher", "model": "pocket-teacher", "max_pixels": 65536}
        # a launch asks the stage's own unless another is picked
        page.goto(f"{address}/?page=failures")
        page.evaluate(
            "import('/ui/shared/launch_dialog.js').then(m => { m.launch('diagnose', {again: true, limit: 2}, {title: 'Diagnose'}) })"
        )
        page.wait_for_selector("dialog select[title='Frontier endpoint']")
        assert page.input_value("dialog select[title='Frontier endpoint']") == "cheap"
        page.click("dialog .foot .btn.p")
        page.wait_for_selector("dialog", state="detached")
        page.goto(f"{address}/?page=generate&frontier=cheap&judge=pocket-teacher&limit=1")
        page.click("#page-generate [data-launch] .btn.p:not([disabled])")
        page.wait_for_function("() => location.search.includes('job=')")
    rows = client_of(app).get("/api/jobs").json()[:2]
    assert [(job["stage"], job["options"]["frontier"], job["options"]["endpoint_options"]) for job in rows] == [
        ("generate", "cheap", {"max_pixels": 65536}),
        ("diagnose", "cheap", {"max_pixels": 65536}),
    ]
    from curation.jobs import chains

    steps = chains.of(store, rows[0]["job_id"]).steps
    assert [step.options.get("frontier") for step in steps if step.stage == "filter"] == ["pocket-teacher"]
    jobs.shutdown()
    store.close()
