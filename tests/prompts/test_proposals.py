"""Proposals that break rules are dropped, kept and counted; those that keep them become samples."""

import pytest

from curation.filtering import proposal_rules
from curation.stage import Job
from curation.stages.generate import Generate, GenerateOptions
from tests.support.seed import seeded_store

SEED = {
    "question": "What color is the circle?",
    "choices": [],
    "metric": "vqa_accuracy",
    "answer_form": "one word",
    "dataset": "d",
    "route": "same_image",
    "avoid": ["How many squares are there?"],
}


def proposal(question, answer="red", choices=(), image_prompt=None):
    return {"question": question, "answer": answer, "choices": list(choices), "image_prompt": image_prompt}


@pytest.mark.parametrize(
    "rule, given_proposal, changes",
    [
        ("question", proposal("  ?"), {}),
        ("self-contained", proposal("Is it the same as in the previous question?", "yes"), {}),
        ("self-contained", proposal("What should the gold answer be?"), {}),
        ("answer form", proposal("What color is the square?", ""), {}),
        ("answer form", proposal("What color is the square?", "It is red."), {}),
        ("answer form", proposal("What color is the square?", "a", ["red", "blue"]), {}),
        ("answer form", proposal("What color is the square?", "red"), {"choices": ["x", "y"]}),
        ("answer form", proposal("What color is the square?", "C", ["red", "blue"]), {"choices": ["x", "y"]}),
        ("answer form", proposal("What color is the square?", "A", ["red", "red"]), {"choices": ["x", "y"]}),
        ("answer form", proposal("What is shown?", "a red circle and a blue square beside a green triangle below"), {}),
        ("one answer", proposal("What color is the square?", "red or blue"), {}),
        ("one answer", proposal("What color is the square?", "red / blue"), {}),
        ("answer in question", proposal("What color is the red square?"), {}),
        ("paraphrase", proposal("What is the colour of the circle in this image?"), {}),
        ("paraphrase", proposal("what color is the circle"), {}),
        ("repeated", proposal("How many squares are there?", "2"), {}),
        ("image prompt", proposal("What color is the circle?"), {"route": "new_image"}),
        ("image prompt", proposal("What color is the circle?", image_prompt="  "), {"route": "new_image"}),
        ("image prompt", proposal("What color is the circle?", image_prompt="a circle"), {"route": "new_image"}),
    ],
)
def test_a_proposal_that_breaks_a_rule_is_dropped_with_its_name(rule, given_proposal, changes):
    kept, dropped = proposal_rules.sift([given_proposal], SEED | changes)
    assert kept == [] and [row["rule"] for row in dropped] == [rule], dropped
    assert dropped[0]["reason"] and dropped[0]["place"] == 0 and rule in proposal_rules.RULES


@pytest.mark.parametrize(
    "given_proposal, changes",
    [
        (proposal("What color is the square?"), {}),
        (proposal("Is the circle not red?", "no"), {}),
        (proposal("Is the square left or right of the circle?", "left"), {}),
        (proposal("Can the question be answered, or is it unanswerable?", "unanswerable"), {}),
        (proposal("How fast may one drive here?", "40 km/h"), {}),
        (proposal("What color is the circle?", "blue", image_prompt="a large blue circle at the top left"), {"route": "new_image"}),
        (proposal("How many squares are there?", "2", image_prompt="two red squares"), {"route": "new_image"}),  # as before, but there
        (proposal("Which color has the square?", "B", ["red", "blue"]), {"choices": ["x", "y"]}),
    ],
)
def test_a_proposal_that_keeps_the_rules_stays(given_proposal, changes):
    assert proposal_rules.broken_rule(given_proposal, SEED | changes) is None


def test_alike_proposals_of_one_reply_are_told_by_question_and_picture():
    twice = [
        proposal("What color is the square?"),
        proposal("What is the color of the triangle?"),
        proposal("What color is a square?", "blue"),
    ]
    kept, dropped = proposal_rules.sift(twice, SEED)
    assert [proposal["question"] for proposal in kept] == [proposal["question"] for proposal in twice[:2]]
    assert dropped[0]["rule"] == "repeated" and dropped[0]["place"] == 2 and "What color is the square?" in dropped[0]["reason"]
    new = [proposal("What color is it?", colour, image_prompt=f"a large {colour} circle") for colour in ("red", "blue", "red")]
    kept, dropped = proposal_rules.sift(new, SEED | {"route": "new_image"})
    assert len(kept) == 2 and [row["place"] for row in dropped] == [2]


