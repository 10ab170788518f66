"""Replay: no row twice, the most similar first, kinds in turns."""

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from curation.training import replay


def row(number: int, question: str, kind: str = "k", answer: str = "yes", dataset: str = "d") -> replay.KnownExample:
    return replay.KnownExample(number, "", question, (), (answer,), "", dataset, kind)


KNOWN = st.lists(
    st.tuples(st.sampled_from(["Is there a cat?", "How many?", "What color is it?"]), st.sampled_from("ab"), st.sampled_from(["yes", "no"]))
)


@given(KNOWN, st.integers(0, 40), st.integers(0, 30))
def test_as_many_as_wanted_and_none_twice(known, wanted, samples):
    rows = [row(i, question, kind, answer) for i, (question, kind, answer) in enumerate(known)]
    asked = ["Is there not a cat?"] * samples
    chosen = replay.choose(asked, rows, wanted, seed=1)
    assert len(chosen) == min(wanted, len(rows))
    assert len({r.example_id for r in chosen}) == len(chosen)
    assert chosen == replay.choose(asked, rows, wanted, seed=1)


def test_twins_of_what_is_learnt_come_with_it():
    known = [row(i, "Is there a red cup?", "existence") for i in range(50)] + [
        row(100 + i, "How many cups do you see?", "counting") for i in range(500)
    ]
    chosen = replay.choose(["Is there not a red cup?"] * 40, known, 40)
    kinds = Counter(r.kind for r in chosen)
    assert kinds["existence"] >= 20 + 8  # all of the most similar, and its turns of the rest


def test_kinds_and_answers_take_turns():
    known = (
        [row(i, "q", "common", "yes") for i in range(90)]
        + [row(100 + i, "q", "common", "no") for i in range(9)]
        + [row(200 + i, "q", "rare") for i in range(5)]
    )
    counts = Counter((r.kind, r.golds[0]) for r in replay.balanced_draw(known, 20, random.Random(0)))
    assert counts == {("common", "no"): 8, ("common", "yes"): 7, ("rare", "yes"): 5}


def test_kinds_that_are_as_near_take_turns():
    """By letters "lowest" is nearest to "last"; what it breaks is "highest"."""
    known = [
        row(i + 100 * j, f"What color is the {word} bar?", word) for j, word in enumerate(("last", "first", "highest")) for i in range(50)
    ]
    known += [row(900 + i, "How many cups do you see?", "counting") for i in range(50)]
    chosen = replay.most_similar(["What color is the lowest bar?"] * 30, known, 60, random.Random(0))
    assert Counter(r.kind for r in chosen) == {"last": 20, "first": 20, "highest": 20}
