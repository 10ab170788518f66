"""Charts get new pictures: from a failure over a spec and its rendering to filters, the card and exports, by jobs with the real parts."""

import json
from collections import Counter

import pyarrow.parquet as pq
import pytest

from curation import checkpoints
from curation.review import blinding
from curation.review.cards import cards
from curation.stages.draw import DrawOptions
from curation.workspaces.builtin import POCKET_LLAVA
from data.images import ImageStore
from data.picture_specs.computed import AnswerFrom, check
from data.picture_specs.spec import PictureSpec
from data.records import ExportedSample
from data.registry import EXPORTS, IMAGE_GENERATORS
from models.pocket.teacher.eyes import see
from tests.support import loop_world
from tests.support.loop_world import PATIENCE, TEACHER
from tests.support.stores import differences

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def charted(tmp_path_factory):
    """A round on charts alone, up to the proposals."""
    world = loop_world.World(tmp_path_factory.mktemp("charts") / "charts")
    source = {"family": "chart", "train": 48, "dev": 4, "eval": 8}
    assert world.jobs.wait(world.jobs.launch("import", {"format": "pocket_vqa", "source": source}, "ada"), PATIENCE).status == "done"
    checkpoints.register(world.store, POCKET_LLAVA)
    checkpoints.begin_round(world.store, POCKET_LLAVA.name)
    world.job("evaluate", {"splits": ["train"]})
    world.job("diagnose", TEACHER)
    world.results["generated"] = world.job(
        "generate", {**TEACHER, "limit": 10, "per_failure": 2, "route": "new_image", "images_per_prompt": 2}
    )
    yield world
    world.close()


@pytest.fixture(scope="module")
def rendered(charted):
    """… rendered and filtered."""
    charted.results["estimate"] = charted.jobs.estimate("draw", {})
    charted.results["drawn"] = charted.job("draw", {})
    charted.results["filtered"] = charted.job("filter", TEACHER)
    return charted


def test_a_chart_that_failed_is_practised_on_new_charts_with_the_failed_skill(charted):
    samples = charted.rows("sample")
    failures = {row["failure_id"]: row for row in charted.rows("failure_card")}
    assert len(samples) >= 15 and {row["route"] for row in samples} == {"new_image"}
    for row in samples:
        spec, expression = PictureSpec.model_validate_json(row["picture_spec"]), AnswerFrom.model_validate_json(row["answer_from"])
        assert spec.kind == "bars" and row["image_prompt"] is None and row["seed"] == spec.seed
        assert check(expression, spec, row["answer"]).agrees
    low = ("shortest", "lowest")
    asked = [row for row in samples if any(word in failures[row["failure_id"]]["question"] for word in low)]
    assert asked and sum(any(word in row["question"] for word in low) for row in asked) >= 0.5 * len(asked)
    pictures = Counter(row["picture_spec"] for row in samples)
    assert len(pictures) > len(samples) / 3 and len(Counter(row["answer"] for row in asked)) > 2


def test_specs_are_rendered_whatever_draws_prompts_and_cost_nothing(rendered):
    samples = {row["sample_id"]: row for row in rendered.rows("sample")}
    estimate = rendered.results["estimate"]
    assert (estimate.rows, estimate.calls, estimate.usd) == (len(samples), 0, (0.0, 0.0))
    assert estimate.detail == {"drawn": 0, "rendered": len(samples)}
    drawings = rendered.rows("drawing")
    assert {row["sample_id"] for row in drawings} == set(samples) and {row["generator"] for row in drawings} == {"rendered"}
    images = ImageStore(rendered.workspace.images)
    for row in drawings:
        seen = see(images.open(row["image"]))
        assert json.loads(row["recipe"])["generator"] == "rendered"
        told = json.loads(samples[row["sample_id"]]["picture_spec"])["rows"]
        assert [bar.colour for bar in seen.bars] == [colour for colour, _ in told]
        assert [bar.height for bar in seen.bars] == pytest.approx([height for _, height in told], abs=1.5)
    by_spec = {(samples[row["sample_id"]]["picture_spec"], row["image"]) for row in drawings}
    assert len(by_spec) == len({spec for spec, _ in by_spec})  # the same spec shows the same picture


def test_filters_hold_the_answer_against_the_data(rendered):
    verdicts = [row for row in rendered.rows("verdict") if row["filter"] == "computed_answer"]
    assert len(verdicts) == len(rendered.rows("sample")) and {row["score"] for row in verdicts} == {1}
    assert all("the data gives" in row["reason"] for row in verdicts)
    statuses = Counter(row["status"] for row in rendered.rows("sample_state"))
    assert statuses["pending"] > 0.7 * statuses.total(), (statuses, [row for row in rendered.rows("verdict") if row["score"] == 0][:5])
    assert differences(rendered.store) == 0


