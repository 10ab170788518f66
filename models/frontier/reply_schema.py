"""The JSON schema of a reply: in words for prompts and keys, and as it goes over the wire, in a form that every vendor takes.

OpenAI's strict mode wants objects closed and every property required, and takes no `default`, `oneOf` or words beside a
`$ref`; Gemini's wants no numbers in an `enum`, Azure's no bounds: what a vendor rejects stands in the description instead.
"""

import json
from functools import cache
from typing import Any

from pydantic import BaseModel

Schema = dict[str, Any]

_BOUNDS = {
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "more than",
    "exclusiveMaximum": "less than",
    "multipleOf": "a multiple of",
    "minLength": "characters at least",
    "maxLength": "characters at most",
    "pattern": "matches",
    "format": "format",
    "minItems": "items at least",
    "maxItems": "items at most",
    "uniqueItems": "unique",
}
_LEFT_OUT = ("title", "default", "$defs", "discriminator")


@cache
def schema_text(reply: type[BaseModel]) -> str:
    """For prompts, and a part of each reply's key: what changes here is bought again."""
    return json.dumps(strict_schema(reply), ensure_ascii=False, sort_keys=True)


@cache
def strict_schema(reply: type[BaseModel]) -> Schema:
    """Its JSON schema with objects closed, every property required, no defaults."""
    schema: Schema = _strict(reply.model_json_schema())
    return schema


def _strict(node: Any) -> Any:
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


@cache
def wire_schema(reply: type[BaseModel], closed: bool = True, bounds: bool = True) -> Schema:
    """The schema for `response_format` or a function's parameters: no references, no titles.

    Without `closed` no `additionalProperties`; without `bounds` limits and enums of numbers stand in the description.
    """
    schema = reply.model_json_schema()
    return _portable(schema, schema.get("$defs", {}), closed, bounds)


def _portable(node: Schema, definitions: Schema, closed: bool, bounds: bool) -> Schema:
    node = dict(node)
    for nested in [node.pop("$ref", None), *(part.get("$ref") for part in node.pop("allOf", ()))]:
        if nested:
            node = definitions[nested.rpartition("/")[2]] | node
    made: Schema = {}
    for name, value in node.items():
        if name == "properties":
            made[name] = {key: _portable(part, definitions, closed, bounds) for key, part in value.items()}
        elif name in ("anyOf", "oneOf"):
            made["anyOf"] = [_portable(part, definitions, closed, bounds) for part in value]
        elif name == "items":
            made[name] = _portable(value, definitions, closed, bounds)
        elif name == "const":
            made["enum"] = [value]
        elif name not in _LEFT_OUT:
            made[name] = value
    if "properties" in made:
        made |= {"additionalProperties": False, "required": list(made["properties"])}
    if not closed:
        made.pop("additionalProperties", None)
    return made if bounds else _bounds_in_description(made)


def _bounds_in_description(node: Schema) -> Schema:
    words = [f"{how} {node[name]}" for name, how in _BOUNDS.items() if name in node]
    kept = {name: value for name, value in node.items() if name not in _BOUNDS}
    if any(not isinstance(choice, str) for choice in node.get("enum", ())):
        words.append(f"one of {', '.join(map(str, kept.pop('enum')))}")
    if words:
        kept["description"] = f"{kept.get('description', '')} ({'; '.join(words)})".strip()
    return kept
