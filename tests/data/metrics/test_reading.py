"""Lenient reading: what looks the same is the same, and an answer is found in what a model writes round it."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.metrics import Score, lenient_letter, look_alike, readings, score

CHOICES = ("red", "blue", "The River Thames", "none of these")
FORMS = {
    "fullwidth": ("１２", "12"),
    "arabic digits": ("١٢", "12"),
    "minus": ("−5", "-5"),
    "dash for minus": ("–5", "-5"),
    "thousands": ("1,000", "1000"),
    "period": ("Black.", "black"),
    "zero width": ("re\u200bd\u200b", "red"),
    "soft hyphen": ("um\u00adbrella", "umbrella"),
    "byte order mark": ("\ufeffred", "red"),
    "no-break space": ("dark\u00a0red", "dark red"),
    "thinking": ("<think>maybe blue</think>red", "red"),
    "thinking without its beginning": ("maybe blue\n</think>\n\nred", "red"),
    "thinking twice": ("<think>a</think>blue<think>no</think> red", "red"),
    "boxed": (r"\boxed{red}", "red"),
    "boxed at the end": (r"So the final answer is $\boxed{\text{red}}$.", "red"),
    "end token": ("red</s>", "red"),
    "chat tokens": ("<|im_start|>red<|im_end|>\n<|endoftext|>", "red"),
    "end of turn": ("red<end_of_turn>", "red"),
    "after the end token": ("red</s> blue blue", "red"),
    "CJK stop": ("红色。", "红色"),
    "decomposed": (unicodedata.normalize("NFD", "café"), "café"),
    "composed": ("café", unicodedata.normalize("NFD", "café")),
    "curly quotes": ("“red”", "red"),
    "curly apostrophe": ("man’s hat", "man's hat"),
    "JSON": ('{"answer": "red"}', "red"),
    "JSON number": ('{"answer": 12, "why": "counted"}', "12"),
    "fenced JSON": ('```json\n{"answer": "red"}\n```', "red"),
    "Kimi's thinking": ("◁think▷maybe blue◁/think▷red", "red"),
    "Magistral's thinking": ("[THINK]maybe blue[/THINK]red", "red"),
    "who speaks": ("ASSISTANT: red", "red"),
    "Chinese lead-in": ("答案是红色。", "红色"),
    "tags": ("<answer>red</answer>", "red"),
    "markup": ("**red**", "red"),
    "lead-in": ("The answer is: red.", "red"),
    "all of it": ('<think>…</think>\n{"answer": "The answer is **Ｒｅｄ**。"}</s>', "red"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("metric", ["exact_match", "vqa_accuracy", "anls", "gqa"])
def test_an_answer_in_another_form_is_right_leniently_and_what_was_read_is_told(metric, form):
    prediction, gold = FORMS[form]
    result = score(metric, prediction, [gold] * 10)
    if metric == "gqa" and form == "minus":  # GQA drops hyphens but knows no other minus
        assert result.strict == 0
    assert result.lenient == 1 and result.read is not None
    assert look_alike(result.read).lower().rstrip(".") in look_alike(prediction).lower() or result.read.lower() == look_alike(gold).lower()


@pytest.mark.parametrize("prediction", ["<think>it may be red", '{"answer": null}', "<think>red", "<think></think>", ""])
def test_no_answer_is_read_where_there_is_none(prediction):
    assert score("exact_match", prediction, ["red"]) == Score(0, 0)


def test_a_long_answer_is_read_in_no_time():
    for answer in (". " * 500_000, "A" * 1_000_000, '"' * 1_000_000, "<answer>" * 100_000, "\\boxed{" * 100_000, "not B. " * 20_000):
        assert score("multiple_choice", answer, ["B"], CHOICES) == Score(0, 0)
        assert score("exact_match", answer, ["red"]) == Score(0, 0)


def test_a_superscript_stays_one():
    assert look_alike("10²") == "10²" and score("exact_match", "10²", ["102"]).lenient == 0


@given(st.text(max_size=40))
def test_looking_alike_changes_nothing_twice(text):
    assert look_alike(look_alike(text)) == look_alike(text)


@given(st.text(max_size=40))
def test_readings_are_parts_of_what_was_written(text):
    for reading in readings(text):
        assert len(reading) <= len(look_alike(text))


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="<{`\\"), max_size=20), st.sampled_from(["red", "two dogs", "12"]))
def test_thinking_never_counts(thought, answer):
    result = score("exact_match", f"<think>{thought}</think>{answer}", [answer])
    assert result.lenient == 1 and result.read == answer


SAID = {
    "B": "B",
    "b": "B",
    "Ｂ": "B",
    "(B)": "B",
    "[b]": "B",
    "**B**": "B",
    "B.": "B",
    "B)": "B",
    "B\u200b": "B",
    "B</s>": "B",
    "B。": "B",
    "<think>A or C</think>B": "B",
    r"\boxed{B}": "B",
    r"The answer is \(\boxed{\text{B}}\).": "B",
    '{"answer": "B"}': "B",
    "Option B": "B",
    "答案：Ｂ。": "B",
    "所以，选B": "B",
    "option b.": "B",
    "Answer: B": "B",
    "The correct answer is option (B).": "B",
    "The answer is b": "B",
    "B is correct": "B",
    "B is the correct answer.": "B",
    "Option B is right.": "B",
    "B because the sky is blue": "B",
    "B, because A and C are not in the image.": "B",
    "The answer is B because it isn't red.": "B",
    "I think the answer is B.": "B",
    "B. blue": "B",
    "(B) blue": "B",
    "blue": "B",
    "Blue.": "B",
    "The answer is blue.": "B",
    "B\nThe sky is not red.": "B",
    "The sky is shown.\nB": "B",
    "B\nIt is not a cat.": "B",
    "B. It's because the others don't fit.": "B",
    "Answer: B\nExplanation: the bus is blue.": "B",
    "It is a clear day. Therefore, the answer is B.": "B",
    "the river thames": "C",
    "None of these": "D",
}


@pytest.mark.parametrize("prediction", SAID)
def test_a_letter_is_read_as_a_person_would(prediction):
    assert lenient_letter(prediction, CHOICES) == SAID[prediction]


NOT_SAID = [
    "",
    "E",  # no such option
    "A man rides a horse",
    "A",  # stands for itself below
    "I see a dog",
    "It is a",
    "The answer is a",
    "The answer is a dog",
    "The answer is not B.",
    "B is wrong",
    "It is not A",
    "A or B",
    "A and B",
    "Both A and B are correct",
    "Neither A nor B.",
    "B) red",  # letter and text contradict each other
    "B. red",
    "E. blue",
    "The answer is A. Or: The answer is B.",
    "The answer is B. No, wait.",
    "B. That is wrong.",
    "B. That is not right.",
    "B. It is not B.",
    "Option A is wrong",
    "I can't decide between A and B.",
    "<think>The answer is B.",
    "A because it is red? The answer is B.",
    "Vitamin C",
    "Plan B",
    "The letter on the sign is A dog's",
    "Mr. A. Smith",
    "a dog. a cat",
]


@pytest.mark.parametrize("prediction", NOT_SAID)
def test_no_letter_is_read_where_a_person_would_doubt(prediction):
    assert lenient_letter(prediction, CHOICES) == ("A" if prediction == "A" else None)


# Sentences as models write them that name no option: articles, pronouns, initials, vitamins, negations, doubt, cut ends.
SUBJECTS = st.sampled_from(
    ["A man", "A dog", "I", "The bus", "There", "It", "B. B. King", "Vitamin C", "Plan B", "This", "A", "An apple", "J. D. Smith"]
)
VERBS = st.sampled_from(["is", "is not", "was", "rides", "sees", "holds", "could be", "isn't", "does not look like", "is next to"])
OBJECTS = st.sampled_from(
    [
        "a",
        "a horse",
        "an umbrella",
        "the letter A on a sign",
        "option B or C",
        "not B",
        "A or B",
        "vitamin C",
        "a C-shaped bay",
        "neither A nor D",
        "a b",
    ]
)
TAILS = st.sampled_from(["", ".", ", a", " and a", " with a b", "...", ", not A.", " or D?", " in plan B", "\nI am not sure.", " (a"])


@given(SUBJECTS, VERBS, OBJECTS, TAILS, st.booleans())
def test_never_a_letter_out_of_a_sentence(subject, verb, thing, tail, thinks):
    sentence = f"{subject} {verb} {thing}{tail}"
    assert lenient_letter(f"<think>B</think> {sentence}" if thinks else sentence, ("north", "south", "east", "west")) is None


@given(
    st.sampled_from("ABCD"),
    st.sampled_from("ABCD"),
    st.sampled_from(
        ["{0} or {1}", "The answer is {0}. The answer is {1}.", "{0} is correct. {1} is correct.", "{0}. {1}.", "{0}\n{1}", "{0}, {1}"]
    ),
)
def test_two_letters_are_no_answer(one, other, form):
    if one != other:
        assert lenient_letter(form.format(one, other), ("north", "south", "east", "west")) is None


@given(st.text(max_size=30))
def test_any_text_is_read_without_an_error(text):
    assert lenient_letter(text, CHOICES) in (*"ABCD", None)
    assert lenient_letter(json.dumps({"answer": text}), CHOICES) in (*"ABCD", None)
