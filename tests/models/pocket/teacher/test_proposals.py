"""Pocket-teacher's proposals: right, new, of the skill, in the seed's form, as hard as asked for."""

import json
import random
from collections import Counter
from itertools import pairwise

import pytest

from curation.filtering.proposal_rules import sift
from data.registry import IMAGE_GENERATORS
from data.scenes import HEAVY_BLUR, Scene, Thing, caption, draw, random_things
from models.pocket.teacher import skills
from models.pocket.teacher.faithful import read_prompt
from models.pocket.teacher.reading import parse
from models.pocket.teacher.tasks import reply
from models.pocket.teacher.wire import ApiError, read
from tests.support.teacher_world import BLUR, LIGHT, THREE, ask, benchmark, body, choices_of, other_answer, png, proposals

SEED = {"choices": [], "metric": "exact_match", "answer_form": "one word", "dataset": "d", "avoid": []}


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
        if kind.startswith(("comparison", "chart")):
            continue  # these are rendered: test_chart_proposals.py
        assert found, kind
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


def drawn(sample) -> bytes:
    """The new picture of a sample: its spec rendered, or its prompt as data.scenes draws it."""
    if sample.picture_spec is None:
        return png(draw(scene_of(sample.image_prompt, random.Random(0))))
    (picture,) = IMAGE_GENERATORS.make("rendered").draw([sample.picture_spec.model_dump_json()], [0])
    return png(picture)


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
        ("Is there not a red circle?", "no", (0.65, 0.95)),
        ("Is the blue square on the left or on the right?", "right", (0.65, 0.95)),
        ("What shape is the green object?", "hexagon", (0.15, 0.5)),
    ],
)
def test_answers_vary_so_that_none_can_be_guessed(question, gold, share):
    answers = Counter(s.answer for i in range(25) for s in proposals(png(draw(THREE)), question, gold, "x", "new_image", avoid=f"- {i}"))
    assert share[0] <= answers[gold] / answers.total() <= share[1], answers


@pytest.mark.parametrize(
    ("scene", "question", "gold", "choices"),
    [
        (THREE, "How many objects are there?", "3", ""),
        (THREE, "How many sides does the green shape have?", "6", ""),
        (BLUR, "What shape is the object?", "unanswerable", ""),
        (THREE, "What color is the square?", "C", "A. red\nB. green\nC. blue"),
    ],
)
def test_where_the_answer_is_the_skill_it_is_kept(scene, question, gold, choices):
    for route in ("same_image", "new_image"):
        found = proposals(png(draw(scene)), question, gold, "x", route, 6, choices=choices)
        assert all(sample.answer == gold for sample in found), found
    assert len(found) == 6


def failed_skill(picture: bytes, question: str, gold: str, answer: str, choices: str = "") -> str:
    return ask("diagnosis", picture, question=question, golds=gold, answer=answer, choices=choices).skill


def test_every_sample_states_the_failed_skill_and_blind_it_is_the_one_that_it_needs():
    on_skill = Counter()
    for picture, question, gold, answer, choices, kind in seeds(2):
        failed = failed_skill(picture, question, gold, answer, choices)
        for route in ("same_image", "new_image"):
            for sample in proposals(picture, question, gold, answer, route, choices=choices, skill=failed):
                assert skills.same(sample.skill, failed) and not sample.contrast, (kind, question, sample)
                shown = picture if route == "same_image" else drawn(sample)
                options = "\n".join(f"{'ABC'[i]}. {choice}" for i, choice in enumerate(sample.choices))
                named = ask("on_skill", shown, question=sample.question, choices=options, skills=f"- {failed}\n- counting cats")
                on_skill[named.skill == failed] += 1
    assert on_skill[True] > 150 and on_skill[True] / on_skill.total() >= 0.97, on_skill


def test_the_seeds_own_fact_is_asked_of_other_pictures_alone():
    for picture, question, gold, answer, choices, _ in seeds(2):
        if not choices and gold != "unanswerable":
            seed = parse(question)
            for sample in proposals(picture, question, gold, answer, "same_image"):
                assert parse(sample.question) != seed, (question, sample)


@pytest.mark.parametrize(
    ("scene", "question", "gold", "route", "opposite"),
    [
        (THREE, "Is there not a red circle?", "no", "same_image", lambda one, other: parse(one).negated and not parse(other).negated),
        (THREE, "Is there not a red circle?", "no", "new_image", lambda one, other: parse(one).negated and not parse(other).negated),
        (
            THREE,
            "Is the blue square at the top or at the bottom?",
            "top",
            "same_image",
            lambda one, other: "top" in one and "left" in other,
        ),
    ],
)
def test_contrasts_ask_the_opposite_of_the_same_picture(scene, question, gold, route, opposite):
    found = proposals(png(draw(scene)), question, gold, "x", route, 4, contrasts=2)
    twins = [sample for sample in found if sample.contrast]
    assert 1 <= len(twins) <= len(found) / 2 and not found[0].contrast
    for before, sample in pairwise(found):
        if sample.contrast:
            assert before.image_prompt == sample.image_prompt and opposite(before.question, sample.question), (before, sample)
            assert not skills.same(before.skill, sample.skill) and sample.skill
    kept, dropped = sift([sample.model_dump() for sample in found], SEED | {"question": question, "route": route})
    assert not dropped and len(kept) == len(found)


def test_where_there_is_no_opposite_all_samples_are_of_the_skill():
    found = proposals(png(draw(THREE)), "How many sides does the green shape have?", "6", "4", "new_image", 4, contrasts=2)
    assert len(found) == 4 and not any(sample.contrast for sample in found)
    assert {sample.answer for sample in found} == {"6"}


def test_the_contrast_of_a_letter_is_another_letter():
    choices = "A. red\nB. green\nC. blue"
    found = proposals(png(draw(THREE)), "What color is the square?", "C", "B", "new_image", 6, contrasts=2, choices=choices)
    assert [sample.answer == "C" for sample in found] == [not sample.contrast for sample in found]
    assert sum(sample.contrast for sample in found) == 2 and all(len(set(sample.choices)) == 3 for sample in found)


def test_most_questions_are_in_the_seeds_own_words_and_some_in_others():
    seed = "Does the photo not contain a red circle?"
    found = [s.question for i in range(15) for s in proposals(png(draw(THREE)), seed, "no", "yes", "same_image", avoid=f"- {i}")]
    own = sum(text.startswith("Does the photo not contain") for text in found) / len(found)
    assert 0.6 < own < 0.95 and len({text.split()[0] for text in found}) > 1


def test_form_follows_the_seed():
    found = proposals(png(draw(THREE)), "How many objects are there?", "three", "two", "new_image")
    assert found and all(sample.answer == "three" for sample in found)
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