def test_the_card_and_exports_hold_spec_and_computed_answer(rendered, tmp_path):
    sample = rendered.rows("sample")[0]
    (card,) = cards(rendered.store, [sample["sample_id"]])
    assert card.picture_spec == json.loads(sample["picture_spec"])
    assert card.computed and card.computed.agrees and card.computed.answer == sample["answer"]
    blinding.set_everywhere(rendered.store, True, "ada")
    try:
        (hidden,) = blinding.cards(rendered.store, "bea", [card])
        assert hidden.computed is None and hidden.picture_spec
    finally:
        blinding.set_everywhere(rendered.store, False, "ada")
    loop_world.approve_what_passes(rendered.store)
    exported = rendered.store.rows("samples_to_export", ExportedSample, statuses=["approved"])
    assert exported and all(row.picture_spec and row.answer_from for row in exported)
    images = ImageStore(rendered.workspace.images)
    written = {name: EXPORTS.make(name).write(iter(exported), images.path, tmp_path / name) for name in EXPORTS.names()}
    first = exported[0].picture_spec
    assert json.loads(written["jsonl"].read_text(encoding="utf-8").splitlines()[0])["picture_spec"] == first
    assert json.loads(written["llava"].read_text(encoding="utf-8"))[0]["picture_spec"] == first
    assert json.loads(pq.read_table(written["parquet"]).to_pylist()[0]["picture_spec"]) == first


def test_a_wrong_answer_and_a_bad_spec_are_told_on_their_sample_and_the_rest_goes_on(rendered):
    """As a frontier model would propose them: the answer is not what the data gives; the chart can't be rendered; a prompt goes beside."""
    given = rendered.rows("sample")[0]
    chart = {"kind": "vega-lite", "title": "", "columns": ["city", "n"], "rows": [["Oslo", 3], ["Bergen", 2]]}
    bar = {"mark": "bar", "encoding": {"x": {"field": "city"}, "y": {"field": "n", "type": "quantitative"}}}
    lowest = {"op": "argmin", "column": "n", "label": "city"}
    proposals = {
        "wrong": ({**chart, "vega_lite": json.dumps(bar)}, lowest, "Oslo"),
        "right": ({**chart, "vega_lite": json.dumps(bar)}, lowest, "Bergen"),
        "tie": ({**chart, "rows": [["Oslo", 3], ["Bergen", 3]], "vega_lite": json.dumps(bar)}, lowest, "Oslo"),
        "untold": ({**chart, "vega_lite": json.dumps(bar)}, None, "Oslo"),
        "broken": ({**chart, "vega_lite": json.dumps({"mark": "blob"})}, lowest, "Bergen"),
    }
    rows = [
        {
            **{name: given[name] for name in ("round", "failure_id", "diagnosis_id", "dataset", "error_type", "route")},
            "key": name,
            "question": "Which city has the fewest?",
            "choices": [],
            "answer": answer,
            "seed": 1,
            "picture_spec": spec,
            "answer_from": expression,
        }
        for name, (spec, expression, answer) in proposals.items()
    ]
    with rendered.store.write() as write:
        write.touch(write.insert("sample", rows, returning="sample_id"))
    ids = {row["key"]: row["sample_id"] for row in rendered.rows("sample") if row["key"] in proposals}
    job = rendered.job("draw", {}, rows_may_fail=True)
    assert (job.total, job.failed) == (5, 1)
    (error,) = rendered.errors(job.job_id)
    assert error["key"] == str(ids["broken"]) and "the vega-lite can't be rendered" in error["error"]
    judged = rendered.job("filter", {**TEACHER, "filters": ["computed_answer", "image_quality"], "sample_ids": list(ids.values())})
    assert judged.failed == 0
    verdicts = {row["sample_id"]: row for row in rendered.rows("verdict") if row["filter"] == "computed_answer"}
    assert [verdicts[ids[name]]["score"] for name in ("wrong", "right", "tie", "untold")] == [0, 1, 0, 1]
    assert verdicts[ids["wrong"]]["reason"] == "the data gives “Bergen” (argmin), not “Oslo”"
    assert "tie with 3" in verdicts[ids["tie"]]["reason"] and "does not say how" in verdicts[ids["untold"]]["reason"]
    (card,) = cards(rendered.store, [ids["tie"]])
    assert card.computed and not card.computed.agrees and "tie" in card.computed.problem


def test_the_renderer_is_not_chosen_for_prompts():
    with pytest.raises(ValueError, match="draws specs whatever is chosen here"):
        DrawOptions(generator="rendered")
    with pytest.raises(ValueError, match="options of rendered: seconds"):
        DrawOptions(renderer_options={"seconds": -1})
    assert IMAGE_GENERATORS.load("rendered").draws == "spec"
