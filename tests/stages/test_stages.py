"""Every stage as a job with the real tiny models, once around the loop on a small workspace; and bad input.

Each fixture is one more step; a test asks for the step that it looks into, so that any test can run alone.
"""

import json
from collections import Counter
from dataclasses import asdict

import pyarrow.parquet as pq
import pytest

from curation import checkpoints, error_types
from curation.jobs.job_folder import JobFolder
from curation.results import comparison, summary
from curation.review import decisions
from curation.stage import NothingToDo
from data.images import ImageStore
from data.registry import FILTERS, UnknownPlugin
from tests.support import loop_world
from tests.support.loop_world import TEACHER
from tests.support.stores import differences

pytestmark = pytest.mark.timeout(900)
FAILURES_TO_PRACTISE = 12


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    world = loop_world.begin(tmp_path_factory.mktemp("loop") / "small")
    yield world
    world.close()


def step(name, before, stage, options):
    """A fixture that runs one more job of the loop; its result stands in `world.results[name]`."""

    @pytest.fixture(scope="module", name=name)
    def run(request):
        world = request.getfixturevalue(before)
        world.results[name] = world.job(stage, options(world) if callable(options) else options)
        return world

    return run


evaluated = step("evaluated", "imported", "evaluate", {})
diagnosed = step("diagnosed", "evaluated", "diagnose", TEACHER)
clustered = step("clustered", "diagnosed", "cluster", {**TEACHER, "min_size": 5})
generated = step("generated", "clustered", "generate", {**TEACHER, "limit": FAILURES_TO_PRACTISE, "per_failure": 2})
drawn = step("drawn", "generated", "draw", {"model": "pocket-flux"})
filtered = step("filtered", "drawn", "filter", TEACHER)


@pytest.fixture(scope="module")
def reviewed(filtered):
    filtered.results["reviewed"] = loop_world.approve_what_passes(filtered.store)
    return filtered


trained = step("trained", "reviewed", "finetune", {"epochs": 20, "replay_share": 0.5, "name": "practised"})
measured = step("measured", "trained", "evaluate", {"checkpoint": "practised", "splits": ["eval"]})


def test_import_reads_each_split_and_keeps_the_pictures(imported):
    counts = {row["name"]: (row["train"], row["dev"], row["eval"]) for row in imported.store.rows("datasets")}
    assert counts == {"easy-vqa": (60, 6, 30), "pocket-photo": (60, 10, 30)}
    examples, pictures = imported.rows("example"), {row["image"]: row for row in imported.rows("image")}
    kept = ImageStore(imported.workspace.images)
    for row in examples:
        assert kept.path(row["image"]).stat().st_size == pictures[row["image"]]["bytes"]
        assert row["question"] and row["golds"] and row["kind"]
    by_split = {split: {row["image"] for row in examples if row["split"] == split} for split in ("train", "dev", "eval")}
    assert not by_split["train"] & by_split["eval"] and not by_split["dev"] & by_split["eval"]


def test_evaluate_answers_all_once_and_mines_failures_on_train_only(evaluated):
    job = evaluated.results["evaluated"]
    assert (job.done, job.total) == (180, 180)
    answers = {row["example_id"]: row for row in evaluated.rows("prediction") if row["checkpoint_id"] == 1}
    examples = {row["example_id"]: row for row in evaluated.rows("example")}
    assert {example_id for example_id, row in examples.items() if row["split"] != "dev"} == set(answers)
    assert 0.1 < sum(row["strict"] for row in answers.values()) / len(answers) < 0.95
    wrong = {i for i, row in answers.items() if row["strict"] < 0.5 and examples[i]["split"] == "train"}
    assert {row["example_id"] for row in evaluated.rows("failure")} == wrong
    assert len(wrong) > 20
    with pytest.raises(NothingToDo, match="pocket-llava has answered all examples"):
        evaluated.jobs.launch("evaluate", {}, "ada")


