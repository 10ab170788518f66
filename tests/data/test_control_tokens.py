"""People's text holds no control token once it is neutralised, and loses nothing else."""

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import control_tokens
from data.control_tokens import neutralised, neutralised_for_others

TOKENS = ("<image>", "</s>", "<|im_end|>", "[IMG]", "<<s>>", "<s>")
pieces = st.sampled_from([*TOKENS, "<", ">", "image", "\n", " ", "red", "<imag", "|im_end|"])


@given(st.lists(pieces, max_size=12).map("".join))
def test_no_token_is_left(text):
    done = neutralised(text, TOKENS)
    assert not any(token in done for token in TOKENS)
    assert "".join(done.split()) in "".join(text.split())
    assert "<image>" not in neutralised_for_others(text).removeprefix("<image>") or text.strip() == "<image>"


@pytest.mark.parametrize("text", ["What is red?", "Is 3 < 4 > 2?", "a <b> c", "x <| y", "\n\nWhat?\n"])
def test_other_text_is_as_it_was(text):
    assert neutralised(text, TOKENS) == text == neutralised_for_others(text)


def test_examples():
    assert doctest.testmod(control_tokens).failed == 0
