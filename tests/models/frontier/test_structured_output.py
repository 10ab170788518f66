"""Finding a reply in what a model said."""

import json
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from models.frontier.reply_schema import strict_schema
from models.frontier.structured_output import BadReply, Refused, extract, parse
from models.paid_calls.http_failures import redact


class Inner(BaseModel):
    question: str
    choices: list[str] = Field(default_factory=list)
    prompt: str | None = None


class Outer(BaseModel):
    score: Literal[1, 2, 3]
    share: float = Field(ge=0, le=1)
    samples: list[Inner]


inner = st.builds(Inner, question=st.text(), choices=st.lists(st.text()), prompt=st.none() | st.text())
outer = st.builds(Outer, score=st.sampled_from([1, 2, 3]), share=st.floats(0, 1), samples=st.lists(inner, max_size=3))
prose = st.text(st.characters(exclude_characters="{}<>", exclude_categories=["Cs"]))


@given(
    outer,
    prose,
    prose,
    st.sampled_from(["{}", "```json\n{}\n```", '<think>maybe {{"a": 1}} or {{</think>\n{}', "set {{x}} so {}"]),
    st.booleans(),
)
def test_a_reply_is_found_whatever_stands_around_it(reply, before, after, frame, ascii):
    shown = json.dumps(reply.model_dump(), ensure_ascii=ascii, indent=2)
    assert extract(before + frame.format(shown) + after, Outer) == reply


@given(outer, outer)
def test_the_last_of_two_wins(first, last):
    assert extract(f"First: {first.model_dump_json()} - no: {last.model_dump_json()}", Outer) == last


@given(outer, st.data())
def test_a_torn_reply_is_never_guessed(reply, data):
    text = reply.model_dump_json()
    with pytest.raises(BadReply):
        extract(text[: data.draw(st.integers(0, len(text) - 1))], Outer)


@given(st.text())
def test_any_text_is_a_reply_or_a_bad_reply(text):
    try:
        extract(text, Outer)
    except BadReply as bad:
        assert bad.text == text and str(bad)


def test_says_what_is_wrong():
    with pytest.raises(BadReply, match=r"score: Input should be 1, 2 or 3; share: .*less than or equal to 1; samples\.0\.question: Field"):
        extract('{"score": 4, "share": 2, "samples": [{"choices": []}]}', Outer)
    with pytest.raises(BadReply, match="no JSON object"):
        extract("I can't see that.", Outer)
    with pytest.raises(BadReply):
        extract('{"reply": {"score": 1, "share": 0, "samples": []}}', Outer)
    with pytest.raises(BadReply):
        extract('{"score": 1, "share": NaN, "samples": []}', Outer)


def answer(message: dict, finish: str = "stop") -> dict:
    return {"choices": [{"message": message, "finish_reason": finish}]}


def test_refusals_cut_replies_and_parts():
    good = '{"score": 1, "share": 0, "samples": []}'
    with pytest.raises(Refused, match="I won't"):
        parse(answer({"content": None, "refusal": "I won't"}), Outer)
    with pytest.raises(Refused, match="content filter"):
        parse(answer({"content": ""}, "content_filter"), Outer)
    with pytest.raises(BadReply, match="cut off at max_tokens"):
        parse(answer({"content": good[:10]}, "length"), Outer)
    assert parse(answer({"content": [{"type": "text", "text": good}]}), Outer).score == 1


def test_strict_schema_is_closed_and_complete():
    schema = strict_schema(Outer)
    for node in (schema, schema["$defs"]["Inner"]):
        assert node["additionalProperties"] is False and node["required"] == list(node["properties"])
        assert not any("default" in value for value in node["properties"].values())


@pytest.mark.parametrize("key", ["sk-proj-abc_DEF-123456789", "AIzaSyA-1234567890", "plainsecretkey"])
def test_keys_never_show(key):
    for body in (f"Incorrect API key provided: {key}.", f"Bearer {key} is wrong", f"{key[:6]}*****{key[-4:]}"):
        assert key not in redact(body, key) and key[-4:] not in redact(body, key)
    assert redact("HTTP 404: The model `gpt-4o-mini-2024` does not exist", key) == "HTTP 404: The model `gpt-4o-mini-2024` does not exist"
