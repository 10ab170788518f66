"""The metrics against worked examples of their published definitions, and properties that hold for any answer."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.metrics import METRICS as ALL_METRICS
from data.metrics import Score, agreement, anls, best_possible, measure, normalise, score, score_once, vqa_accuracy
from data.metrics.cider_corpus import CiderCorpus

CHOICES = ("red", "blue", "The River Thames")
ANSWERS = st.text(max_size=30) | st.sampled_from(["red", "The answer is B.", "(c)", "two", "", "unanswerable", "1,000.5"])
METRICS_OF_TEXT = ["vqa_accuracy", "anls", "exact_match", "relaxed_accuracy", "gqa"]
METRICS = st.sampled_from(METRICS_OF_TEXT)


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
        (["red"], 0),  # as lmms-eval: nobody is left to agree with
        (["blue"], 0),
        (["red", "red"], 1 / 3),
        (["red", "blue"], 1 / 6),
        (["red"] * 3, 2 / 3),
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
        (" B\n", 0, 1),
        ("B ", 0, 1),
        ("B. blue", 1, 1),
        ("The answer is B.", 1, 1),
        ("I think so. The answer is B", 0, 1),  # LLaVA's evaluator wants a character behind the letter
        ("The answer is A. Or: The answer is B.", 0, 0),  # it stands there twice
        ("The answer is B. Indeed. The answer is B.", 0, 1),
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


@given(METRICS, ANSWERS, st.integers(4, 12))
def test_the_gold_itself_scores_1(metric, gold, count):
    # ANLS compares lower-cased text by the lengths of capitals: a letter that changes its length may cost a little
    if metric == "anls" and not len(gold.lower()) == len(gold) == len(gold.upper()):
        return
    if metric == "relaxed_accuracy" and _is_no_number(gold):  # by ChartQA's definition NaN and infinity equal no number
        return
    assert score(metric, gold, [gold] * count).strict == 1


def test_relaxed_accuracy_takes_infinity_for_itself_leniently():
    assert score("relaxed_accuracy", "INFINITY", ["infinity"]) == Score(0, 1, "INFINITY")


def _is_no_number(text: str) -> bool:
    try:
        return not math.isfinite(float(text.strip().rstrip("%")))
    except ValueError:
        return False


@given(st.sampled_from(METRICS_OF_TEXT), ANSWERS)
def test_an_answer_agrees_with_itself(metric, answer):
    assert agreement(metric, answer, answer).lenient >= (0.5 if metric == "anls" else 1)


@given(ANSWERS, st.lists(st.text(max_size=8), min_size=2, max_size=7), st.integers(0, 6))
def test_multiple_choice_of_any_text(prediction, choices, index):
    gold = chr(65 + index % len(choices))
    result = score("multiple_choice", prediction, [gold], choices)
    assert result.strict <= result.lenient
    assert score("multiple_choice", gold, [gold], choices) == Score(1, 1)


def test_a_missing_answer_is_never_scored_as_text():
    for metric in ALL_METRICS:
        for missing in (None, float("nan"), 0, ["0"]):
            with pytest.raises(TypeError, match="has to be text"):
                score(metric, missing, ["0"], ("0", "1"))


def test_vqa_accuracy_says_what_few_annotators_can_reach():
    assert [best_possible("vqa_accuracy", n) for n in (1, 2, 3, 4)] == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert best_possible("exact_match", 1) == 1


@pytest.mark.parametrize(("golds", "strict", "lenient"), [(["red"], 0, 1), (["red", "red"], 1 / 3, 1), (["red", "blue"], 1 / 6, 0.5)])
def test_leniently_few_annotators_are_enough(golds, strict, lenient):
    result = score("vqa_accuracy", "red", golds)
    assert (result.strict, result.lenient) == pytest.approx((strict, lenient))


def test_one_answer_stands_for_all_annotators():
    assert agreement("vqa_accuracy", "Red.", "red") == Score(1, 1)
    assert agreement("vqa_accuracy", "blue", "red") == Score(0, 0)


@pytest.mark.parametrize(
    ("prediction", "gold", "strict", "lenient"),
    [
        ("10.4", "10", 1, 1),
        ("10.6", "10", 0, 0),
        ("50%", "0.5", 1, 1),
        ("0", "0", 1, 1),
        ("0.0", "0", 0, 0),  # a gold of 0 has to be met as text
        ("1,000", "1000", 0, 1),
        ("The answer is 12.", "12", 0, 1),
        ("Yes", "yes", 1, 1),
    ],
)
def test_relaxed_accuracy(prediction, gold, strict, lenient):
    assert score("relaxed_accuracy", prediction, [gold]) == Score(strict, lenient)


def test_gqa_counts_articles_and_mmbench_reads_letter_or_text():
    assert score("gqa", "Left.", ["left"]) == Score(1, 1)
    assert score("gqa", "the left", ["left"]).strict == 0
    assert score("mmbench", "It must be B, I think", ["B"], CHOICES).strict == 1
    assert score("mmbench", "something blue", ["B"], CHOICES).strict == 1
    assert score("mmbench", "A man is blue", ["A"], CHOICES).strict == 0  # the article is no option


def test_circular_evaluation_wants_every_rotation_right():
    # red, blue, Thames; blue, Thames, red; Thames, red, blue
    assert score("mmbench_circular", '["B", "A", "C"]', ["B"], CHOICES) == Score(1, 1)
    once_wrong = score("mmbench_circular", '["B", "A", "B"]', ["B"], CHOICES)
    assert (once_wrong, once_wrong.read) == (Score(0, 0), "B, B, A")
    assert score("mmbench_circular", '["(b)", "option a", "C because"]', ["B"], CHOICES).strict == 0
    assert score("mmbench_circular", "B", ["B"], CHOICES) == Score(0, 0)  # one answer is no circular evaluation
    assert score_once("mmbench_circular", "B", ["B"], CHOICES) == Score(1, 1)


def test_every_metric_says_what_it_is():
    for name in ALL_METRICS:
        metric = measure(name)
        assert metric.name == name and metric.title and metric.definition and metric.harness and metric.answer_form
        assert 0 < metric.threshold <= 0.5


def test_cider_weighs_words_by_their_split_and_its_mean_is_the_published_figure():
    golds = [["a dog on a beach"], ["a cat on a table"], ["a dog with a kite"]]
    corpus = CiderCorpus(golds)
    assert score("cider", "a dog on a beach", golds[0], corpus=corpus).strict == pytest.approx(1)
    everywhere, rare = (score("cider", caption, golds[0], corpus=corpus).strict for caption in ("a", "beach"))
    assert everywhere == 0 < rare  # all captions hold "a"
    assert agreement("cider", "a dog on a beach", "A dog, on a beach.").lenient == pytest.approx(1)
