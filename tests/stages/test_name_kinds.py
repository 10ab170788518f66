"""Naming kinds where a dataset states none: each wording asked once, eval pictures and golds never, the rest by likeness; what follows."""

import json
from collections import Counter, defaultdict

import pytest

from curation import checkpoints, taxonomy
from curation.results import comparison
from curation.results.eval_set import eval_set
from curation.stage import NothingLeft
from curation.workspaces.builtin import POCKET_LLAVA
from data.records import Checkpoint
from tests.support import crowded_scenes
from tests.support.loop_world import TEACHER, World

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A stranger's scenes and a dataset with kinds of its own, evaluated, named, diagnosed, clustered."""
    root = tmp_path_factory.mktemp("kinds")
    folder = root / "data"
    folder.mkdir()
    true = crowded_scenes.write(folder, 14, 6)
    lines = [json.loads(line) for line in (folder / "scenes.jsonl").read_text().splitlines()]
    own = [{**line, "kind": "spatial/its-own"} for line in lines[:6]]
    lines.append({"id": "odd", "image": "eval-0.png", "question": "What is in none of the others?", "answer": "x", "split": "eval"})
    (folder / "scenes.jsonl").write_text("\n".join(map(json.dumps, lines)))
    (folder / "own.jsonl").write_text("\n".join(map(json.dumps, own)))
    made = World(root / "workspace")
    for name in ("scenes", "own"):
        made.job("import", {"format": "jsonl", "source": {"path": str(folder / f"{name}.jsonl")}})
    checkpoints.register(made.store, POCKET_LLAVA)
    checkpoints.begin_round(made.store, POCKET_LLAVA.name)
    made.job("evaluate", {})
    made.results["kinds"] = made.job("kinds", {**TEACHER, "most": 16})
    made.job("diagnose", TEACHER)
    made.job("cluster", {**TEACHER, "min_size": 4, "resamples": 0})
    made.true = true
    yield made
    made.close()


def _named(world):
    examples = {row["example_id"]: row for row in world.rows("example")}
    return [(examples[row["example_id"]], row) for row in world.rows("kind")]


def test_every_wording_is_asked_once_and_named_for_all_questions_of_it(world):
    named = _named(world)
    assert Counter(row["source"] for _, row in named)["asked"] == 16
    names = defaultdict(set)
    for example, row in named:
        if example["external_id"] in world.true:
            names[world.true[example["external_id"]]].add(row["name"])
    assert all(len(found) == 1 for found in names.values()) and len(set.union(*names.values())) == len(crowded_scenes.KINDS), names


def test_a_datasets_own_kinds_stay_and_what_is_like_nothing_is_counted(world):
    named = _named(world)
    assert not [row for example, row in named if example["dataset"] == "own" or example["external_id"] == "odd"]
    assert {row["kind"] for row in world.rows("example") if row["dataset"] == "own"} == {"spatial/its-own"}
    assert "1 are like none that was asked" in world.results["kinds"].message


def test_no_eval_picture_is_shown_and_no_eval_gold_is_looked_at(world):
    job = world.workspace.job(world.results["kinds"].job_id)
    examples = {row["example_id"]: row for row in world.rows("example")}
    shown = [json.loads(line) for line in (job / "input.jsonl").read_text().splitlines()]
    assert shown and all((row["image_path"] is None) == (examples[row["example_id"]]["split"] != "train") for row in shown)
    assert not any("gold" in row for row in shown)


def test_clusters_and_results_go_by_what_is_asked(world):
    clusters = {row["cluster_id"]: row for row in world.rows("cluster")}
    examples = {row["example_id"]: row for row in world.rows("example")}
    groups = defaultdict(Counter)
    for failure in world.store.rows("failures_to_cluster", round=1):
        place = next(row for row in world.rows("place") if row["failure_id"] == failure["failure_id"])
        example = examples[failure["example_id"]]
        if example["dataset"] == "scenes" and clusters[place["cluster_id"]]["kind"]:
            groups[place["cluster_id"]][world.true[example["external_id"]]] += 1
    assert len(groups) >= 6 and all(len(found) == 1 for found in groups.values()), groups
    found = eval_set(world.store, 1)
    kinds = {world.true[examples[example_id]["external_id"]]: kind for example_id, kind in zip(found.ids, found.kinds)
             if examples[example_id]["external_id"] in world.true}  # fmt: skip
    assert len(set(kinds.values())) == len(crowded_scenes.KINDS) and kinds["nearest-form"] == "shape of the nearest thing", kinds
    assigned = {row["example_id"]: row["cluster_id"] for row in world.rows("assignment")}
    for cluster_id, members in groups.items():
        (kind,) = members
        of_kind = [assigned[i] for i, row in examples.items() if row["split"] == "eval" and world.true.get(row["external_id"]) == kind]
        assert set(of_kind) == {cluster_id}


def test_taking_results_up_twice_changes_nothing_and_all_named_is_said(world):
    before = sorted((row["example_id"], row["name"], row["source"]) for row in world.rows("kind"))
    world.collect_again(world.results["kinds"].job_id)
    assert sorted((row["example_id"], row["name"], row["source"]) for row in world.rows("kind")) == before
    with pytest.raises(NothingLeft, match="every question has a kind"):
        world.jobs.launch("kinds", {**TEACHER, "datasets": ["own"]}, "ada")


def test_a_checkpoint_that_always_gives_the_most_frequent_answer_has_learnt_form_alone(world):
    """Of each named kind, and overall: error types that hold several kinds would make the majority answer look weaker than it is."""
    examples = [row for row in world.rows("example") if row["split"] == "eval" and row["dataset"] == "scenes"]
    names = {example["example_id"]: row["name"] for example, row in _named(world)}
    golds = defaultdict(Counter)
    for row in examples:
        golds[names.get(row["example_id"])][row["golds"][0]] += 1
    parrot = Checkpoint("parrot", "llava", "pocket-llava")
    checkpoints.register(world.store, parrot)
    known = checkpoints.find(world.store, "parrot").checkpoint_id
    rows = []
    for row in examples:
        answer = golds[names.get(row["example_id"])].most_common(1)[0][0]
        right = float(answer == row["golds"][0])
        rows.append({"checkpoint_id": known, "example_id": row["example_id"], "answer": answer, "strict": right, "lenient": right})
    with world.store.write() as write:
        write.insert("prediction", rows)
    found = comparison.compare(world.store, checkpoints.find(world.store), checkpoints.find(world.store, "parrot"))
    assert found.overall.difference > 0 and found.overall.after == pytest.approx(found.overall.majority)
    assert found.overall.learnt == "form" and not [line.name for line in found.by_kind if line.learnt == "skill"]
    assert set(golds) - {None} <= {line.name for line in found.by_kind}
    assert "have the same wording" in found.kinds_note and "are like none that was asked" in found.kinds_note


def test_samples_without_a_failure_have_the_workspaces_present_error_types(world):
    """Last: it edits the taxonomy."""
    taxonomy.rename(world.store, "spatial", "places", "ada")
    job = world.job("generate_untargeted", {**TEACHER, "examples": 20, "per_example": 1, "route": "same_image"})
    named = {row["example_id"]: row["error_type"] for row in world.rows("kind")}
    own = {row["example_id"] for row in world.rows("example") if row["dataset"] == "own"}
    made = [row for row in world.rows("sample") if row["job_id"] == job.job_id]
    assert "places" in {row["error_type"] for row in made}
    assert all(row["error_type"] == ("places" if row["example_id"] in own else named[row["example_id"]]) for row in made)
