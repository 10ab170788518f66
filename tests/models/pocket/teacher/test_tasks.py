"""Diagnosing, judging, titling and naming kinds: pocket-teacher asked in the product's own prompts."""

import random
from collections import Counter, defaultdict

import pytest

from curation.error_types import BY_NAME, glossary, of_kind
from data.scenes import HEAVY_BLUR, Scene, draw, random_chart, random_things
from models.pocket.teacher.diagnosing import choose_type, golds_of
from models.pocket.teacher.titles import TEN
from models.pocket.teacher.wire import ApiError
from tests.support.teacher_world import BLUR, CHART, THREE, ask, benchmark, choices_of, other_answer, png


def diagnose(scene: Scene, question: str, gold: str, answer: str, choices: str = ""):
    return ask("diagnosis", png(draw(scene)), question=question, golds=gold, answer=answer, choices=choices)


def test_judges_right_answers_3_and_wrong_ones_1():
    rng, scores = random.Random(1), {"right": Counter(), "wrong": Counter()}
    for _, example, picture in benchmark("dev", limit=60):
        for name, answer in (("right", example.golds[0]), ("wrong", other_answer(example, rng))):
            found = ask("judge", picture, question=example.question, choices=choices_of(example), answer=answer)
            scores[name][found.score] += 1
    assert scores["right"][3] / scores["right"].total() >= 0.95, scores
    assert scores["wrong"][1] / scores["wrong"].total() >= 0.95, scores


@pytest.mark.parametrize(
    ("question", "answer", "choices", "score"),
    [
        ("How many objects are there?", "three", "", 3),
        ("How many objects are there?", "The answer is 3.", "", 3),
        ("How many objects are there?", "", "", 1),
        ("What color is the square?", "B", "A. red\nB. blue\nC. green", 3),
        ("What color is the square?", "blue", "A. red\nB. blue\nC. green", 1),  # the letter is asked for
        ("What color is the square?", "B", "A. red\nB. blue\nC. blue", 1),
        ("What color is the square?", "A", "A. blue\nB. red\nC. red", 2),  # two options are alike
        ("What color is the pentagon?", "red", "", 1),  # there is none
        ("Who is in the photo?", "Anna", "", 2),
    ],
)
def test_judges_forms_and_nonsense(question, answer, choices, score):
    if choices.endswith("B. blue\nC. blue"):
        score = 2  # right, but the options are no good
    assert ask("judge", png(draw(THREE)), question=question, answer=answer, choices=choices).score == score


@pytest.mark.parametrize(
    ("scene", "question", "gold", "answer", "error_type", "slip"),
    [
        (THREE, "Is there not a red circle?", "no", "yes", "negation", "ignores “not” and answers the affirmative form"),
        (THREE, "Is no red square present?", "yes", "no", "negation", "ignores “not”"),
        (THREE, "How many objects are there?", "3", "2", "counting", "counts three objects as two"),
        (THREE, "How many sides does the green shape have?", "6", "4", "external-knowledge", "does not know that a hexagon has six sides"),
        (THREE, "Is the blue square on the left or on the right?", "right", "left", "spatial", "says left for right"),
        (THREE, "Is the red circle at the top or at the bottom?", "top", "bottom", "spatial", "says bottom for top"),
        (THREE, "What shape is the green object?", "hexagon", "pentagon", "recognition", "takes the hexagon for a pentagon"),
        (THREE, "What shape is the green object?", "hexagon", "circle", "recognition", "shape of another object"),
        (THREE, "What color is the square?", "blue", "purple", "attribute", "reads blue as purple"),
        (THREE, "What color is the square?", "blue", "red", "attribute", "color of another object"),
        (THREE, "What color is the square?", "blue", "yes", "attribute", "where a color is asked for"),
        (THREE, "Is there a red circle?", "yes", "no", "recognition", "overlooks the red circle"),
        (THREE, "Is there a red square?", "no", "yes", "recognition", "for the red square asked about"),
        (THREE, "Is there an orange triangle?", "no", "yes", "recognition", "that is not there"),
        (THREE, "What color is the square?", "blue", "unanswerable", "unanswerable", "although the picture is clear"),
        (THREE, "What color is the square?", "blue", "", "attribute", "no answer"),
        (BLUR, "What shape is the object?", "unanswerable", "circle", "unanswerable", "although the photo is too blurred"),
        (CHART, "Which bar is the shortest?", "red", "green", "comparison", "names the tallest bar when asked for the shortest"),
        (CHART, "Which bar is the shortest?", "red", "blue", "comparison", "takes the blue bar for the shortest"),
        (CHART, "What color is the highest bar?", "green", "purple", "comparison", "a color that no bar"),
        (CHART, "What color is the first bar?", "red", "blue", "chart-or-table", "names the last bar when asked for the first"),
        (CHART, "What color is the last bar?", "blue", "orange", "chart-or-table", "a color that no bar has"),
    ],
)
def test_names_the_concrete_slip(scene, question, gold, answer, error_type, slip):
    found = diagnose(scene, question, gold, answer)
    assert (found.error_type, found.gold_looks_wrong, found.right_but_misformatted) == (error_type, False, False)
    assert slip in found.faulty_reasoning.lower() and found.key_elements and found.description