def test_diagnose_says_what_went_wrong_and_what_is_teachable(diagnosed):
    cards = diagnosed.rows("failure_card")
    threshold = {row["name"]: row["threshold"] for row in diagnosed.store.rows("datasets")}
    assert diagnosed.results["diagnosed"].done == len(cards) == len(diagnosed.rows("failure"))
    for card in cards:
        assert card["error_type"] in error_types.BY_NAME and card["faulty_reasoning"] and card["key_elements"] and card["description"]
        blamed = card["gold_looks_wrong"] or card["right_but_misformatted"]
        assert card["teachable"] == (card["own_score"] >= threshold[card["dataset"]] and not blamed)
    assert sum(card["teachable"] for card in cards) > 0.8 * len(cards)
    kinds = Counter((card["error_type"], card["kind"].partition("/")[0]) for card in cards if card["dataset"] == "pocket-photo")
    assert sum(n for (said, kind), n in kinds.items() if said == kind) > 0.6 * sum(kinds.values())
    replies = diagnosed.rows("reply")
    assert {row["purpose"] for row in replies} >= {"blind", "diagnosis"}
    assert all(row["job_id"] == diagnosed.results["diagnosed"].job_id for row in replies if row["purpose"] in ("blind", "diagnosis"))
    with pytest.raises(NothingToDo, match="no failure left to diagnose"):
        diagnosed.jobs.launch("diagnose", TEACHER, "ada")


def test_cluster_titles_groups_lays_the_map_and_assigns_every_example(clustered):
    found, places = clustered.rows("cluster"), clustered.rows("place")
    cards = clustered.rows("failure_card")
    assert {row["failure_id"] for row in places} == {card["failure_id"] for card in cards}
    type_of = {row["cluster_id"]: row["error_type"] for row in found}
    assert all(type_of[card["cluster_id"]] == card["error_type"] for card in cards)
    assert {card["error_type"] for card in cards} == set(type_of.values())
    assert all(row["title"] and row["title"][0].isalpha() for row in found)
    assert len({(row["x"], row["y"]) for row in places}) > len(places) / 2
    assert {row["example_id"] for row in clustered.rows("assignment")} == {row["example_id"] for row in clustered.rows("example")}


def test_generate_proposes_by_both_routes_with_an_estimate_before(generated):
    samples = generated.rows("sample")
    routes = Counter(row["route"] for row in samples)
    assert FAILURES_TO_PRACTISE <= routes["same_image"] <= 2 * FAILURES_TO_PRACTISE
    assert FAILURES_TO_PRACTISE <= routes["new_image"] <= 2 * FAILURES_TO_PRACTISE
    for row in samples:
        new = row["route"] == "new_image"
        assert (row["image"] is None) == new == bool(row["image_prompt"]) == (row["seed"] is not None)
        assert row["question"] and row["answer"] and row["diagnosis_id"] and row["replies"] and row["skill"]
    teachable = {row["failure_id"] for row in generated.store.rows("failures_to_practise", round=1)}
    assert {row["failure_id"] for row in samples} <= teachable
    assert len({row["failure_id"] for row in samples}) == FAILURES_TO_PRACTISE
    estimate = generated.jobs.estimate("generate", {**TEACHER, "limit": 3, "per_failure": 4})
    assert (estimate.rows, estimate.calls) == (6, 6) and 0 < estimate.usd[0] < estimate.usd[1] < 0.01
    parts = estimate.detail.pop("quotas")
    assert estimate.detail == {"failures": 3, "samples": 24, "images": 12}
    assert sum(part["quota"] for part in parts) == 3 and sum(part["failures"] for part in parts) == len(teachable)
    assert all(part["title"] and part["error_type"] in error_types.BY_NAME for part in parts)


def test_draw_gives_every_waiting_sample_a_picture(drawn):
    drawings = {row["sample_id"]: row for row in drawn.rows("drawing")}
    waiting = {row["sample_id"] for row in drawn.rows("sample") if row["image_prompt"]}
    assert set(drawings) == waiting and drawn.results["drawn"].done == len(waiting)
    states = {row["sample_id"]: row for row in drawn.rows("sample_state")}
    assert all(states[i]["image"] == row["image"] and row["generator"] == "pocket-flux" for i, row in drawings.items())
    assert all(json.loads(row["recipe"])["steps"] > 0 for row in drawings.values())
    assert not any(row["status"] == "undrawn" for row in states.values())
    with pytest.raises(NothingToDo, match="no sample waits for an image"):
        drawn.jobs.launch("draw", {"model": "pocket-flux"}, "ada")


