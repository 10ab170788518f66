"""The metrics against worked examples of their published definitions, and properties that hold for any answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.metrics import Score, anls, normalise, score, vqa_accuracy

CHOICES = ("red", "blue", "The River Thames")
ANSWERS = st.text(max_size=30) | st.sampled_from(["red", "The answer is B.", "(c)", "two", "", "unanswerable", "1,000.5"])
METRICS = st.sampled_from(["vqa_accuracy", "anls", "exact_match"])


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        ("The two  red-ish circles.", "2 red ish circles"),
        ("Yes, I dont know", "yes i don't know"),
        ("1,000", "1000"),
        ("3.5 m.", "3.5 m"),
        ("red -blue", "red blue"),  # touches a space: deleted, not replaced
        ("coca-cola", "coca cola"),
        ("a-b -c", "ab c"),  # one hyphen touches a space, so all go
        ("None", "0"),
        ("TEN\tof them", "10 of them"),
        ("the man's hat?", "man 's hat"),
        ("oclock couldntve couldnt've", "o'clock couldntve couldn't've"),
        ("What is it?!", "what is it"),
    ],
)
def test_normalise_as_the_evalai_processor_does(raw, normal):
    assert normalise(raw) == normal


@pytest.mark.parametrize(("matches", "expected"), [(0, 0), (1, 0.3), (2, 0.6), (3, 0.9), (4, 1), (10, 1)])
def test_vqa_accuracy_of_ten_golds(matches, expected):
    golds = ["red"] * matches + [f"other {i}" for i in range(10 - matches)]
    assert vqa_accuracy("Red.", golds) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("golds", "expected"),
    [
        (["red"], 1),
        (["blue"], 0),
        (["red", "red"], 1),
        (["red", "blue"], 0.5),
        (["red"] * 3, 1),
        (["red"] * 4, 1),
        (["red"] * 3 + ["b"], 0.75),
    ],
)
def test_vqa_accuracy_of_fewer_golds(golds, expected):
    assert vqa_accuracy("red", golds) == pytest.approx(expected)


def test_vqa_accuracy_normalises_golds_that_are_all_alike():
    assert vqa_accuracy("2", ["Two."] * 10) == 1


@pytest.mark.parametrize(
    ("prediction", "golds", "expected"),
    [
        ("Coca  Cola", ["coca cola"], 1),
        ("cat", ["cart"], 0.75),
        ("ab", ["xy", "ac"], 0.5),  # exactly at the threshold
        ("ab", ["abcde"], 0),  # 0.4 is below it
        ("", ["a"], 0),
        ("a  b", ["a c"], 0.75),  # distance 1 over the raw length 4
    ],
)
def test_anls(prediction, golds, expected):
    assert anls(prediction, golds) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("prediction", "strict", "lenient"),
    [
        ("B", 1, 1),
        (" B\n", 0, 1),  # LLaVA's evaluator turns the line break into ". " first
        ("B ", 1, 1),
        ("B. blue", 1, 1),
        ("The answer is B.", 1, 1),
        ("I think so. The answer is B", 1, 1),
        ("b", 0, 1),
        ("(B)", 0, 1),
        ("B.", 0, 1),
        ("B) blue", 0, 1),
        ("blue", 0, 1),
        ("Blue.", 0, 1),
        ("the answer is b", 0, 1),
        ("The answer is blue.", 0, 1),
        ("A", 0, 0),
        ("red", 0, 0),
        ("B) red", 0, 0),  # letter and text contradict each other
        ("E. blue", 0, 0),
        ("", 0, 0),
    ],
)
def test_multiple_choice(prediction, strict, lenient):
    assert score("multiple_choice", prediction, ["B"], CHOICES) == Score(strict, lenient)


def test_an_options_text_counts_only_if_it_is_unique():
    assert score("multiple_choice", "blue", ["B"], ("blue", "Blue", "red")).lenient == 0


def test_a_letter_without_an_option_is_wrong():
    assert score("multiple_choice", "D", ["D"], CHOICES) == Score(0, 0)


def test_more_options_than_llava_knows():
    assert score("multiple_choice", "G", ["G"], tuple("abcdefg")) == Score(1, 1)


@pytest.mark.parametrize("prediction", ["The answer is red.", "It's red", '"Red"', "Answer: a red.", "There is red"])
@pytest.mark.parametrize("metric", ["vqa_accuracy", "anls", "exact_match"])
def test_lenient_takes_the_gold_in_another_form(metric, prediction):
    assert score(metric, prediction, ["red"] * 10).lenient == 1


def test_lenient_does_not_take_another_answer():
    assert score("exact_match", "The answer is not red.", ["red"]) == Score(0, 0)
    assert score("vqa_accuracy", "It is blue", ["red"] * 10) == Score(0, 0)


def test_nothing_to_score_against_is_an_error():
    with pytest.raises(ValueError, match="no gold answer"):
        score("anls", "red", [])
    with pytest.raises(ValueError, match="unknown metric 'bleu'; there are: vqa_accuracy"):
        score("bleu", "red", ["red"])


@given(METRICS, ANSWERS, st.lists(ANSWERS, min_size=1, max_size=12))
def test_scores_lie_between_0_and_1_and_lenient_is_never_below_strict(metric, prediction, golds):
    result = score(metric, prediction, golds)
    assert 0 <= result.strict <= result.lenient <= 1


@given(METRICS, ANSWERS, st.lists(ANSWERS, min_size=1, max_size=12), st.randoms())
def test_the_order_of_golds_is_irrelevant(metric, prediction, golds, rng):
    shuffled = rng.sample(golds, len(golds))
    ours, theirs = score(metric, prediction, golds), score(metric, prediction, shuffled)
    assert (ours.strict, ours.lenient) == pytest.approx((theirs.strict, theirs.lenient))


@given(METRICS, ANSWERS, st.integers(1, 12))
def test_the_gold_itself_scores_1(metric, gold, count):
    # ANLS compares lower-cased text by raw lengths: a letter that grows when lower-cased may cost a little
    if metric == "anls" and len(gold.lower()) != len(gold):
        return
    assert score(metric, gold, [gold] * count).strict == 1


@given(ANSWERS, st.lists(st.text(max_size=8), min_size=2, max_size=7), st.integers(0, 6))
def test_multiple_choice_of_any_text(prediction, choices, index):
    gold = chr(65 + index % len(choices))
    result = score("multiple_choice", prediction, [gold], choices)
    assert result.strict <= result.lenient
    assert score("multiple_choice", gold, [gold], choices) == Score(1, 1)
