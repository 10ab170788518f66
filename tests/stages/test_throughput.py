"""Slots are kept busy: by the stages that ask an API, and by what follows from a reply."""

from pathlib import Path

from PIL import Image

from benchmarks.parts.llm_server import Order, running
from curation.stage import Context
from curation.stages.diagnose import Diagnose
from data.workspace import Workspace
from models.frontier import Outcome, Request
from tests.support.frontier_world import BlindAnswer, chaos, client, requests


def failures(folder: Path, count: int):
    path = folder / "picture.png"
    Image.effect_noise((64, 64), 60).save(path)
    fixed = {"choices": [], "golds": ["two"], "answer": "three", "metric": "vqa_accuracy", "answer_form": "a number"}
    fixed["image_path"] = str(path)
    return [{"key": str(i), "failure_id": i, "question": f"How many dots are in row {i}?", **fixed} for i in range(count)]


def test_a_diagnosis_begins_when_its_blind_answer_is_there_and_slots_stay_busy(tmp_path):
    rows = failures(tmp_path, 600)
    assert len(rows) <= Diagnose.batch_size
    with running(Order(slots=64, latency_s=0.3)) as (url, log):
        options = Diagnose.Options(endpoint=url, model="m", concurrency=64)
        stage = Diagnose()
        stage.setup(Context(Workspace(tmp_path / "workspace").create(), tmp_path, options, lambda: False, lambda event: None))
        results = list(stage(rows))
        said = log.read()
    assert sorted(int(result["key"]) for result in results) == list(range(600))
    assert all(result["error_type"] == "counting" and result["own_answer"] == "counting" for result in results), results[0]
    assert all(len(set(result["replies"])) == 2 for result in results), "the blind answer's and the diagnosis's"
    assert said["calls"] == 1200 and said["most"] == 64
    assert said["busy"] > 0.5, "0.93 on two cores at a load of 3; in batches of 128, blind answers first, 0.67"


def test_what_follows_from_a_reply_is_asked_also_when_the_requests_are_through(tmp_path):
    seen: list[str] = []

    def then(outcome: Outcome) -> Request | None:
        seen.append(outcome.key)
        if outcome.error or outcome.key.count("+") == 2:
            return None
        return Request(outcome.key + "+", "blind", "You answer.", f"and then, {outcome.parsed.answer}?", (), BlindAnswer)

    with chaos(always_bad="question 3") as server, client(server, tmp_path / "journal.sqlite", concurrency=2) as frontier:
        outcomes = [outcome.key for outcome in frontier.ask_all(requests(5), then=then)]
    answered = [f"row{i}{'+' * turn}" for i in (0, 1, 2, 4) for turn in range(3)]
    assert sorted(outcomes) == sorted(seen) == sorted([*answered, "row3"])


def test_a_stop_leaves_no_follower_behind(tmp_path):
    with chaos(latency_s=0.02) as server, client(server, tmp_path / "journal.sqlite", concurrency=2) as frontier:
        outcomes = []
        again = frontier.ask_all(requests(1), lambda: len(outcomes) >= 3, lambda outcome: requests(1, start=len(outcomes) + 1)[0])
        for outcome in again:
            outcomes.append(outcome)
        assert 3 <= len(outcomes) <= 5