def test_filter_gives_every_sample_a_verdict_of_every_enabled_filter(filtered):
    samples = {row["sample_id"] for row in filtered.rows("sample")}
    enabled = {row["filter"] for row in filtered.store.rows("filters") if row["enabled"]}
    assert enabled == {
        "judge", "agreement", "duplicate", "leakage", "answer_style", "image_quality", "computed_answer", "on_skill", "not_already_known"
    }  # fmt: skip
    assert enabled == {name for name in FILTERS.names() if FILTERS.load(name).enabled_by_default}
    verdicts = {(row["sample_id"], row["filter"]): row for row in filtered.rows("verdict")}
    assert set(verdicts) == {(i, name) for i in samples for name in enabled}
    assert all(row["score"] is not None and row["reason"] for row in verdicts.values())
    failing = {row["filter"]: row for row in filtered.store.rows("filters") if row["enabled"]}
    for state in filtered.rows("sample_state"):
        if state["decision"] is None:
            assert state["status"] == ("failed" if state["failed"] else "pending")
        for name, setting in failing.items():
            score, cut = verdicts[state["sample_id"], name]["score"], setting["threshold"]
            passes = score >= cut if setting["comparison"] == "at_least" else score <= cut
            assert bool(state["failed"] >> setting["bit"] & 1) != passes, (name, score)
    statuses = Counter(row["status"] for row in filtered.rows("sample_state"))
    assert statuses["pending"] + statuses["approved"] >= FAILURES_TO_PRACTISE
    assert differences(filtered.store) == 0


def test_review_by_the_stated_rule_approves_what_passes_and_nothing_else(reviewed):
    states = reviewed.rows("sample_state")
    approved = [row for row in states if row["status"] == "approved"]
    assert len(approved) == reviewed.results["reviewed"].count > 0
    assert all(row["failed"] == 0 and row["decided_by"] == "ada" for row in approved)
    assert {row["status"] for row in states} <= {"approved", "failed"}
    before = reviewed.contents()
    reviewed.store.rebuild_states()
    assert reviewed.contents() == before and differences(reviewed.store) == 0


def test_finetune_trains_on_the_approved_and_replays_what_was_right(trained):
    job = trained.results["trained"]
    rows = pq.read_table(trained.workspace.job(job.job_id) / "train.parquet").to_pylist()
    samples = {row["id"] for row in rows if row["source"] == "sample"}
    replay = {int(row["id"]) for row in rows if row["source"] == "replay"}
    assert samples == {str(row["sample_id"]) for row in trained.rows("sample_state") if row["status"] == "approved"}
    failures = {row["example_id"] for row in trained.rows("failure")}
    splits = {row["example_id"]: row["split"] for row in trained.rows("example")}
    right = {row["example_id"] for row in trained.rows("prediction") if row["checkpoint_id"] == 1 and row["strict"] >= 0.9}
    assert replay and not replay & failures and replay <= right and {splits[i] for i in replay} == {"train"}
    assert len(replay) <= len(samples)
    (run,), made = trained.rows("run"), checkpoints.find(trained.store, "practised")
    assert (run["samples"], run["replay"], run["job_id"]) == (len(samples), len(replay), job.job_id)
    assert (run["checkpoint_id"], run["parent"]) == (made.checkpoint_id, 1)
    assert {str(row["sample_id"]) for row in trained.rows("run_sample")} == samples
    assert made.adapter == str(trained.workspace.checkpoints / "practised")
    assert (trained.workspace.checkpoints / "practised" / "adapter_config.json").is_file()
    events = JobFolder(trained.workspace.job(job.job_id)).last_events()
    assert events["progress"]["done"] == events["progress"]["total"] > 0 and job.message == "checkpoint practised"
    with pytest.raises(NothingToDo, match="'practised' exists already"):
        trained.jobs.launch("finetune", {"name": "practised"}, "ada")


def test_results_pair_the_two_checkpoints_on_the_eval_examples(measured):
    store = measured.store
    before, after = checkpoints.find(store, "pocket-llava"), checkpoints.find(store, "practised")
    compared = comparison.compare(store, before, after)
    assert compared.examples == measured.results["measured"].done == 60
    assert sum(line.items for line in compared.by_dataset) == sum(line.items for line in compared.by_error_type) == 60
    overall = compared.overall
    assert overall.low <= overall.difference <= overall.high
    assert overall.difference == pytest.approx(overall.after - overall.before)
    assert compared.fixed <= compared.wrong_before <= 60 - compared.broken
    fixed = comparison.changes(store, before, after, "fixed", None, limit=100, offset=0)
    broken = comparison.changes(store, before, after, "broken", None, limit=100, offset=0)
    assert (fixed.total, broken.total) == (compared.fixed, compared.broken)
    answers = {(row["checkpoint_id"], row["example_id"]): row["answer"] for row in measured.rows("prediction")}
    asked = [example_id for checkpoint_id, example_id in answers if checkpoint_id == after.checkpoint_id]
    assert any(answers[after.checkpoint_id, i] != answers[before.checkpoint_id, i] for i in asked), "the adapter must be in force"
    assert all(row.answer_before != row.answer_after for row in [*fixed.rows, *broken.rows])


