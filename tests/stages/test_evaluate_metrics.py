"""What Evaluate asks and scores where a metric wants more than one answer or one example: circular evaluation, CIDEr."""

import io
import json
import re

import pytest
from PIL import Image

from curation import checkpoints
from curation.scoring import Scorer
from curation.stage import Job, NothingToDo
from curation.stages.evaluate import Evaluate, EvaluateOptions
from data.images import BadImage, ImageStore
from data.records import Checkpoint
from data.store import Store
from data.workspace import Workspace
from models.baselines._transformers import Answer as Written


class SeesBlue:
    """Answers with the letter before "blue", or always with B, or describes; `broken` answers fail."""

    def __init__(self, always=None, broken=()):
        self.always, self.broken, self.asked = always, broken, []

    def answer(self, asks):
        self.asked += [ask.text for ask in asks]
        return [
            BadImage("no image") if i in self.broken else self.always or re.search(r"([A-Z])\. blue", ask.text)[1]
            for i, ask in enumerate(asks)
        ]


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "store.duckdb")
    buffer = io.BytesIO()
    Image.new("RGB", (32, 32), "blue").save(buffer, "PNG")
    image = ImageStore(Workspace(tmp_path / "home").images).add(buffer.getvalue(), "a blue image").sha256
    about = {"threshold": 0.5, "prompt_suffix": "Answer with the letter.", "answer_form": ""}
    row = {"split": "train", "image": image, "question": "What color?", "choices": ["red", "blue", "green"], "golds": ["B"]}
    captions = [["a dog on a beach"], ["a cat on a table"], ["a dog with a kite"]]
    with made.write() as write:
        write.insert("dataset", [{**about, "name": "bench", "metric": "mmbench_circular"}, {**about, "name": "coco", "metric": "cider"}])
        write.insert("example", [{**row, "dataset": "bench", "external_id": "1"}])
        write.insert(
            "example",
            [{**row, "dataset": "coco", "external_id": str(i), "choices": [], "golds": golds} for i, golds in enumerate(captions)],
        )
    checkpoints.register(made, Checkpoint("m", "pocket", "nowhere"))
    checkpoints.begin_round(made, "m")
    yield made
    made.close()


def evaluated(store, tmp_path, dataset, baseline, **options):
    stage = Evaluate()
    job = Job(1, "evaluate", 1, EvaluateOptions(datasets=[dataset], **options), tmp_path)
    rows = json.loads(json.dumps(stage.select(store, Workspace(tmp_path / "home"), job)))
    stage.baseline, stage.scorer = baseline, Scorer(tmp_path)
    results = list(stage(rows))
    with store.write() as write:
        stage.collect(write, job, [result for result in results if "error" not in result])
    return results


def test_circular_evaluation_asks_every_rotation_and_keeps_every_answer(store, tmp_path):
    baseline = SeesBlue()
    (result,) = evaluated(store, tmp_path, "bench", baseline)
    assert [text.split("\n")[1:4] for text in baseline.asked] == [
        ["A. red", "B. blue", "C. green"],
        ["A. blue", "B. green", "C. red"],
        ["A. green", "B. red", "C. blue"],
    ]
    assert (result["answer"], result["strict"], result["read"]) == ('["B", "A", "C"]', 1, "B, B, B")
    (kept,) = store.rows("predictions_list", checkpoint_id=1, dataset=None, split=None, differing=False, limit=9)
    assert (kept["answer"], kept["strict"]) == ('["B", "A", "C"]', 1)


def test_always_the_same_letter_fails_circular_evaluation(store, tmp_path):
    (result,) = evaluated(store, tmp_path, "bench", SeesBlue(always="B"))
    assert (result["strict"], result["lenient"], result["read"]) == (0, 0, "B, C, A")
    assert len(store.rows("failure_ids", round=1)) == 1


def test_one_rotation_that_cannot_be_asked_is_an_error_of_the_example(store, tmp_path):
    (result,) = evaluated(store, tmp_path, "bench", SeesBlue(broken=(1,)))
    assert result["error"] == "no image"


def test_captions_are_scored_by_the_golds_of_their_whole_split(store, tmp_path):
    results = evaluated(store, tmp_path, "coco", SeesBlue(always="a dog on a beach"))
    scores = {result["key"]: result["strict"] for result in results}
    assert max(scores.values()) == pytest.approx(1) and min(scores.values()) < 0.2
    assert [path.name for path in tmp_path.glob("golds-*.jsonl")] == ["golds-0.jsonl"]


class CutsAtTwo:
    """Answers with the limits that it was given; what may have two tokens at most is cut."""

    def answer(self, asks):
        answers = [Written(f"{ask.max_new_tokens} {' '.join(ask.stop)}".strip()) for ask in asks]
        for answer, ask in zip(answers, asks):
            answer.cut = ask.max_new_tokens == 2
        return answers


def test_limits_are_set_by_dataset_and_what_is_cut_is_marked_and_counted(store, tmp_path):
    with pytest.raises(NothingToDo, match="no dataset bank to set limits for; there are: bench, coco"):
        evaluated(store, tmp_path, "coco", CutsAtTwo(), new_tokens={"bank": 2})
    results = evaluated(store, tmp_path, "coco", CutsAtTwo(), new_tokens={"coco": 2}, stop={"coco": "end", "bench": "x"})
    assert [(result["answer"], result["cut"]) for result in results] == [("2 end", True)] * 3
    rows = store.rows("predictions_list", checkpoint_id=1, dataset=None, split=None, differing=False, limit=9)
    assert [row["cut"] for row in rows] == [True] * 3
    job = Job(1, "evaluate", 1, EvaluateOptions(), tmp_path)
    assert Evaluate().finish(store, Workspace(tmp_path / "home"), job).startswith("3 answers were cut at the longest length")
    (other,) = evaluated(store, tmp_path, "bench", SeesBlue(always="B"))
    assert "cut" not in other