def test_options_are_a_matter_of_form():
    found = diagnose(THREE, "What color is the square?", "C", "B", "A. red\nB. green\nC. blue")
    assert found.error_type == "instruction-or-format" and "picks b although the right option is c (blue)" in found.faulty_reasoning.lower()


@pytest.mark.parametrize(
    ("gold", "answer", "choices"),
    [
        ("3", "three", ""),
        ("3", "3 objects", ""),
        ("3 / 2", "Three.", ""),
        ("C", "C. blue", "A. red\nB. green\nC. blue"),
        ("C", "blue", "A. red\nB. green\nC. blue"),
    ],
)
def test_the_right_answer_in_another_form(gold, answer, choices):
    question = "What color is the square?" if choices else "How many objects are there?"
    found = diagnose(THREE, question, gold, answer, choices)
    assert found.right_but_misformatted and not found.gold_looks_wrong and found.error_type == "scorer-artefact"


def test_a_wrong_gold_answer_is_noticed():
    rng, marks = random.Random(2), []
    for _, example, picture in benchmark("dev", limit=40):
        wrong = other_answer(example, rng)
        found = ask("diagnosis", picture, question=example.question, choices=choices_of(example), golds=wrong, answer=example.golds[0])
        marks.append(found.gold_looks_wrong and found.error_type == "label-error")
        right = ask("diagnosis", picture, question=example.question, choices=choices_of(example), golds=example.golds[0], answer=wrong)
        marks.append(not right.gold_looks_wrong)
    assert sum(marks) / len(marks) >= 0.97


def test_the_error_type_is_the_questions_kind_and_always_from_the_list():
    rng, diagnosed, tagged = random.Random(3), defaultdict(list), defaultdict(list)
    for _, example, picture in benchmark("dev", limit=60):
        fields = {"question": example.question, "choices": choices_of(example)}
        expected = of_kind(example.kind)
        found = ask("diagnosis", picture, golds=example.golds[0], answer=other_answer(example, rng), **fields)
        diagnosed[expected].append(found.error_type == expected)
        if expected != "unanswerable":  # from the question alone a blurred photo can't be foreseen
            tagged[expected].append(ask("kind", None, **fields).error_type == expected)
    assert all(sum(marks) / len(marks) >= 0.97 for marks in [*diagnosed.values(), *tagged.values()]), (diagnosed, tagged)
    short = "- seeing: Something.\n- counting: Number."
    assert ask("kind", None, question="How many objects are there?", error_types=short).error_type == "counting"
    assert ask("kind", None, question="What color is the square?", error_types=short).error_type == "seeing"


def test_error_types_are_needed():
    with pytest.raises(ApiError, match="no error types"):
        choose_type(("counting",), [])


@pytest.mark.parametrize(
    ("text", "golds"),
    [
        ("3", ["3"]),
        ("3 / three", ["3", "three"]),
        ("['red', 'dark red']", ["red", "dark red"]),
        ("red (7), orange (3)", ["red", "orange"]),
        ("(A)", ["A"]),
        ("", []),
    ],
)
def test_gold_answers_however_they_are_joined(text, golds):
    assert golds_of(text) == golds