def test_every_turned_example_gets_its_nearest_training_samples(measured):
    store = measured.store
    job = measured.job("nearest_samples", {"checkpoint": "practised"})
    compared = comparison.compare(store, *(checkpoints.find(store, name) for name in ("pocket-llava", "practised")))
    trained = {row["sample_id"] for row in measured.rows("run_sample")}
    rows = measured.rows("nearest_sample")
    turned = {row["example_id"] for row in rows}
    assert compared.fixed + compared.broken <= len(turned) and f"of {len(turned)} examples" in job.message
    assert {row["sample_id"] for row in rows} <= trained
    for example_id in turned:
        own = sorted((row for row in rows if row["example_id"] == example_id), key=lambda row: row["place"])
        assert [row["place"] for row in own] == list(range(min(5, len(trained))))
        assert [row["score"] for row in own] == sorted((row["score"] for row in own), reverse=True)
    shown = store.rows("nearest_of_examples", checkpoint_id=rows[0]["checkpoint_id"], example_ids=sorted(turned))
    assert all(row["faulty_reasoning"] and row["decided_by"] == "ada" and row["image"] and row["failed_question"] for row in shown)
    again = measured.job("nearest_samples", {"checkpoint": "practised"})
    assert [(r["example_id"], r["sample_id"]) for r in measured.rows("nearest_sample")] == [(r["example_id"], r["sample_id"]) for r in rows]
    assert again.job_id != job.job_id
    with pytest.raises(NothingToDo, match="not trained on samples of this workspace"):
        measured.jobs.launch("nearest_samples", {"checkpoint": "pocket-llava", "before": "practised"}, "ada")


def test_the_summary_is_what_the_demo_promises_to_print(measured):
    told = asdict(summary.of_round(measured.store, "pocket-llava", "practised"))
    assert set(told) == {
        "examples", "failures", "diagnosed", "clusters", "samples", "passed", "approved", "spend_usd", "seconds",
        "before", "after", "difference", "fixed", "broken",
    }  # fmt: skip
    assert told["examples"] == {"train": 120, "eval": 60}
    assert told["failures"] == told["diagnosed"] == len(measured.rows("failure"))
    assert told["clusters"] == len(measured.rows("cluster")) and told["samples"] == len(measured.rows("sample"))
    assert told["passed"] == told["approved"] == measured.results["reviewed"].count <= told["samples"]
    assert told["spend_usd"] == pytest.approx(sum(row["cost_usd"] for row in measured.rows("reply")))
    stages = {"import", "evaluate", "diagnose", "cluster", "generate", "draw", "filter", "finetune"}
    assert set(told["seconds"]) >= stages | {"total"} and told["seconds"]["total"] == pytest.approx(
        sum(seconds for stage, seconds in told["seconds"].items() if stage != "total")
    )
    for side in ("before", "after"):
        assert {"overall", "by_dataset", "by_error_type", "balanced", "majority"} <= set(told[side])
        assert set(told[side]["by_dataset"]) == {"easy-vqa", "pocket-photo"}
    assert set(told["difference"]["overall"]) == {"value", "low", "high"}
    assert set(told["difference"]["by_dataset"]) == {"easy-vqa", "pocket-photo"}
    assert told["difference"]["overall"]["value"] == pytest.approx(told["after"]["overall"] - told["before"]["overall"])
    assert json.loads(json.dumps(told)) == told


@pytest.mark.parametrize("name", ["evaluated", "diagnosed", "clustered", "generated", "drawn", "filtered", "trained", "measured"])
def test_results_that_are_collected_twice_change_nothing(measured, name):
    before = measured.contents()
    measured.collect_again(measured.results[name].job_id)
    after = measured.contents()
    assert [table for table in before if before[table] != after[table]] == []


def test_an_edited_sample_is_filtered_again(measured):
    """A new revision has no verdicts; only its own are missing."""
    sample = next(row for row in measured.rows("sample_state") if row["route"] == "same_image")
    text = (sample["question"] + " Look closely.", sample["choices"], sample["answer"])
    state = decisions.edit(measured.store, sample["sample_id"], sample["revision"], *text, "ada", decisions.new_event())
    assert state.revision == 1 and state.status == "unfiltered"
    job = measured.job("filter", {**TEACHER, "filters": ["answer_style", "image_quality", "duplicate"]})
    assert job.done == 3
    assert differences(measured.store) == 0


