"""An import names a dataset's own few answers in the form that samples and frontier answers are to have."""

import json

from curation.jobs.manager import JobManager
from curation.stages import stage_class
from data.store import Store
from data.workspace import Workspace
from tests.support import crowded_scenes
from tests.support.stores import log


def test_few_answers_are_named_those_of_eval_and_of_known_kinds_are_not(tmp_path):
    workspace = Workspace(tmp_path / "w").create()
    store = Store(workspace.store)
    jobs = JobManager(store, workspace, stage_class)
    folder = tmp_path / "scenes"
    folder.mkdir()
    crowded_scenes.write(folder, 3, 1)
    lines = [json.loads(line) for line in (folder / "scenes.jsonl").read_text().splitlines()]
    lines.append({"id": "x", "image": "eval-0.png", "question": "What?", "answer": "only in eval", "split": "eval"})
    (folder / "scenes.jsonl").write_text("\n".join(map(json.dumps, lines)))
    (folder / "known.jsonl").write_text("\n".join(json.dumps({**line, "kind": "counting/all"}) for line in lines))
    said = {}
    for name in ("scenes", "known"):
        said[name] = jobs.wait(jobs.launch("import", {"format": "jsonl", "source": {"path": str(folder / f"{name}.jsonl")}}, "ada"), 120)
    forms = {row["name"]: row["answer_form"] for row in log(store, "dataset")}
    jobs.shutdown()
    store.close()
    golds = sorted({line["answer"] for line in lines if line["split"] == "train"})
    assert forms["scenes"].endswith(f"; this dataset's answers are: {', '.join(golds)}") and "eval" not in forms["scenes"]
    assert f"its {len(golds)} different answers" in said["scenes"].message
    assert "this dataset's answers" not in forms["known"] and "different answers" not in said["known"].message
