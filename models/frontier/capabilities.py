"""Capabilities of an endpoint's model: the surest level of structured output that it supports, and the parameters that it rejects.

Servers that call themselves OpenAI-compatible differ. What one rejects shows in its error message; what it then accepts is
remembered per endpoint and model. The levels and what can be left out make up the structured-output fallback.
"""

import re
from dataclasses import dataclass, replace
from typing import Any

LEVELS = ("json_schema", "json_object", "tool", "text")
_WITH_SCHEMA = ("json_schema", "tool")
_FORMATS = re.compile(r"response_?\s?format|json|structured|grammar|schema|tool|function|jinja")  # what a message about the level names
_SAVED = {"level", "good", "bad", "without"}  # as the journal keeps them


@dataclass(frozen=True)
class OptionalFeature:
    """A feature that a call can be sent without, and how servers say that it must. As met in tests/support/quirky_endpoints.py."""

    name: str
    rejection: re.Pattern[str]  # found in the error message, in lower case
    levels: tuple[str, ...] = LEVELS


OPTIONAL_FEATURES = (
    OptionalFeature(  # then it is called max_completion_tokens: OpenAI's reasoning models. Not where its value is what is wrong
        "max_tokens",
        re.compile(
            r"max_completion_tokens"
            r"|^(?!.*(\b(large|less|least|greater|exceeds?|between|maximum|positive|limit|budget|range)\b|at most|context|must be))"
            r".*\bmax_tokens\b",
            re.DOTALL,
        ),
    ),
    OptionalFeature("temperature", re.compile("temperature")),  # reasoning models
    OptionalFeature(  # its text then opens the user's turn: Gemma's template, o1-mini, Gemini's Gemma
        "system",
        re.compile(r"system.{0,4} (role|message|instruction)|role.{1,40}system|developer instruction|roles must alternate|only user"),
    ),
    OptionalFeature("detail", re.compile(r"\bdetail\b")),
    OptionalFeature("closed", re.compile("additional_?properties"), _WITH_SCHEMA),  # Gemini's functions
    OptionalFeature(
        "bounds",
        re.compile(r"\b(exclusive_?)?(min|max)(imum|_?length|_?items)\b|multiple_?of|\bpattern\b|\benum\b|string type"),
        _WITH_SCHEMA,
    ),
    OptionalFeature("strict", re.compile(r"\bstrict\b"), _WITH_SCHEMA),
    OptionalFeature("required", re.compile("tool_?choice|tool choice"), ("tool",)),  # then the function is named: older vLLM
    OptionalFeature("named", re.compile("tool_?choice|tool choice"), ("tool",)),  # then the model may choose: thinking models
)
_VAGUE = ("closed", "bounds")  # what a rejected schema is tried without before its level is given up


@dataclass(frozen=True)
class Capabilities:
    """Kept in the journal; not a part of keys, so that learning it buys nothing twice."""

    level: str = LEVELS[0]
    good: int = 0  # first replies at this level that fitted
    bad: int = 0  # ... that held no fitting JSON
    unsupported: tuple[str, ...] = ()  # names of OPTIONAL_FEATURES

    @classmethod
    def load(cls, saved: dict[str, Any] | None) -> "Capabilities":
        """From the journal. What an older version wrote in another form is learned again: a rejected call costs nothing."""
        if saved is None or saved.keys() - _SAVED:
            return cls()
        fields = {name: value for name, value in saved.items() if name != "without"}
        return cls(**fields, unsupported=tuple(saved.get("without", ())))

    def as_saved(self) -> dict[str, Any]:
        return {"level": self.level, "good": self.good, "bad": self.bad, "without": self.unsupported}

    def observe(self, level: str, fitted: bool) -> "Capabilities":
        """After a first reply at a level; a level that mostly fails is given up for the next (some servers ignore what they don't know)."""
        if level != self.level:
            return self
        after = replace(self, good=self.good + fitted, bad=self.bad + (not fitted))
        if after.bad >= 3 and after.bad > 3 * after.good and level != LEVELS[-1]:
            return replace(after, level=below(level), good=0, bad=0)
        return after

    def without(self, names: tuple[str, ...]) -> "Capabilities":
        """The same, with further features known as unsupported."""
        return replace(self, unsupported=tuple(sorted({*self.unsupported, *names})))

    @property
    def is_known(self) -> bool:
        """Whether any reply at this level has been seen."""
        return self.good + self.bad > 0


def below(level: str) -> str:
    """The next level of the fallback."""
    return LEVELS[LEVELS.index(level) + 1]


def unsupported_parameter(message: str, level: str, without: tuple[str, ...], unused: tuple[str, ...]) -> str | None:
    """The first feature that an error message rejects and that isn't yet left out; `unused` names what this call doesn't have."""
    text = message.lower()
    for feature in OPTIONAL_FEATURES:
        is_sent = feature.name not in without and feature.name not in unused
        if is_sent and level in feature.levels and feature.rejection.search(text):
            return feature.name
    return None


def schema_relaxed(message: str, level: str, without: tuple[str, ...]) -> tuple[str, ...] | None:
    """What to leave out before a level is given up, where an error message is about the schema, or so vague that it may be."""
    text = message.lower()
    names_level = re.search(r"response_?\s?format|json_schema|json_object|tool|function", text)
    if level not in _WITH_SCHEMA or set(_VAGUE) <= set(without) or (names_level and "schema" not in text.replace("json_schema", "")):
        return None
    return tuple({*without, *_VAGUE})


def is_about_format(message: str) -> bool:
    return _FORMATS.search(message.lower()) is not None
