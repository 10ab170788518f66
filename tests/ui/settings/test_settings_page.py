"""The Settings page: what a filter's preview says against what happens, prices, budget, backups, workspaces, disk; and in Chromium."""

import json
import random
from collections import Counter
from pathlib import Path

import pytest

from curation import config
from curation.config import Settings
from curation.frontier.options import FrontierOptions
from curation.jobs.manager import JobManager
from curation.stages import stage_class
from curation.ui.server.app import create_app
from curation.workspaces import backups
from data.workspace import Workspace
from tests.support.browser import chromium, executable, served
from tests.support.page_api import PageApi
from tests.support.seed import seeded_store


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    store, _, workspace = seeded_store(home / "seeded", 80, samples=120)
    with store.write() as write:
        rows = [("judge", 0, 3.0, "at_least"), ("duplicate", 1, 0.9, "at_most"), ("leakage", 2, 0.9, "at_most")]
        have = {row["filter"] for row in store.rows("filters")}
        new = [
            dict(zip(("filter", "bit", "threshold", "comparison"), row)) | {"enabled": True, "author": "seed"}
            for row in rows
            if row[0] not in have
        ]
        write.insert("filter_setting", new)
        write.touch_all()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MISTAKEBOOK_HOME", str(home))
        patch.setenv(config.BUDGET, "")
        patch.setattr(config, "_set_on_page", {})
        yield create_app(workspace, store, JobManager(store, workspace, stage_class), Settings(reviewer="ada")), store, workspace
    store.close()


@pytest.fixture(scope="module")
def post(world):
    return PageApi(world[0], "settings")


def statuses(store):
    return {row["sample_id"]: row["status"] for row in store.rows("statuses_by_sample")}


@pytest.fixture(autouse=True)
def queries(monkeypatch):
    from data import queries

    texts = {**queries._texts(), "statuses_by_sample": "SELECT sample_id, status::TEXT AS status FROM sample_state"}
    monkeypatch.setattr(queries, "_texts", lambda: texts)


def rule(store, conditions):
    with store.write() as write:
        write.insert("auto_rule", [{"conditions": conditions, "author": "ada", "evidence": {"target": 0.9}}])
        write.touch_judged()


def test_what_a_change_is_said_to_move_is_what_moves(world, post):
    store, rng = world[1], random.Random(4)
    first = [{name: row[name] for name in ("filter", "enabled", "threshold")} for row in store.rows("filters")]
    names = [row["filter"] for row in first]
    moved, ruled = 0, False
    for turn in range(18):
        if turn == 9:  # from here on a rule approves by itself
            for setting in first:
                post("filter", **setting)
            rule(store, [{"filter": "judge", "comparison": "at_least", "threshold": 3}])
        wanted = {"filter": rng.choice(names), "enabled": rng.random() < 0.7, "threshold": rng.choice([0.2, 0.5, 0.85, 0.95, 2, 3])}
        if wanted["filter"] == "leakage":  # it can't be loosened
            wanted |= {"enabled": True, "threshold": min(wanted["threshold"], 0.95)}
        preview = post("filter_preview", **wanted)
        before = statuses(store)
        post("filter", **wanted)
        after = statuses(store)
        real = Counter((before[i], after[i]) for i in before if before[i] != after[i])
        assert {(move["before"], move["after"]): move["samples"] for move in preview["moves"]} == dict(real)
        moved += preview["samples"]
        ruled = ruled or "auto_approved" in Counter(after.values())
    rule(store, None)
    assert moved > 20 and ruled
    assert store.rows("filter_history")[0]["author"] == "ada"
    for change in ({"enabled": False, "threshold": 0.9}, {"enabled": True, "threshold": 1}):
        assert "approved in bulk" in post("filter", 409, filter="leakage", **change)["error"]
    assert "there are: " in post("filter_preview", 404, filter="nope", enabled=True, threshold=1)["error"]


def test_prices_are_checked_before_they_are_written(world, post):
    file = world[2].prices
    prices = post("prices", models={"gpt-x": {"input": 2, "output": 8, "cached": None}})
    assert json.loads(file.read_text())["models"] == {"gpt-x": {"input": 2, "output": 8}}
    assert {row["model"] for row in prices["prices"]} == {"gpt-x", "pocket-teacher"}
    assert "gpt-x" in post("prices", 400, models={"gpt-x": {"input": -1, "output": 8}})["error"]
    assert post("prices", 400, models={"": {"input": 1, "output": 8}})["error"].startswith("a price has no model")
    assert json.loads(file.read_text())["models"]["gpt-x"]["input"] == 2 and not file.with_suffix(".new").exists()


