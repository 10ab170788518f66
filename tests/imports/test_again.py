"""A dataset that is imported under its name again: told what differs, then done as asked; and predictions follow (cases/import-again)."""

import json

import pytest

from curation import checkpoints
from curation.imports import datasets
from curation.jobs.manager import JobManager
from curation.stages import stage_class
from data.store import Store
from data.workspace import Workspace
from tests.support.official_layouts import picture, put
from tests.support.stores import log

V1 = [("q0", "red", "train"), ("q1", "greeen", "train"), ("q2", "blue", "train"), ("q3", "yellow", "eval")]
V2 = [("q0", "red", "train"), ("q1", "green", "train"), ("q2", "blue", "train"), ("q3", "yellow", "eval"), ("q9", "red", "train")]


def listed(path, rows, question="What color is the circle?"):
    for i in range(4):
        put(path.parent / f"p/{i}.png", picture(i))
    told = [
        {"id": name, "image": f"p/{int(name[1:]) % 4}.png", "question": question, "answers": [gold], "split": split}
        for name, gold, split in rows
    ]
    return put(path, "\n".join(map(json.dumps, told)))


def failing(store):
    """The ids of the examples that are failures, and whose state says so."""
    names = {row["example_id"]: row["external_id"] for row in log(store, "example")}
    told = {names[row["example_id"]] for row in log(store, "failure")}
    assert told == {names[row["example_id"]] for row in log(store, "failure_state")}
    return told


@pytest.fixture
def here(tmp_path):
    workspace = Workspace(tmp_path / "w")
    workspace.root.mkdir()
    store = Store(workspace.store)
    jobs = JobManager(store, workspace, stage_class)

    def run(stage="import", **options):
        return jobs.wait(jobs.launch(stage, options, "ada"), 200)

    run.store, run.folder = store, tmp_path
    yield run
    jobs.shutdown()
    store.close()


def test_imported_again(here):
    v1, v2 = listed(here.folder / "v1.jsonl", V1), listed(here.folder / "v2.jsonl", V2)
    assert here(format="jsonl", source={"path": str(v1), "name": "set"}).status == "done"
    answers = [("q0", "blue"), ("q1", "green"), ("q2", "blue"), ("q3", "pink")]
    preds = put(here.folder / "preds.jsonl", "\n".join(json.dumps({"id": name, "answer": answer}) for name, answer in answers))
    here("import_predictions", path=str(preds), dataset="set", checkpoint="theirs")
    assert failing(here.store) == {"q0", "q1"}

    again = {"format": "jsonl", "source": {"path": str(v2), "name": "set"}}
    refused = here(**again)
    assert refused.status == "failed"
    assert "1 new (q9), 1 changed (q1), 0 gone, 3 as they were. Nothing was imported" in refused.message
    assert len(datasets.items(here.store, "set")) == 4

    added = here(**again, again="add")
    assert "imported again: 1 new (q9), 1 changed (q1)" in added.message
    assert {item.external_id: item.golds for item in datasets.items(here.store, "set")}["q1"] == ("greeen",)

    source = again["source"] | {"metric": "vqa_accuracy", "threshold": 0.9}
    replaced = here(format="jsonl", source=source, again="replace")
    assert replaced.status == "done", replaced.message
    assert "metric 'exact_match' → 'vqa_accuracy'" in replaced.message and "threshold 0.5 → 0.9" in replaced.message
    found = datasets.find(here.store, "set")
    assert (found.metric, found.threshold) == ("vqa_accuracy", 0.9)

    back = here(format="jsonl", source=again["source"], again="replace")
    assert "answers have another score" in back.message
    assert failing(here.store) == {"q0"}
    assert len(log(here.store, "failure_before")) > 0 and len(log(here.store, "rescoring")) > 0


def test_nothing_new_is_no_fault(here):
    path = listed(here.folder / "v1.jsonl", V1)
    source = {"format": "jsonl", "source": {"path": str(path), "name": "set"}}
    here(**source)
    assert "0 new, 0 changed, 0 gone, 4 as they were" in here(**source).message
    assert here(**source, again="refuse").status == "done"


def test_another_question_is_asked_anew_and_a_longer_list_is_added(here):
    here(format="jsonl", source={"path": str(listed(here.folder / "v1.jsonl", V1)), "name": "set"})
    preds = put(here.folder / "preds.jsonl", "\n".join(json.dumps({"id": f"q{i}", "answer": "pink"}) for i in range(4)))
    here("import_predictions", path=str(preds), dataset="set", checkpoint="theirs")
    longer = here(format="jsonl", source={"path": str(listed(here.folder / "v.jsonl", [*V1, ("q9", "red", "train")])), "name": "set"})
    assert longer.status == "done" and "1 new (q9), 0 changed" in longer.message
    other = listed(here.folder / "w.jsonl", V1[:3], "Which colour is it?")
    replaced = here(format="jsonl", source={"path": str(other), "name": "set"}, again="replace")
    assert "3 changed (q0, q1, q2), 1 gone (q9)" in replaced.message
    assert "3 answers belong to questions that are others now" in replaced.message
    assert "1 examples that are gone were removed" in replaced.message
    assert len(datasets.items(here.store, "set")) == 4
    assert checkpoints.find(here.store, "theirs")
