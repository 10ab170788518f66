"""Which questions are worded alike: what words only name things is learnt from the questions, in any vocabulary."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.kinds.nearest_wording import nearest
from curation.kinds.wordings import SLOT, Worded, slot_words, wording, wordings
from tests.support import crowded_scenes
from tests.support.teacher_world import benchmark


def test_a_strangers_questions_have_one_wording_each_way_to_ask():
    asked = [example for split, count in (("train", 60), ("eval", 40)) for example in crowded_scenes.questions(split, count)[1]]
    questions: dict[str, set[str]] = {}
    for text, one in zip(wordings([Worded(example.question, example.answer) for example in asked]), asked):
        questions.setdefault(text, set()).add(one.kind)
    assert len(questions) == 2 * len(crowded_scenes.KINDS) and all(len(kinds) == 1 for kinds in questions.values()), questions


def test_words_that_decide_what_is_asked_stay():
    """The benchmarks' own kinds: tallest, first and negation are kept apart, the things that are named are not."""
    rows = [example for _, example, _ in benchmark("train") if not example.choices]
    texts = wordings([Worded(row.question, row.golds[0]) for row in rows])
    of: dict[str, set[str]] = {}
    for text, row in zip(texts, rows):
        of.setdefault(text, set()).add(str(row.kind).partition("/")[0])
    mixed = {text: kinds for text, kinds in of.items() if len(kinds - {"unanswerable"}) > 1}
    assert not mixed and len(of) < len({row.question for row in rows}) / 2


def test_a_word_whose_exchange_changes_the_answers_is_no_name_of_a_thing():
    looks = {"color": "red green blue pink", "shape": "ball cube cone disc", "size": "big small tiny huge"}
    things = ("mug", "lamp", "book", "ball")
    asked = [Worded(f"{how} {what} is the {thing}", answer) for how in ("what", "which") for what, all_ in looks.items()
             for thing in things for answer in all_.split()]  # fmt: skip
    slots = slot_words(asked)
    assert set(things) <= slots and not set(looks) & slots


WORDS = st.lists(
    st.sampled_from(["what", "which", "color", "is", "the", "red", "blue", "green", "mug", "not", "on", "left", "of"]),
    min_size=1,
    max_size=7,
)


@settings(max_examples=200, deadline=None)
@given(st.lists(WORDS, max_size=30))
def test_any_questions_have_wordings_that_differ_only_in_slots(questions):
    texts = [" ".join(words) for words in questions]
    masked = wordings([Worded(text, None) for text in texts])
    assert len(masked) == len(texts)
    for text, made in zip(texts, masked):
        assert all(word in (own, SLOT) for word, own in zip(made.split(), text.split())) and len(made.split()) == len(text.split())
    slots = slot_words([Worded(text, None) for text in texts])
    assert all(wording(text, slots) == made for text, made in zip(texts, masked))


def test_what_was_not_asked_gets_the_kind_of_a_question_like_it_or_none():
    texts = ["what color is the mug", "what color is the big mug", "what color is not the mug", "who painted this"]
    vocabulary = sorted({word for text in texts for word in text.split()})

    def embed(some):
        bags = np.array([[text.split().count(word) for word in vocabulary] for text in some], float)
        return bags / np.linalg.norm(bags, axis=1, keepdims=True)

    pairs = nearest(texts, [0], embed)
    assert [(pair.wording, pair.asked) for pair in pairs] == [(1, 0)] and 0.6 <= pairs[0].likeness < 1