# Bad input -----------------------------------------------------------------------------------------------------


def test_a_list_with_bad_lines_loses_only_those(imported, tmp_path):
    picture = next(imported.workspace.images.rglob("*.png"))
    (tmp_path / "whole.png").write_bytes(picture.read_bytes())
    (tmp_path / "torn.png").write_bytes(picture.read_bytes()[:60])
    good = {"image": "whole.png", "question": "What color\u2028is it?", "answer": "red"}
    lines = [
        json.dumps({**good, "id": "good"}, ensure_ascii=False),  # U+2028 ends a line for str.splitlines, but not in JSON Lines
        json.dumps({**good, "id": "gone", "image": "nowhere.png"}),
        json.dumps({**good, "id": "torn", "image": "torn.png"}),
        '{"id": "half", "image": ',
        json.dumps({"id": "mute", "image": "whole.png"}),
    ]
    path = tmp_path / "mine.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    job = imported.job("import", {"format": "jsonl", "source": {"path": str(path), "split": "dev"}}, rows_may_fail=True)
    assert [row["external_id"] for row in imported.rows("example") if row["dataset"] == "mine"] == ["good"]
    assert "4 lines could not be used" in job.message
    told = "\n".join(f"{row['key']}: {row['error']}" for row in imported.errors(job.job_id))
    assert "nowhere.png" in told and "torn.png" in told
    assert f"{path}:4" in told and "not valid JSON" in told
    assert f"{path}:5: " in told and "answer" in told


def test_a_list_without_any_good_line_says_so(imported, tmp_path):
    path = tmp_path / "bad.jsonl"
    path.write_text("nonsense\n", encoding="utf-8")
    job = imported.job("import", {"format": "jsonl", "source": {"path": str(path)}}, "failed", rows_may_fail=True)
    errors = [error["error"] for error in imported.errors(job.job_id)]
    assert any("no usable example" in error for error in errors) and any(f"{path}:1" in error for error in errors), errors
    assert "bad" not in {row["name"] for row in imported.store.rows("datasets")}


def test_an_unknown_format_names_those_there_are(imported):
    with pytest.raises(UnknownPlugin, match=r"coco.*there are: aokvqa, auto, .*, csv, .*, jsonl, "):
        imported.jobs.launch("import", {"format": "coco"}, "ada")


def test_an_endpoint_that_cannot_be_reached_pauses_the_job_and_resume_goes_on(evaluated):
    """A wrong address costs nothing but time."""
    nowhere = {"endpoint": "http://127.0.0.1:9/v1", "model": "gpt", "limit": 4, "again": True}
    job = evaluated.job("diagnose", nowhere, status="paused")
    assert "http://127.0.0.1:9/v1" in job.message and "can't be reached" in job.message
    assert (job.done, job.failed) == (0, 0)
    evaluated.jobs.cancel(job.job_id)


def test_imported_predictions_with_bad_lines_score_the_good_ones(imported, tmp_path):
    examples = [row for row in imported.rows("example") if row["dataset"] == "pocket-photo" and row["split"] == "eval"]
    said = [{"id": row["external_id"], "answer": row["golds"][0] + "\u2028", "split": "eval"} for row in examples[:3]]
    lines = [json.dumps(row, ensure_ascii=False) for row in said]
    lines += ["rubbish", json.dumps({"id": "eval-99999", "answer": "two"}), json.dumps({"answer": "two"})]
    path = tmp_path / "answers.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    options = {"path": str(path), "dataset": "pocket-photo", "checkpoint": "elsewhere"}
    job = imported.job("import_predictions", options)
    assert (job.done, job.failed) == (3, 0) and job.message.startswith("3 matched · 1 unmatched")
    told = {line.source: line.error for line in JobFolder(imported.workspace.job(job.job_id)).skipped_lines()}
    assert set(told) == {f"{path}:{number}" for number in (4, 5, 6)}
    assert "eval-99999" in told[f"{path}:5"] and "expected" in told[f"{path}:4"]
    elsewhere = checkpoints.find(imported.store, "elsewhere")
    scored = [row for row in imported.rows("prediction") if row["checkpoint_id"] == elsewhere.checkpoint_id]
    assert len(scored) == 3 and all(row["strict"] == 1 for row in scored)
    with pytest.raises(NothingToDo, match="is not a file"):
        imported.jobs.launch("import_predictions", {**options, "path": str(tmp_path / "gone.jsonl")}, "ada")