def test_a_contrast_stands_beside_a_sample_of_the_same_picture():
    pair = [
        proposal("Which bar is the shortest?", image_prompt="a red bar of 10 and a blue bar of 30"),
        proposal("Which bar is the tallest?", "blue", image_prompt="a red bar of 10 and a blue bar of 30") | {"contrast": True},
    ]
    alone = proposal("Which bar is the tallest?", "green", image_prompt="a green bar of 20 and a red one of 5") | {"contrast": True}
    kept, dropped = proposal_rules.sift([*pair, alone], SEED | {"route": "new_image"})
    assert kept == pair and [(row["rule"], row["place"]) for row in dropped] == [("contrast", 2)]
    kept, dropped = proposal_rules.sift([proposal("  ?"), pair[1]], SEED)
    assert kept == [] and [row["rule"] for row in dropped] == ["question", "contrast"], "what it was beside was dropped"
    twin = proposal("Is the circle not red?", "no"), proposal("Is the circle red?", "yes") | {"contrast": True}
    assert proposal_rules.sift(twin, SEED)[0] == list(twin)


def test_a_sample_keeps_its_skill_and_shares_its_picture_with_its_contrast(tmp_path):
    store, _, _ = seeded_store(tmp_path / "w", 40, samples=0)
    failure = store.rows("prompt_failures", round=1, failure_ids=None, teachable=True, limit=1)[0]
    bars = "a red bar of 10 and a blue bar of 30"
    proposals = [
        proposal("Which bar is the shortest?", image_prompt=bars) | {"skill": "shortest bar ", "contrast": False},
        proposal("Which bar is the tallest?", "blue", image_prompt=bars) | {"skill": "tallest bar", "contrast": True},
        proposal("Which bar is the shortest?", "blue", image_prompt="another chart of two bars"),
    ]
    names = ("failure_id", "diagnosis_id", "dataset", "error_type", "image")
    result = {
        "key": "1/new_image",
        "route": "new_image",
        "proposals": proposals,
        "frontier": "m",
        "replies": [],
        **{n: failure[n] for n in names},
    }
    with store.write() as write:
        Generate().collect(write, Job(4, "generate", 1, GenerateOptions(images_per_prompt=2), tmp_path), [result])
    rows = store._cursor().execute("SELECT skill, contrast, seed FROM sample ORDER BY sample_id").fetchall()
    assert [row[:2] for row in rows] == [*[("shortest bar", False)] * 2, *[("tallest bar", True)] * 2, *[(None, False)] * 2]
    seeds = [row[2] for row in rows]
    assert seeds[:2] == seeds[2:4] and len(set(seeds)) == 4, "a picture a prompt and number"
    store.close()


def test_dropped_proposals_are_kept_counted_and_never_become_samples(tmp_path):
    store, _, workspace = seeded_store(tmp_path / "w", 40, samples=0)
    failure = store.rows("prompt_failures", round=1, failure_ids=None, teachable=True, limit=1)[0]
    row = {**failure, "route": "same_image", "avoid": []}
    proposals = [proposal(failure["question"]), proposal("Is there a purple star?", "no"), proposal("Is there a purple star?", "no")]
    kept, dropped = proposal_rules.sift(
        [sample | {"choices": failure["choices"]} for sample in proposals], row | {"metric": "vqa_accuracy"}
    )
    names = ("failure_id", "diagnosis_id", "dataset", "error_type", "route", "image")
    result = {"key": "1/same_image", "proposals": kept, "dropped": dropped, **{name: row[name] for name in names}}
    job = Job(4, "generate", 1, GenerateOptions(), tmp_path)
    for _ in range(2):  # taken up twice, as after a crash
        with store.write() as write:
            Generate().collect(write, job, [result | {"frontier": "m", "replies": []}])
    assert [row["rule"] for row in store.rows("dropped_proposals", job_id=4, limit=9)] == ["paraphrase", "repeated"]
    assert len(store.column("samples_of_job", job_id=4)) == 1
    assert Generate().finish(store, workspace, job) == "2 proposals broke a rule and were dropped: 1 paraphrase, 1 repeated"
    store.close()
