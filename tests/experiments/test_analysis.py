"""What an experiment shows: figures against their definitions, runs that diverged or failed, examples that not all were asked."""

import json
import re
import time
from dataclasses import replace

import numpy as np
import pytest

from curation.experiments import analysis, arms, markdown
from curation.experiments.analysis import Item, KindsTurned, NothingMeasured, kind_names
from curation.statistics.intervals import holm
from curation.ui.experiments import charts, html_report
from tests.support.experiments import ARMS, GAINS, drawn_experiment
from tests.support.seed import seeded_store


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store, _, _ = seeded_store(tmp_path_factory.mktemp("analysis") / "seeded", 300, samples=20)
    yield store
    store.close()


@pytest.fixture(scope="module")
def report(store):
    return analysis.report(store, drawn_experiment(store))


def scores_of(store, job_id):
    """Strict scores by arm and seed, and the items in the same order."""
    items = store.rows("experiment_items", job_id=job_id)
    by_run: dict[tuple[str, int], dict[int, float]] = {}
    for row in store.rows("experiment_scores", job_id=job_id, score="strict"):
        by_run.setdefault((row["arm"], row["seed"]), {})[row["example_id"]] = row["score"]
    return {run: np.array([scores[item["example_id"]] for item in items]) for run, scores in by_run.items()}, items


def test_every_figure_follows_from_the_answers(store, report):
    by_run, items = scores_of(store, report.job_id)
    assert (report.items, report.left_out, report.base, report.reference) == (len(items), 0, "none", "real")
    kinds = np.array(kind_names(store.rows("experiment_items", Item, job_id=report.job_id)))
    for group in [report.overall, *report.by_kind]:
        members = np.ones(len(items), bool) if group is report.overall else kinds == group.name
        assert group.items == members.sum()
        for each in group.arms:
            seeds = [seed for arm, seed in by_run if arm == each.arm]
            assert each.accuracy == pytest.approx(np.mean([by_run[each.arm, seed][members] for seed in seeds]))
            golds = [item["golds"][0] for item, member in zip(items, members) if member]
            recalls = [np.mean([by_run[each.arm, seed][members][np.array(golds) == gold].mean() for gold in set(golds)]) for seed in seeds]
            assert each.balanced == pytest.approx(np.mean(recalls))
            if each.to_reference:
                gains = [(by_run[each.arm, s][members] - by_run["real", s][members]).mean() if each.arm != "none" else
                         (by_run["none", 0][members] - by_run["real", s][members]).mean() for s in (1, 2, 3)]  # fmt: skip
                assert each.to_reference.value == pytest.approx(np.mean(gains))
                assert each.to_reference.low <= each.to_reference.value <= each.to_reference.high
    for arm in ("targeted", "untargeted"):
        own = [(each.to_reference.p, each.p_holm) for group in report.by_kind for each in group.arms if each.arm == arm]
        assert [adjusted for _, adjusted in own] == pytest.approx(holm([p for p, _ in own]))


def test_gain_per_sample_and_pairs(report):
    gains = {arm.arm: arm.gain_per_100 for arm in report.arms}
    means = {each.arm: each.accuracy for each in report.overall.arms}
    assert gains["none"] is gains["replay"] is None
    for arm in ("real", "targeted", "untargeted"):
        assert gains[arm].value == pytest.approx((means[arm] - means["replay"]) * 100 / report.samples)
    pairs = {(pair.after, pair.before): pair.difference.value for pair in report.pairs}
    assert pairs["targeted", "untargeted"] == pytest.approx(means["targeted"] - means["untargeted"])
    assert GAINS["targeted"] > GAINS["untargeted"] and pairs["targeted", "untargeted"] > 0


def test_kinds_gained_and_lost_by_holm(report):
    assert [each.arm for each in report.turned] == [arm.name for arm in arms.ARMS if arm.name in ARMS and arm.name != "none"]
    for each in report.turned:
        changes = {group.name: one.to_base for group in report.by_kind for one in group.arms if one.arm == each.arm}
        sure = [name for name, p in zip(changes, holm([change.p for change in changes.values()])) if p < 0.05]
        assert each.gained + each.lost == sorted(sure, key=lambda name: (changes[name].value < 0, list(changes).index(name)))
    assert any(each.gained for each in report.turned)

    def worse(change):
        return change and replace(change, value=-change.value)

    mirrored = [replace(group, arms=[replace(one, to_base=worse(one.to_base)) for one in group.arms]) for group in report.by_kind]
    assert [(each.lost, each.gained) for each in analysis.turned(mirrored)] == [(each.gained, each.lost) for each in report.turned]
    lost = [KindsTurned("targeted", [], ["counting|2", "negation"])]
    assert "| targeted | 0 | counting\\|2, negation |" in markdown.written(replace(report, turned=lost))