def test_titles_say_what_a_group_has_in_common():
    rng, groups = random.Random(5), defaultdict(list)
    for _, example, picture in benchmark("dev", limit=120):
        wrong = other_answer(example, rng)
        found = ask("diagnosis", picture, question=example.question, choices=choices_of(example), golds=example.golds[0], answer=wrong)
        groups[example.kind].append(f"{example.question} | {example.golds[0]} | {wrong} | {found.faulty_reasoning}")
    titles = {kind: ask("title", None, error_type=of_kind(kind), members="\n".join(lines)).title for kind, lines in groups.items()}
    assert all(1 <= len(text.split()) <= TEN for text in titles.values()), titles
    assert titles["negation/existence"] == "Negated questions answered as if not negated"
    assert titles["unanswerable/blur"] == "Answers although the photo is too blurred"
    assert titles["external-knowledge/hexagon"] == "Does not know the sides of a hexagon"
    assert titles["counting/3"].startswith("Counts three things")
    assert titles["instruction-or-format/C"] == "Option C is passed over"
    assert titles["comparison/shortest"] != titles["comparison/tallest"], titles


@pytest.mark.parametrize("error_type", sorted(BY_NAME))
def test_a_title_for_slips_it_does_not_know(error_type):
    found = ask("title", None, error_type=error_type, members="a | b | c | something odd\nd | e | f | something else").title
    assert found and len(found.split()) <= TEN


def test_two_shapes_share_a_title():
    lines = [
        f"q | 5 | 4 | Does not know that a {shape} has {n} sides, says four." for shape, n in (("pentagon", "five"), ("hexagon", "six"))
    ]
    assert (
        ask("title", None, error_type="external-knowledge", members="\n".join(lines * 3)).title
        == "Does not know the sides of a hexagon or pentagon"
    )


def test_a_title_needs_members():
    with pytest.raises(ApiError, match="members"):
        ask("title", None, error_type="counting", members="")


NEGATED = "Is there not a {} {}? | yes | no | Ignores the word not and answers the affirmative question."


def negated(first: str, second: str, count: int = 8) -> list[str]:
    return [NEGATED.format(first, second)] * count


def test_a_title_that_fits_a_neighbour_as_well_gives_way_to_one_that_does_not():
    passed_over = "Which is it? | C | A | Picks A although the right option is C"
    members = "\n".join([f"{passed_over}, and overlooks the bar."] * 8)
    assert ask("title", None, error_type="instruction-or-format", members=members).title == "Option C is passed over"
    near = "Group 1 (instruction-or-format):\n" + "\n".join([passed_over] * 3)
    found = ask("title", None, error_type="instruction-or-format", members=members, neighbours=near).title
    assert found == "Overlooks objects that are there"
    far = "Group 1 (counting):\n" + "How many? | 3 | 2 | Counts three circles as two."
    found = ask("title", None, error_type="instruction-or-format", members=members, neighbours=far).title
    assert found == "Option C is passed over"


def test_where_every_pattern_fits_the_neighbour_the_word_that_differs_is_named():
    near = "Group 1 (negation):\n" + "\n".join(negated("blue", "bar"))
    found = ask("title", None, error_type="negation", members="\n".join(negated("red", "circle")), neighbours=near).title
    assert found in ("Negated questions answered as if not negated (red)", "Negated questions answered as if not negated (circle)")
    same = ask("title", None, error_type="negation", members="\n".join(negated("blue", "bar")), neighbours=near).title
    assert same == "Negated questions answered as if not negated", "nothing tells them apart"


def test_clusters_of_one_type_whose_slips_say_nothing_are_told_apart_by_their_questions():
    one, other = ("\n".join([f"Which {what} is it? | a | b | something odd"] * 5) for what in ("bar", "slice"))
    found = ask("title", None, error_type="chart-or-table", members=one, neighbours=f"Group 1 (chart-or-table):\n{other}").title
    assert found == "Bars are found in the wrong place (bar)"
    found = ask("title", None, error_type="chart-or-table", members=one, neighbours=f"Group 1 (counting):\n{other}").title
    assert found == "Bars are found in the wrong place"


def test_charts_and_scenes_at_random_are_diagnosed_without_a_crash():
    rng = random.Random(6)
    questions = (
        "Is there not a red circle?",
        "Which bar is the shortest?",
        "How many sides does the red shape have?",
        "What color is the last bar?",
        "Is the red circle above or below the blue square?",
        "How many objects are there?",
        "What shape is the object?",
    )
    for _ in range(60):
        scene = rng.choice((random_things(rng), random_chart(rng), random_things(rng, 1, HEAVY_BLUR)))
        for gold, answer in (("red", "3"), ("unanswerable", "yes"), ("2", "left"), ("", ""), ("7", "9"), ("12", "20")):
            found = diagnose(scene, rng.choice(questions), gold, answer)
            assert found.error_type in BY_NAME and glossary()
