"""The evidence bundle: its figures must follow from its pairs, and nothing that a dataset wrote may become HTML."""

import csv
import io
import json
import zipfile

import pytest
from fastapi.testclient import TestClient

from curation.config import Settings
from curation.jobs.manager import JobManager
from curation.stages import stage_class
from curation.ui.server.app import create_app
from tests.support.seed import seeded_store


def test_figures_follow_from_the_pairs(tmp_path):
    store, _, workspace = seeded_store(tmp_path / "seeded", 80, samples=30)
    with store.write() as write:
        row = {"name": "<script>x</script>", "metric": "exact_match", "threshold": 0.5, "prompt_suffix": "", "answer_form": ""}
        write.insert("dataset", [row])
    app = create_app(workspace, store, JobManager(store, workspace, stage_class), Settings(), headless=True)
    client = TestClient(app, base_url="http://127.0.0.1")
    answer = client.get("/api/results/evidence.zip", params={"before": "pocket-llava", "after": "run 1"})
    assert answer.status_code == 200, answer.text
    file = zipfile.ZipFile(io.BytesIO(answer.content))
    results = json.loads(file.read("results.json"))
    pairs = list(csv.DictReader(io.StringIO(file.read("pairs.csv").decode())))
    assert len(pairs) == results["examples"] > 0
    for side in ("before", "after"):
        assert sum(float(pair[f"{side}_strict"]) for pair in pairs) / len(pairs) == pytest.approx(results["overall"][side])
    fixed = [pair for pair in pairs if float(pair["before_strict"]) < 0.5 <= float(pair["after_strict"])]
    assert len(fixed) == results["fixed"]
    settings = json.loads(file.read("settings.json"))
    assert settings["run"]["samples"] == 10 and "diagnosis.md" in settings["prompts"]
    assert f"prompts/{next(iter(settings['prompts']))}" in file.namelist()
    report = file.read("report.html").decode()
    assert "pocket-llava → run 1" in report and "<script" not in report and "http" not in report
    assert "no checkpoint 'x'" in client.get("/api/results/evidence.zip", params={"before": "x", "after": "run 1"}).json()["error"]
    store.close()