def test_a_diverged_run_is_shown_and_not_counted(store):
    job_id = drawn_experiment(store, diverged=("targeted", 2))
    found = analysis.report(store, job_id)
    targeted = next(arm for arm in found.arms if arm.arm == "targeted")
    assert targeted.counted == 2 and [run.diverged for run in targeted.runs] == [None, "the loss rose from 1.200 to 3.400", None]
    by_run, _ = scores_of(store, job_id)
    mean = next(each.accuracy for each in found.overall.arms if each.arm == "targeted")
    assert mean == pytest.approx(np.mean([by_run["targeted", seed] for seed in (1, 3)]))
    assert targeted.runs[1].accuracy == pytest.approx(by_run["targeted", 2].mean())
    assert next(pair.seeds for pair in found.pairs if (pair.after, pair.before) == ("targeted", "real")) == 2
    for text in (markdown.written(found), html_report.written(found)):
        assert "seed 2 diverged and is not counted: the loss rose from 1.200 to 3.400" in text


def test_an_arm_without_a_counted_run_has_no_figures(store):
    found = analysis.report(store, drawn_experiment(store, seeds=(1,), diverged=("targeted", 1)))
    assert "targeted" not in [each.arm for each in found.overall.arms]
    assert "+N targeted, seed 1 diverged" in markdown.written(found) and "+N targeted, seed 1 diverged" in html_report.written(found)
    assert charts.shown_arm(found) == "untargeted"


def test_a_run_that_failed_is_told_and_the_others_stand(store):
    found = analysis.report(store, drawn_experiment(store, missing=("real", 3)))
    real = next(arm for arm in found.arms if arm.arm == "real")
    assert real.counted == 2 and real.failed == ["seed 3: its process was killed by signal 9 (out of memory?)"]
    assert found.done_runs == found.planned_runs - 1
    assert "+N real failed, seed 3: its process was killed" in markdown.written(found)


def test_examples_that_a_run_could_not_be_asked_are_left_out_and_counted(store):
    found = analysis.report(store, drawn_experiment(store, unasked=7))
    assert found.left_out == 7
    assert "7 more were left out" in markdown.written(found)


def test_without_its_reference_arms_are_held_against_the_checkpoint(store, report):
    other = analysis.report(store, report.job_id, reference="untargeted")
    assert other.reference == "untargeted"
    assert next(each.to_reference for each in other.overall.arms if each.arm == "untargeted") is None
    with pytest.raises(arms.UnknownArm):
        analysis.report(store, report.job_id, reference="best")
    with store.write() as write:
        job = {"stage": "experiment", "options": {}, "round": 1, "lane": "gpu", "status": "running", "total": 1, "author": "ada"}
        (job_id,) = write.insert("job", [job], returning="job_id")
        counts = {"samples": 1, "replay": 1, "steps": 1, "plan": {}}
        write.insert("experiment", [{"job_id": job_id, "round": 1, "checkpoint_id": 1, "arms": ["none"], "seeds": [1], **counts}])
    with pytest.raises(NothingMeasured, match="no run of experiment"):
        analysis.report(store, job_id)


def test_kinds_of_several_datasets_are_told_apart():
    items = [Item(i, dataset, "p", kind, tagged, ("a",)) for i, (dataset, kind, tagged) in enumerate(
        [("a", "negation/x", None), ("b", "negation/x", None), ("a", "counting/2", None), ("b", None, "spatial"), ("b", None, None)]
    )]  # fmt: skip
    assert kind_names(items) == ["negation/x (a)", "negation/x (b)", "counting/2", "spatial", "other"]


def test_the_html_report_stands_alone(report):
    page = html_report.written(report)
    assert 4_000_000 < len(page) < 8_000_000  # plotly.js is in it
    shell = page.replace(html_report.plotly_script(), "")
    assert not re.search(r"""(?:src|href)\s*=|https?://|@import|url\(""", shell)
    charts = json.loads(re.search(r"const charts = (\{.*\});", shell)[1])
    assert set(charts) == {"differences", "accuracies", "kinds", "slopes"}
    assert "var(--" not in json.dumps({name: chart["data"] for name, chart in charts.items()})
    for arm in ARMS:
        assert arms.BY_NAME[arm].title in shell


def test_names_from_datasets_are_escaped(store, report):
    from dataclasses import replace

    evil = "</script><script>alert(1)</script>|x"
    bad = replace(report, checkpoint=evil, by_kind=[replace(report.by_kind[0], name=evil), *report.by_kind[1:]])
    shell = html_report.written(bad).replace(html_report.plotly_script(), "")
    assert "<script>alert" not in shell
    assert "\\|x" in markdown.written(bad)


def test_figures_hold_what_the_report_says(report):
    drawn = charts.charts(report)
    points = {y: x for trace in drawn["differences"]["data"] for x, y in zip(trace["x"], trace["y"])}
    expected = {arms.BY_NAME[each.arm].title: each.to_reference.value for each in report.overall.arms if each.to_reference}
    assert points == pytest.approx(expected)
    assert charts.shown_arm(report) == "targeted" and charts.shown_arm(report, "untargeted") == "untargeted"
    kinds = {y for trace in drawn["kinds"]["data"] for y in trace["y"]}
    assert kinds == {"all", *(group.name for group in report.by_kind)}
    assert len(drawn["slopes"]["data"]) == len(report.by_kind)


def test_ten_arms_and_three_seeds_take_seconds(store):
    job_id = drawn_experiment(store)
    began = time.process_time()
    analysis.report(store, job_id)
    assert time.process_time() - began < 10
