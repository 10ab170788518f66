"""Pocket-teacher's proposals: right, new, of the skill, in the seed's form, as hard as asked for."""

import json
import random
from collections import Counter

import pytest

from data.scenes import HEAVY_BLUR, Scene, Thing, caption, draw, random_things
from models.pocket.teacher.faithful import read_prompt
from models.pocket.teacher.questions import parse
from models.pocket.teacher.tasks import reply
from models.pocket.teacher.wire import ApiError, read
from tests.support.teacher_world import BLUR, LIGHT, THREE, ask, benchmark, body, choices_of, other_answer, png, proposals


def seeds(count: int = 3):
    """Failures of every kind: picture, question, gold, wrong answer, choices, kind."""
    rng, counts = random.Random(4), Counter()
    for _, example, picture in benchmark("train", limit=160):
        counts[example.kind] += 1
        if counts[example.kind] <= count:
            yield picture, example.question, example.golds[0], other_answer(example, rng), choices_of(example), example.kind


def test_proposals_on_the_same_picture_are_right_new_and_of_the_skill():
    for picture, question, gold, answer, choices, kind in seeds():
        found = proposals(picture, question, gold, answer, "same_image", choices=choices)
        texts = [sample.question for sample in found]
        assert len(set(texts)) == len(texts) and question not in texts and all(sample.image_prompt is None for sample in found)
        for sample in found:
            options = "\n".join(f"{'ABC'[i]}. {choice}" for i, choice in enumerate(sample.choices))
            judged = ask("judge", picture, question=sample.question, answer=sample.answer, choices=options)
            assert judged.score == 3, (kind, question, sample, judged)
            assert parse(sample.question).skill and len(sample.choices) == (3 if choices else 0)
            assert question[0].islower() == sample.question[0].islower()


def test_proposals_for_new_pictures_fix_every_fact_of_their_answer():
    """The prompt drawn as data.scenes draws it: the proposed answer is what is then seen."""
    total = 0
    for picture, question, gold, answer, choices, kind in seeds():
        found = proposals(picture, question, gold, answer, "new_image", choices=choices)
        assert bool(found) != kind.startswith(("comparison", "chart")), kind  # no generator at hand draws charts
        assert len({(sample.question, sample.image_prompt) for sample in found}) == len(found)
        for sample in found:
            for seed in range(2):
                drawn = png(draw(scene_of(sample.image_prompt, random.Random(seed))))
                options = "\n".join(f"{'ABC'[i]}. {choice}" for i, choice in enumerate(sample.choices))
                judged = ask("judge", drawn, question=sample.question, answer=sample.answer, choices=options)
                assert judged.score == 3, (kind, question, sample, judged)
                total += 1
    assert total > 300


def test_harder_pictures_hold_more_things_and_are_right_all_the_same():
    mean = {}
    for difficulty in ("easier than the seed", "as the seed", "harder than the seed"):
        shown = []
        for i in range(12):
            picture = png(draw(random_things(random.Random(i), 2)))
            for sample in proposals(picture, "Is there a red circle?", "no", "yes", "new_image", 8, difficulty=difficulty):
                shown.append(len(read_prompt(sample.image_prompt).things))
                drawn = png(draw(scene_of(sample.image_prompt, random.Random(i))))
                assert ask("judge", drawn, question=sample.question, answer=sample.answer).score == 3
        mean[difficulty] = sum(shown) / len(shown)
    assert mean["easier than the seed"] == 1 < mean["as the seed"] < 2 < mean["harder than the seed"]


def scene_of(prompt: str, rng: random.Random) -> Scene:
    """A scene that a prompt allows, its freedom used."""
    wanted = read_prompt(prompt)
    things = []
    for (size, colour, shape), (x, y) in zip(wanted.things, rng.sample([(17, 17), (47, 17), (17, 47), (47, 47)], len(wanted.things))):
        things.append(Thing(shape, colour, size, x, y))
    if wanted.relation:
        places = {"left": ((17, 30), (47, 34)), "right": ((47, 30), (17, 34)), "above": ((30, 17), (33, 47)), "below": ((30, 47), (33, 17))}
        things = [Thing(t.shape, t.colour, t.size, *place) for t, place in zip(things, places[wanted.relation])]
    scene = Scene(LIGHT, tuple(things), blur=HEAVY_BLUR if wanted.blurred else 0.0)
    assert not wanted.blurred or caption(scene).startswith("a very blurry photo of")
    return scene