def test_a_budget_holds_for_new_jobs_and_later_apps(world, post):
    assert post("budget", usd=2.5)["budget"] == 2.5
    assert FrontierOptions().budget_usd == 2.5
    config = world[2].root.parent / "config.toml"
    assert 'MISTAKEBOOK_BUDGET_USD = "2.5"' in config.read_text()
    assert post("budget")["budget"] is None and FrontierOptions().budget_usd is None and config.read_text() == ""


def test_how_often_backups_are_made_is_a_setting(world, post):
    assert post("overview")["backup_hours"] == 24
    assert post("backup_hours", hours=6)["hours"] == 6 == post("overview")["backup_hours"]
    assert config.variables().backup_hours == 6
    assert "hours" in str(post("backup_hours", 422, hours=-1)) and post("backup_hours", hours=24)["hours"] == 24


def test_backups_are_listed_and_can_be_restored(world, post, tmp_path):
    made = post("backup")
    (listed,) = post("overview")["backups"]
    assert (listed["name"], listed["rows"], listed["whole"]) == (made["name"], made["rows"], True)
    restored = Workspace(tmp_path / "restored")
    backups.restore(world[2].backups / made["name"], restored)
    assert restored.store.exists()


def test_workspaces_are_made_and_archived(world, post):
    assert post("new_workspace", name="second")["name"] == "second"
    assert post("overview")["workspace"]["all"] == ["second", "seeded"]
    assert "already" in post("new_workspace", 409, name="second")["error"]
    assert "letters" in post("new_workspace", 409, name="../x")["error"]
    assert "open here" in post("archive", 409, name="seeded")["error"]
    folder = post("archive", name="second")["folder"]
    assert Path(folder, "store.duckdb").exists() and post("overview")["workspace"]["all"] == ["seeded"]


def test_cleaning_frees_what_it_said(world, post):
    store, workspace = world[1], world[2]
    sha = store.rows("data_pictures", each=1)[0]["image"]
    assert post.client.get(f"/media/{sha}/thumb").status_code == 200
    folder = workspace.job(1)
    folder.mkdir(parents=True)
    (folder / "input.jsonl").write_text("x" * 1000)
    (folder / "log.txt").write_text("kept")
    usage = post("disk")
    assert usage["freeable"]["thumbnails"] > 0 and usage["parts"]["store"] > 0
    assert post("clean", what="thumbnails")["freed"] == usage["freeable"]["thumbnails"]
    assert post("clean", what="jobs")["freed"] == 0  # the job ended at no time that is known to be a week ago
    assert post.client.get(f"/media/{sha}/thumb").status_code == 200
    assert "there are" in post("clean", 409, what="store")["error"]


def test_a_threshold_is_moved_on_the_page(world, post):
    executable()
    app, store, _ = world
    post("filter", filter="duplicate", enabled=True, threshold=0.9)
    with served(app) as address, chromium(f"{address}/?page=settings") as page:
        page.wait_for_selector("#page-settings .filter")
        number = page.locator(".filter:has(b:text-is('duplicate')) input[type=number]")
        number.fill("0.31")
        page.wait_for_selector(".filter .moves:visible >> text=would change status")
        page.click(".filter .moves:visible >> text=Apply")
        page.wait_for_selector("text=at most 0.31")
        judge = page.locator(".filter:has(b:text-is('judge'))")
        judge.locator("text=/[0-9,]+ to judge · free/").wait_for()
        judge.locator("button:text('Run…')").click()
        dialog = page.locator("dialog[open]")
        dialog.locator("tbody td").first.wait_for()
        assert dialog.locator("tbody td").all_inner_texts()[:2] == ["judge", "frontier"]
        dialog.locator("text=Cancel").click()
        assert page.locator("[aria-label='leakage on']").is_disabled() and page.locator("[aria-label='judge on']").is_enabled()
        page.click("#page-settings >> text=Dark")
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert next(row["threshold"] for row in store.rows("filters") if row["filter"] == "duplicate") == 0.31
