"""Versions of prompts: kept, put to use and taken back; a job asks by the one in use when it began."""

import json

import pytest

from curation.frontier.client import open_client
from curation.frontier.options import FrontierOptions
from curation.jobs.job_folder import JobFolder
from curation.jobs.manager import JobManager
from curation.prompts import templates, versions
from curation.prompts.requests import proposal_request
from curation.prompts.templates import Prompts, parts, shipped
from curation.prompts.validation import BadPrompt
from curation.stages import stage_class
from curation.stages.cluster import ClusterOptions
from curation.stages.diagnose import DiagnoseOptions
from curation.stages.filter import FilterOptions
from curation.stages.generate import GenerateOptions
from curation.workspaces import backups
from data.store import Store
from data.workspace import Workspace
from tests.support.seed import seeded_store


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    store, _, workspace = seeded_store(tmp_path_factory.mktemp("home") / "seeded", 60, samples=40)
    yield store, workspace
    store.close()


def test_versions_are_kept_and_the_one_in_use_can_be_taken_back(world):
    store, _ = world
    system, user = parts(shipped("judge").text)
    with pytest.raises(BadPrompt) as bad:
        versions.save(store, "judge", system, user.replace("{{ answer }}", ""), "", "ada")
    assert "{{ answer }} is missing" in str(bad.value)
    first = versions.save(store, "judge", system + "\nBe strict.", user, "stricter", "ada")
    assert versions.in_use(store, "judge") == shipped("judge").version  # saving puts nothing to use
    assert versions.use(store, "judge", first[:6], "ada") == first == versions.in_use(store, "judge")
    second = versions.save(store, "judge", system + "\nBe kind.", user, "kinder", "bob")
    assert versions.save(store, "judge", system + "\nBe strict.  \r\n", user, "again", "bob") == first  # the same text
    rows = {row.version: row for row in versions.history(store, "judge")}
    assert next(iter(rows)) == second and set(rows) == {first, second, shipped("judge").version}
    assert (rows[first].note, rows[first].author, rows[first].in_use) == ("stricter", "ada", True)
    kinds = [line.kind for line in versions.difference(shipped("judge").text, versions.text_of(store, "judge", first))]
    assert kinds.count("new") == 1 and "gone" not in kinds
    versions.use(store, "judge", "shipped", "ada")
    assert versions.in_use(store, "judge") == shipped("judge").version
    for name, version in (("judge", "ffffff"), ("judge", ""), ("none", "shipped")):
        with pytest.raises(versions.UnknownPrompt):
            versions.use(store, name, version, "ada")


def test_versions_come_back_with_a_backup(world, tmp_path):
    store, workspace = world
    system, user = parts(shipped("title").text)
    version = versions.save(store, "title", system + " In English.", user, "", "ada")
    versions.use(store, "title", version, "ada")
    backups.restore(backups.backup(store, workspace, tmp_path / "backup"), Workspace(tmp_path / "again"))
    restored = Store(tmp_path / "again" / "store.duckdb")
    assert versions.in_use(restored, "title") == version
    assert "In English." in versions.text_of(restored, "title", version)
    restored.close()
    versions.use(store, "title", "shipped", "ada")


@pytest.mark.parametrize("options", [DiagnoseOptions, GenerateOptions, ClusterOptions, FilterOptions])
def test_every_stage_that_asks_pins_the_versions_that_it_asks_by(world, options):
    pinned = versions.pinned(world[0], options())
    assert pinned.prompts == {name: versions.in_use(world[0], name) for name in options.PROMPTS} and pinned.prompts
    assert isinstance(pinned, FrontierOptions)
    with pytest.raises(versions.UnknownPrompt):
        versions.pinned(world[0], options(prompts={"nothing": "shipped"}))


def test_a_job_asks_by_the_version_in_use_and_says_so(tmp_path):
    """Also when another one is put to use before it is resumed: its folder holds the texts."""
    store, _, workspace = seeded_store(tmp_path / "w", 40, samples=0)
    jobs = JobManager(store, workspace, stage_class)
    system, user = parts(shipped("proposal").text)
    version = versions.save(store, "proposal", system + "\nA word that only this version has.", user, "", "ada")
    versions.use(store, "proposal", version, "ada")
    asked = {"limit": 3, "route": "same_image", "difficulty": "harder"}
    job_id = jobs.launch("generate", asked, "ada")
    versions.use(store, "proposal", "shipped", "ada")
    ended = jobs.wait(job_id, 240)
    assert ended.status == "done" and ended.options["prompts"] == {"proposal": version}
    spec = json.loads((workspace.job(job_id) / "spec.json").read_text())
    assert spec["options"]["prompts"] == {"proposal": version}
    assert "only this version has" in Prompts.of_job(workspace.job(job_id)).texts["proposal"]
    options, rows = GenerateOptions(**asked), list(JobFolder(workspace.job(job_id)).rows())
    with open_client(options, workspace) as client:
        by = [versions.prompts_for(store, ("proposal",), {"proposal": chosen}) for chosen in (version, "shipped")]
        unpaid = []
        for prompts in by:
            asked_again = [proposal_request(row, options.per_failure, options.difficulty, prompts, options.contrasts) for row in rows]
            unpaid.append(client.estimate(asked_again, 3).calls)
    assert unpaid == [0, 3]  # what was asked by the version is in the journal; by the shipped one nothing was
    assert store.column("difficulties") == ["harder"]
    used = {row.version: row.jobs for row in versions.history(store, "proposal")}
    assert used[version] == 1
    jobs.shutdown()
    store.close()


@pytest.fixture(autouse=True)
def queries(monkeypatch):
    from data import queries

    texts = {**queries._texts(), "difficulties": "SELECT DISTINCT difficulty FROM sample WHERE difficulty IS NOT NULL"}
    monkeypatch.setattr(queries, "_texts", lambda: texts)


def test_versions_are_hashes_of_the_text_alone(tmp_path, monkeypatch):
    """What a file says about itself may change without making another prompt of it."""
    text = (templates.FOLDER / "judge.md").read_text(encoding="utf-8")
    (tmp_path / "judge.md").write_text(text.replace("Title: Judge", "Title: The judge"), encoding="utf-8")
    version = shipped("judge").version
    monkeypatch.setattr(templates, "FOLDER", tmp_path)
    assert shipped.__wrapped__("judge").version == version and shipped.__wrapped__("judge").title.startswith("The judge")
