"""Structured output: replies with a schema, how they are asked for, parsed from what a model wrote, and repaired.

Four levels, from the surest to the one that every server knows: `json_schema` (strict), `json_object`, `tool` (a call of one
function whose parameters are the reply), `text`.
"""

import json
import re
from typing import Any

from pydantic import BaseModel, ValidationError

from data.errors import MistakebookError
from models.frontier.reply_schema import schema_text, wire_schema

_TAGS = r"think|thinking|thought|reasoning"
_THINKING = re.compile(rf"<({_TAGS})>.*?(?:</\1>|\Z)|\[THINK\].*?(?:\[/THINK\]|\Z)", re.DOTALL | re.IGNORECASE)
_THOUGHT = re.compile(  # without its opening tag
    rf"\A.*(?:</(?:{_TAGS})>|\[/THINK\]|<\|channel\|>final<\|message\|>)", re.DOTALL | re.IGNORECASE
)


class BadReply(MistakebookError):
    """A reply that doesn't fit its schema; `text` is all of it."""

    def __init__(self, problem: str, text: str):
        super().__init__(problem)
        self.text = text


class Refused(MistakebookError):
    """The model declined to answer, or the vendor's content filter did. Asking again buys the same refusal."""

    def __init__(self, why: str):
        super().__init__(f"refused: {why}")


def ask_in(level: str, reply: type[BaseModel], without: tuple[str, ...] = ()) -> tuple[dict[str, Any], str]:
    """What a level adds to the request's body, and to the system prompt; `without` names optional features (capabilities.py)."""
    if level == "json_object":
        return {"response_format": {"type": "json_object"}}, "\n\n" + in_words(reply)
    if level == "text":
        return {}, "\n\n" + in_words(reply)
    schema = wire_schema(reply, closed="closed" not in without, bounds="bounds" not in without)
    strict = {} if "strict" in without else {"strict": True}
    if level == "json_schema":
        return {"response_format": {"type": "json_schema", "json_schema": {"name": reply.__name__, **strict, "schema": schema}}}, ""
    function = {"name": reply.__name__, "description": "Takes the reply.", **strict, "parameters": schema}
    choice: str | dict[str, Any] = "required"
    if "required" in without:
        choice = "auto" if "named" in without else {"type": "function", "function": {"name": reply.__name__}}
    added = {"tools": [{"type": "function", "function": function}], "tool_choice": choice}
    return added, f"\n\nGive your reply by calling the function {reply.__name__}, once."


def in_words(reply: type[BaseModel]) -> str:
    """The schema as an instruction, for levels that don't enforce it."""
    return f"Reply with one JSON object named {reply.__name__} that fits this JSON schema, and nothing else:\n{schema_text(reply)}"


def repair(bad_text: str, problem: str, reply: type[BaseModel], level: str) -> list[dict[str, str]]:
    """The turns that show a model its bad reply and ask again."""
    shown = bad_text[:8000] or "(empty reply)"
    again = in_words(reply)
    if level == "tool":
        again = f"Call the function {reply.__name__} again, with arguments that fit this JSON schema:\n{schema_text(reply)}"
    return [{"role": "assistant", "content": shown}, {"role": "user", "content": f"That reply doesn't fit: {problem}.\n{again}"}]


def parse(body: dict[str, Any], reply: type[BaseModel]) -> BaseModel:
    """The reply in a chat completion, whichever level it was asked at. Raises BadReply or Refused."""
    choice = body["choices"][0]
    message = choice["message"] if isinstance(choice.get("message"), dict) else {}
    finish = str(choice.get("finish_reason") or "").lower()
    if message.get("refusal"):
        raise Refused(f"the model refused: {message['refusal']}")
    if finish.startswith(("content_filter", "refusal", "safety", "prohibited")):
        raise Refused("the endpoint's content filter blocked the reply")
    text = _text_of(message)
    try:
        return extract(text, reply)
    except BadReply as bad:
        if finish == "length":
            cut = "be shorter" if text else "raise max_tokens, all were used for thinking"
            raise BadReply(f"the reply was cut off at max_tokens; {cut} ({bad})", text) from bad
        raise


def _text_of(message: dict[str, Any]) -> str:
    """The text of a message: its function call's arguments, else its content, else what a server took for thinking and is only JSON."""
    calls = message["tool_calls"] if isinstance(message.get("tool_calls"), list) else []
    functions = [call.get("function") for call in calls if isinstance(call, dict)] + [message.get("function_call")]
    arguments = [function.get("arguments") for function in functions if isinstance(function, dict)]
    text = "\n".join(argument if isinstance(argument, str) else json.dumps(argument) for argument in arguments if argument)
    content = message.get("content")
    if isinstance(content, list):  # parts
        content = "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    if text or (isinstance(content, str) and content.strip()):
        return text or str(content)
    thought = message.get("reasoning_content") or message.get("reasoning")  # vLLM with a reasoning parser and a schema, LM Studio
    return thought if isinstance(thought, str) and _is_json(thought) else ""


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _without_thinking(text: str) -> str:
    """A text without the thinking that some servers leave in it; a draft in there isn't the reply."""
    return text if _is_json(text) else _THOUGHT.sub("", _THINKING.sub("", text))


def extract(text: str, reply: type[BaseModel]) -> BaseModel:
    """The last JSON object in a text that fits `reply`: whole, fenced, or amid prose. Raises BadReply with what is wrong with the last one.

    Only objects at the top level count: a fitting part of an object that doesn't fit would be a guess. A function call written
    into the text, {"name": ..., "arguments": {...}}, counts as its arguments.
    """
    problem = "no JSON object in the reply"
    for value in reversed(_objects(_without_thinking(text))):
        for candidate in (value, *_arguments(value, reply.__name__)):
            try:
                return reply.model_validate(candidate)
            except ValidationError as error:
                if problem.startswith("no JSON"):
                    problem = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'object'}: {e['msg']}" for e in error.errors()[:5])
    raise BadReply(problem, text)


def _arguments(value: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Those of a function call that is written into the text."""
    if value.get("name") != name:
        return []
    arguments = value.get("arguments", value.get("parameters"))
    if isinstance(arguments, str):
        return _objects(arguments)[:1]
    return [arguments] if isinstance(arguments, dict) else []


def _objects(text: str) -> list[dict[str, Any]]:
    """The JSON objects in a text, in order; none that lies within another."""
    objects: list[dict[str, Any]] = []
    decoder, start = json.JSONDecoder(), text.find("{")
    while start >= 0:
        try:
            value, end = decoder.raw_decode(text, start)
            objects.append(value)
        except (ValueError, RecursionError):
            end = start + 1
        start = text.find("{", end)
    return objects