@pytest.mark.parametrize(
    ("question", "gold", "share"),
    [
        ("Is there not a red circle?", "no", (0.35, 0.65)),
        ("How many objects are there?", "3", (0.35, 0.65)),
        ("How many sides does the green shape have?", "6", (0.35, 0.65)),
        ("Is the blue square on the left or on the right?", "right", (0.35, 0.65)),
        ("What shape is the green object?", "hexagon", (0.15, 0.5)),
    ],
)
def test_answers_vary_so_that_none_can_be_guessed(question, gold, share):
    answers = Counter(s.answer for i in range(25) for s in proposals(png(draw(THREE)), question, gold, "x", "new_image", avoid=f"- {i}"))
    assert share[0] <= answers[gold] / answers.total() <= share[1], answers


def test_unanswerable_is_practised_beside_its_twin():
    found = [
        s
        for i in range(20)
        for s in proposals(png(draw(BLUR)), "What shape is the object?", "unanswerable", "circle", "new_image", avoid=f"- {i}")
    ]
    share = sum(sample.answer == "unanswerable" for sample in found) / len(found)
    assert 0.5 <= share <= 0.8
    assert all((sample.answer == "unanswerable") == ("very blurry" in sample.image_prompt) for sample in found)


def test_the_failed_letter_is_right_more_often_and_the_others_too():
    letters = Counter()
    for i in range(25):
        found = proposals(
            png(draw(THREE)), "What color is the square?", "C", "B", "new_image", avoid=f"- {i}", choices="A. red\nB. green\nC. blue"
        )
        letters.update(sample.answer for sample in found)
        assert all(len(set(sample.choices)) == 3 for sample in found)
    assert 0.35 <= letters["C"] / letters.total() <= 0.65 and min(letters["A"], letters["B"]) > 10, letters


def test_negation_is_practised_with_affirmative_twins():
    found = [
        s.question
        for i in range(20)
        for s in proposals(png(draw(THREE)), "Is there not a red circle?", "no", "yes", "same_image", avoid=f"- {i}")
    ]
    negated = sum(parse(text).negated for text in found) / len(found)
    assert 0.5 <= negated <= 0.85


def test_form_follows_the_seed():
    found = proposals(png(draw(THREE)), "How many objects are there?", "three", "two", "same_image")
    assert found and all(sample.answer in ("one", "two", "three") for sample in found)
    found = proposals(png(draw(THREE)), "Is there a red circle?", "Yes", "No", "same_image")
    assert found and all(sample.answer in ("Yes", "No") for sample in found)


def test_what_is_written_already_is_not_repeated():
    picture, seen = png(draw(THREE)), set()
    for _ in range(3):
        avoid = "\n".join(f"- {text}" for text in seen)
        texts = {s.question for s in proposals(picture, "Is there a red circle?", "yes", "no", "same_image", avoid=avoid)}
        assert len(texts) == 4 and not texts & seen
        seen |= texts


def test_the_same_request_gets_the_same_proposals_and_another_seed_others():

    fields = {"question": "Is there a red circle?", "golds": "yes", "answer": "no", "route": "new_image", "count": 5}
    found = body("proposal", png(draw(THREE)), error_type="", faulty_reasoning="", key_elements="", **fields)
    texts = [reply(read(json.dumps(found | extra).encode())) for extra in ({}, {}, {"seed": 5}, {"temperature": 1})]
    assert texts[0] == texts[1] and len(set(texts)) == 3


@pytest.mark.parametrize(("route", "count"), [("by_hand", 3), ("same_image", "many"), ("", 3)])
def test_proposals_need_a_route_and_a_number(route, count):
    with pytest.raises(ApiError):
        proposals(png(draw(THREE)), "Is there a red circle?", "yes", "no", route, count)


# titles
