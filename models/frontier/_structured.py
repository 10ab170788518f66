"""Replies with a schema: how they are asked for, found in a text and repaired.

Three levels, from the surest to the one that every server knows: `json_schema` (strict), `json_object`, `text`.
Another level (a tool call) goes into LEVELS and `ask_in`.
"""

import json
import re
from functools import cache

from pydantic import BaseModel, ValidationError

LEVELS = ("json_schema", "json_object", "text")
_THINKING = re.compile(r"<think>.*?</think>", re.DOTALL)


class BadReply(ValueError):
    """A reply that doesn't fit its schema; `text` is what it said."""

    def __init__(self, problem: str, text: str):
        super().__init__(problem)
        self.text = text


class Refused(ValueError):
    """The model declined to answer, or the vendor's content filter did. Asking again buys the same refusal."""


def ask_in(level: str, reply: type[BaseModel]) -> tuple[dict, str]:
    """What a level adds to the request's body, and to the system prompt."""
    if level == "json_schema":
        schema = {"name": reply.__name__, "strict": True, "schema": strict_schema(reply)}
        return {"response_format": {"type": "json_schema", "json_schema": schema}}, ""
    if level == "json_object":
        return {"response_format": {"type": "json_object"}}, "\n\n" + in_words(reply)
    return {}, "\n\n" + in_words(reply)


def in_words(reply: type[BaseModel]) -> str:
    return f"Reply with one JSON object named {reply.__name__} that fits this JSON schema, and nothing else:\n{schema_text(reply)}"


@cache
def schema_text(reply: type[BaseModel]) -> str:
    return json.dumps(strict_schema(reply), ensure_ascii=False, sort_keys=True)


@cache
def strict_schema(reply: type[BaseModel]) -> dict:
    """Its JSON schema in the strict dialect of OpenAI's structured outputs: objects closed, every property required, no defaults."""
    return _strict(reply.model_json_schema())


def _strict(node):
    if isinstance(node, list):
        return [_strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {
        name: _strict(value) for name, value in node.items() if name != "default" or not isinstance(value, str | int | float | list | None)
    }
    if node.get("type") == "object" and "properties" in node:
        node |= {"additionalProperties": False, "required": list(node["properties"])}
    return node


def parse(body: dict, reply: type[BaseModel]) -> BaseModel:
    """The reply in a chat completion. Raises BadReply or Refused."""
    choice = body["choices"][0]
    message = choice["message"] if isinstance(choice.get("message"), dict) else {}
    if message.get("refusal"):
        raise Refused(f"the model refused: {message['refusal']}")
    if choice.get("finish_reason") == "content_filter":
        raise Refused("the endpoint's content filter withheld the reply")
    text = _text_of(message.get("content"))
    try:
        return extract(text, reply)
    except BadReply as bad:
        if choice.get("finish_reason") == "length":
            raise BadReply(f"the reply was cut off at max_tokens; be shorter ({bad})", text) from bad
        raise


def _text_of(content) -> str:
    """A message's content is a string, or at some servers a list of parts."""
    if isinstance(content, list):
        content = "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def extract(text: str, reply: type[BaseModel]) -> BaseModel:
    """The last JSON object in a text that fits `reply`: whole, fenced, or amid prose. Raises BadReply with what is wrong with the last one.

    Only objects at the top level count: a fitting part of an object that doesn't fit would be a guess.
    """
    problem = "no JSON object in the reply"
    for value in reversed(_objects(_THINKING.sub("", text))):
        try:
            return reply.model_validate(value)
        except ValidationError as error:
            if problem.startswith("no JSON"):
                problem = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'object'}: {e['msg']}" for e in error.errors()[:5])
    raise BadReply(problem, text)


def _objects(text: str) -> list[dict]:
    decoder, found, start = json.JSONDecoder(), [], text.find("{")
    while start >= 0:
        try:
            value, end = decoder.raw_decode(text, start)
            found.append(value)
        except (ValueError, RecursionError):
            end = start + 1
        start = text.find("{", end)
    return found


def repair(bad_text: str, problem: str, reply: type[BaseModel]) -> list[dict]:
    """The turns that show a model its bad reply and ask again."""
    shown = bad_text[:8000] or "(empty reply)"
    return [
        {"role": "assistant", "content": shown},
        {"role": "user", "content": f"That reply doesn't fit: {problem}.\n{in_words(reply)}"},
    ]
