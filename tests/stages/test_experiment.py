"""Experiments as jobs with the real tiny models: equal arms, too few samples, a run that diverges, one that fails, a kill in the middle."""

import json
import os
import signal
from collections import Counter

import pyarrow.parquet as pq
import pytest

from curation.experiments import analysis, arms, markdown, planning
from curation.experiments.planning import ExperimentOptions
from curation.experiments.run_folder import RunFolder
from curation.jobs import chains
from curation.jobs.chains import Step
from curation.jobs.job_folder import JobFolder
from curation.stage import NothingToDo
from curation.stages.generate import GenerateOptions, failures_to_practise
from curation.ui.experiments import generation
from curation.ui.experiments.generation import Generation
from tests.support import loop_world
from tests.support.loop_world import TEACHER
from tests.support.running_app import is_alive, until

pytestmark = pytest.mark.timeout(900)
SMALL = {"n": 8, "replay": 12, "steps": 3, "seeds": 2}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Once around the loop up to the filters."""
    world = loop_world.begin(tmp_path_factory.mktemp("experiments") / "small")
    world.job("evaluate", {})
    world.job("diagnose", TEACHER)
    world.job("generate", {**TEACHER, "limit": 12, "per_failure": 2})
    world.job("draw", {"model": "pocket-flux"})
    world.job("filter", TEACHER)
    yield world
    world.close()


@pytest.fixture(scope="module")
def run(world):
    chosen = ["none", "replay", "real", "real_failures", "targeted", "unfiltered"]
    job = world.job("experiment", {**SMALL, "arms": chosen})
    return world, job.job_id


def planned(world, **options):
    given = ExperimentOptions(**{**SMALL, **options})
    return planning.plan(world.store, given, planning.stock(world.store, 1, given), 1)


def trained_on(world, job_id):
    """Rows by arm and seed: (source, id)."""
    rows = [row for row in world.rows("experiment_row") if row["job_id"] == job_id]
    found: dict[tuple[str, int], list] = {}
    for row in rows:
        found.setdefault((row["arm"], row["seed"]), []).append((row["source"], row["id"]))
    return found


def test_arms_differ_only_in_what_they_are_trained_on(run):
    world, job_id = run
    by_run = trained_on(world, job_id)
    examples = {row["example_id"]: row for row in world.rows("example")}
    failed = {row["example_id"] for row in world.rows("failure")}
    for (arm, _), rows in by_run.items():
        counts = Counter(source for source, _ in rows)
        assert counts.pop("replay") == 12
        assert sum(counts.values()) == (0 if arm == "replay" else 8)
        assert len(set(rows)) == len(rows)
        numbers = {identity for source, identity in rows if source != "sample"}
        assert {examples[i]["split"] for i in numbers} == {"train"}
    for seed in (1, 2):
        replays = {tuple(sorted(row for row in rows if row[0] == "replay")) for (_, s), rows in by_run.items() if s == seed}
        assert len(replays) == 1
    assert all(identity in failed for source, identity in by_run["real_failures", 1] if source == "real")
    specs = [json.loads((RunFolder.of(world.workspace.job(job_id), arm, seed).folder / "run.json").read_text()) for arm, seed in by_run]
    assert len({json.dumps(spec["recipe"], sort_keys=True) for spec in specs}) == 1
    assert {spec["recipe"]["max_steps"] for spec in specs} == {3}
    assert all(spec["seed"] == seed for spec, (_, seed) in zip(specs, by_run))
    trained = pq.read_table(RunFolder.of(world.workspace.job(job_id), "targeted", 1).folder / "train.parquet").to_pylist()
    assert sorted((row["source"], int(row["id"].split()[1])) for row in trained) == sorted(by_run["targeted", 1])


def test_every_run_answers_every_eval_example(run):
    world, job_id = run
    evaluated = {row["example_id"] for row in world.rows("example") if row["split"] == "eval"}
    answers: dict[tuple[str, int], set] = {}
    for row in world.rows("experiment_answer"):
        if row["job_id"] == job_id:
            answers.setdefault((row["arm"], row["seed"]), set()).add(row["example_id"])
    assert len(answers) == 1 + 5 * 2
    assert all(asked == evaluated for asked in answers.values())
    predicted = {row["example_id"]: row["answer"] for row in world.rows("prediction")}
    none = [row for row in world.rows("experiment_answer") if row["job_id"] == job_id and row["arm"] == "none"]
    same = sum(predicted[row["example_id"]] == row["answer"] for row in none)
    assert same == len(none)  # the checkpoint as it is answers as it did when it was evaluated


def test_the_report_says_what_each_arm_reached(run):
    world, job_id = run
    report = analysis.report(world.store, job_id)
    assert (report.base, report.reference, report.items, report.left_out) == ("none", "real", 60, 0)
    assert {arm.arm: arm.counted for arm in report.arms} == {
        "none": 1, "replay": 2, "real": 2, "real_failures": 2, "targeted": 2, "unfiltered": 2
    }  # fmt: skip
    scores = {}
    for row in world.rows("experiment_answer"):
        if row["job_id"] == job_id:
            scores.setdefault(row["arm"], []).append(row["strict"])
    for arm in report.overall.arms:
        assert arm.accuracy == pytest.approx(sum(scores[arm.arm]) / len(scores[arm.arm]))
        if arm.to_base:
            assert arm.to_base.low <= arm.to_base.value <= arm.to_base.high
    assert sum(group.items for group in report.by_kind) == sum(group.items for group in report.by_dataset) == 60
    assert {(pair.after, pair.before) for pair in report.pairs} >= {("targeted", "real"), ("targeted", "unfiltered")}
    text = markdown.written(report)
    assert "| +N targeted |" in text and "## By kind" in text and "crossed random effects" in text
    with pytest.raises(arms.UnknownArm, match="unknown arm"):
        analysis.report(world.store, job_id, reference="best")


def test_collecting_again_changes_nothing(run):
    world, job_id = run
    before = {table: sorted(map(str, world.rows(table))) for table in ("experiment_answer", "experiment_row")}
    world.collect_again(job_id)
    assert before == {table: sorted(map(str, world.rows(table))) for table in before}


def test_too_few_samples_is_said_before_anything_is_done(world):
    jobs = len(world.rows("job"))
    made = planned(world, n=4000, arms=["real", "targeted"])
    assert {arm.arm for arm in made.short} == {"real", "targeted"} and made.largest and made.largest < 120
    with pytest.raises(NothingToDo, match=rf"too few samples for N = 4,000: \+N real has 120, 3,880 missing.*lower N to {made.largest}"):
        world.jobs.launch("experiment", {**SMALL, "n": 4000, "arms": ["real", "targeted"]}, "ada")
    assert len(world.rows("job")) == jobs
    lowered = planned(world, n=4000, arms=["real", "targeted"], lower_n=True)
    assert lowered.samples == made.largest and not lowered.short and lowered.asked == 4000
    assert planning.obstacle(lowered) is None
    with pytest.raises(NothingToDo, match="there is no sample for \\+N untargeted"):
        world.jobs.launch("experiment", {**SMALL, "arms": ["untargeted"], "lower_n": True}, "ada")


def test_a_run_that_diverges_is_shown_and_not_counted(world):
    job = world.job("experiment", {**SMALL, "arms": ["none", "real"], "seeds": 1, "steps": 24, "learning_rate": 3.0})
    assert "real, seed 1" in (job.message or "")
    report = analysis.report(world.store, job.job_id)
    real = next(arm for arm in report.arms if arm.arm == "real")
    assert real.counted == 0 and real.runs[0].diverged
    assert [arm.arm for arm in report.overall.arms] == ["none"]
    assert "diverged and is not counted" in markdown.written(report)


def test_an_arm_that_fails_leaves_the_others_and_is_run_again(world):
    job_id = world.jobs.launch("experiment", {**SMALL, "arms": ["none", "real", "real_failures"], "seeds": 1}, "ada")
    broken = RunFolder.of(world.workspace.job(job_id), "real", 1).folder / "train.parquet"
    whole = broken.read_bytes()
    broken.write_bytes(b"no parquet")
    ended = world.jobs.wait(job_id, loop_world.PATIENCE)
    assert (ended.status, ended.done, ended.failed) == ("done", 2, 1), world.log_of(job_id)
    report = analysis.report(world.store, job_id)
    assert report.done_runs == 2 and next(arm for arm in report.arms if arm.arm == "real").failed
    done = {row["arm"]: row["created_at"] for row in world.rows("experiment_run") if row["job_id"] == job_id}
    broken.write_bytes(whole)
    world.jobs.retry_errors(job_id)
    again = world.jobs.wait(job_id, loop_world.PATIENCE)
    assert (again.status, again.done, again.failed) == ("done", 3, 0), world.log_of(job_id)
    now = {row["arm"]: row["created_at"] for row in world.rows("experiment_run") if row["job_id"] == job_id}
    assert done.items() <= now.items() and set(now) == {"none", "real", "real_failures"}


def test_what_is_killed_goes_on_and_what_is_done_stands(world):
    options = {**SMALL, "arms": ["none", "real", "targeted"], "seeds": 1, "steps": 70, "parallel": 1}
    job_id = world.jobs.launch("experiment", options, "ada")
    folder = world.workspace.job(job_id)
    real = RunFolder.of(folder, "real", 1)
    until(lambda: [event for event in real.events_so_far() if event.get("done", 0) >= 60], "sixty steps of an arm")
    until(lambda: [row for row in world.rows("experiment_run") if row["job_id"] == job_id], "the first run in the store")
    child = [event for event in map(json.loads, JobFolder(folder).events.read_text().splitlines()) if event["event"] == "start"][-1]["pid"]
    os.kill(child, signal.SIGKILL)
    assert world.jobs.wait(job_id, loop_world.PATIENCE).status == "interrupted"
    assert not is_alive(child)
    before = [row for row in world.rows("experiment_run") if row["job_id"] == job_id]
    world.jobs.resume(job_id)
    ended = world.jobs.wait(job_id, loop_world.PATIENCE)
    assert (ended.status, ended.done) == ("done", 3), world.log_of(job_id)
    after = {row["arm"]: row for row in world.rows("experiment_run") if row["job_id"] == job_id}
    assert all(after[row["arm"]] == row for row in before)
    messages = [event["text"] for event in real.events_so_far() if event["event"] == "message"]
    assert any("goes on from snapshot step" in text for text in messages)
    assert {row["steps"] for row in after.values() if row["arm"] != "none"} == {70}


def test_a_cancelled_experiment_keeps_what_is_done(world):
    options = {**SMALL, "arms": ["none", "real"], "seeds": 1, "steps": 4000, "parallel": 1}
    job_id = world.jobs.launch("experiment", options, "ada")
    until(lambda: [row for row in world.rows("experiment_run") if row["job_id"] == job_id], "the first run in the store")
    world.jobs.cancel(job_id)
    assert world.jobs.wait(job_id, loop_world.PATIENCE).status == "cancelled"
    assert analysis.report(world.store, job_id).done_runs == 1


def test_what_an_arm_lacks_is_generated_first_and_the_experiment_follows(world):
    made = planned(world, arms=["none", "untargeted", "targeted_new"], n=20)
    assert {arm.arm for arm in made.short} >= {"untargeted"}
    wanted = Generation(generate={**TEACHER, "per_failure": 2}, draw={"model": "pocket-flux"}, filter=TEACHER)
    steps = generation.chain(world.store, world.workspace, world.jobs, made, wanted)
    last = Step(stage="experiment", options={**SMALL, "arms": ["none", "untargeted"], "seeds": 1, "n": 5})
    first, *rest = [*steps, last]
    job_id = world.jobs.launch(first.stage, first.options, "ada", [*first.then, *rest])
    stages = []
    while True:
        ended = world.jobs.wait(job_id, loop_world.PATIENCE)
        assert ended.status == "done", world.log_of(job_id)
        stages.append(ended.stage)
        if ended.stage == "experiment":
            break
        job_id = until(lambda job=job_id: chains.of(world.store, job).next, f"what follows {ended.stage}")
    assert stages[-4:] == ["generate_untargeted", "draw", "filter", "experiment"]
    rows = {source for source, _ in trained_on(world, job_id)["untargeted", 1]}
    assert rows == {"sample", "replay"}
    controls = {row["sample_id"] for row in world.rows("sample") if row["round"] == 0}
    assert {identity for source, identity in trained_on(world, job_id)["untargeted", 1] if source == "sample"} <= controls


def test_retrieved_examples_are_like_failures_and_not_replayed(world):
    job = world.job("experiment", {**SMALL, "arms": ["real", "retrieved"], "seeds": 1})
    by_run = trained_on(world, job.job_id)
    own, real = by_run["retrieved", 1], by_run["real", 1]
    assert Counter(source for source, _ in own) == {"real": 8, "replay": 12}
    assert {row for row in own if row[0] == "replay"} == {row for row in real if row[0] == "replay"}
    assert len({identity for _, identity in own}) == 20
    examples = {row["example_id"]: row for row in world.rows("example")}
    kinds = Counter(examples[identity]["kind"].partition("/")[0] for source, identity in by_run["retrieved", 1] if source == "real")
    failed = Counter(examples[row["example_id"]]["kind"].partition("/")[0] for row in world.rows("failure"))
    assert kinds.keys() & failed.keys()


def test_clusters_that_lack_samples_are_asked_for_by_what_they_bring(world):
    made = planned(world, arms=["targeted"], n=40)
    short = {str(lack.cluster or lack.error_type): lack.missing for lack in made.lacking}
    assert short and all(0 < lack.missing <= lack.quota for lack in made.lacking)
    (step,) = generation.chain(world.store, world.workspace, world.jobs, made, Generation(generate=TEACHER, filter=TEACHER))
    asked = step.options["weights"]
    assert set(asked) == set(short) and step.options["limit"] == sum(asked.values())
    seen = {str(row["cluster_id"] or row["error_type"]): row for row in world.store.rows("experiment_yield_by_cluster")}
    for name, failures in asked.items():
        row = seen.get(name, {"failures": 0, "passed": 0})
        brings = max(row["passed"] / row["failures"], 0.25) if row["failures"] >= 5 else 0.5 * 2 * 3
        assert (failures - 1) * brings < short[name] * 1.15 <= failures * brings
    options = GenerateOptions(**{**step.options, "budget_usd": None})
    chosen = failures_to_practise(world.store, world.workspace, 1, options)
    assert 0 < len(chosen) <= step.options["limit"] and {failure["error_type"] for failure in chosen} <= set(asked)


def test_an_arm_of_one_route_is_generated_by_that_route_alone(world):
    made = planned(world, arms=["targeted_same", "targeted_new"], n=60)
    assert [arm.arm for arm in made.short] == ["targeted_same", "targeted_new"] and made.lacking == []
    steps = generation.chain(world.store, world.workspace, world.jobs, made, Generation(generate=TEACHER, filter=TEACHER))
    assert [step.options["route"] for step in steps] == ["same_image", "new_image"]
    for step, arm in zip(steps, made.short):
        seen = world.store.row("experiment_yield_by_route", route=step.options["route"])
        assert seen["failures"] == 12
        brings = max(seen["passed"] / seen["failures"], 0.25)
        assert (step.options["limit"] - 1) * brings < arm.short * 1.15 <= step.options["limit"] * brings
        assert [after.stage for after in step.then] == ["draw", "filter"]
