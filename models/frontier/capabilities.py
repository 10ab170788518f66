"""What an endpoint's model understands: the surest level of structured output that works, and what it must be asked without.

Servers that call themselves OpenAI-compatible differ. What one rejects is told by its complaint; what it then accepts is
remembered per endpoint and model.
"""

import re
from dataclasses import asdict, dataclass, replace

LEVELS = ("json_schema", "json_object", "tool", "text")
_WITH_SCHEMA = ("json_schema", "tool")
_FORMATS = re.compile(r"response_?\s?format|json|structured|grammar|schema|tool|function|jinja")  # what a complaint about the level names


@dataclass(frozen=True)
class Concession:
    """Something that a call can do without, and how servers say that it must. As met in tests/support/quirky_endpoints.py."""

    name: str
    complaint: re.Pattern
    levels: tuple[str, ...] = LEVELS


CONCESSIONS = (
    Concession("max_tokens", re.compile("max_completion_tokens")),  # then it is called so: OpenAI's reasoning models
    Concession("temperature", re.compile("temperature")),  # reasoning models
    Concession(  # its text then opens the user's turn: Gemma's template, o1-mini, Gemini's Gemma
        "system",
        re.compile(r"system.{0,4} (role|message|instruction)|role.{1,40}system|developer instruction|roles must alternate|only user"),
    ),
    Concession("detail", re.compile(r"\bdetail\b")),
    Concession("closed", re.compile("additional_?properties"), _WITH_SCHEMA),  # Gemini's functions
    Concession(
        "bounds",
        re.compile(r"\b(exclusive_?)?(min|max)(imum|_?length|_?items)\b|multiple_?of|\bpattern\b|\benum\b|string type"),
        _WITH_SCHEMA,
    ),
    Concession("strict", re.compile(r"\bstrict\b"), _WITH_SCHEMA),
    Concession("required", re.compile("tool_?choice|tool choice"), ("tool",)),  # then the function is named: older vLLM
    Concession("named", re.compile("tool_?choice|tool choice"), ("tool",)),  # then the model may choose: thinking models
)
_VAGUE = ("closed", "bounds")  # what a rejected schema is tried without before its level is given up


@dataclass(frozen=True)
class Dialect:
    """Kept in the journal; not a part of keys, so that learning it buys nothing twice."""

    level: str = LEVELS[0]
    good: int = 0  # first replies at this level that fitted
    bad: int = 0  # ... that held no fitting JSON
    without: tuple[str, ...] = ()  # names of CONCESSIONS

    def saw(self, level: str, fitted: bool) -> "Dialect":
        """After a first reply at a level; a level that mostly fails is given up for the next (some servers ignore what they don't know)."""
        if level != self.level:
            return self
        after = replace(self, good=self.good + fitted, bad=self.bad + (not fitted))
        if after.bad >= 3 and after.bad > 3 * after.good and level != LEVELS[-1]:
            return replace(after, level=below(level), good=0, bad=0)
        return after

    def doing_without(self, names: tuple[str, ...]) -> "Dialect":
        return replace(self, without=tuple(sorted({*self.without, *names})))


def below(level: str) -> str:
    return LEVELS[LEVELS.index(level) + 1]


def dialect_from(saved: dict | None) -> Dialect:
    """What an older version wrote in another form is learned again: a rejected call costs nothing."""
    if saved is None or saved.keys() - Dialect.__dataclass_fields__.keys():
        return Dialect()
    return Dialect(**saved | {"without": tuple(saved.get("without", ()))})


def dialect_as_dict(dialect: Dialect) -> dict:
    return asdict(dialect)


def conceded(complaint: str, level: str, without: tuple[str, ...], moot: tuple[str, ...]) -> str | None:
    """The first thing that a complaint asks to do without and that isn't yet left out; `moot` names what this call doesn't use."""
    said = complaint.lower()
    for concession in CONCESSIONS:
        open_still = concession.name not in without and concession.name not in moot
        if open_still and level in concession.levels and concession.complaint.search(said):
            return concession.name
    return None


def is_about_schema(complaint: str, level: str, without: tuple[str, ...]) -> tuple[str, ...] | None:
    """What to try a level without before it is given up, where a complaint is about the schema, or so vague that it may be."""
    said = complaint.lower()
    names_level = re.search(r"response_?\s?format|json_schema|json_object|tool|function", said)
    if level not in _WITH_SCHEMA or set(_VAGUE) <= set(without) or (names_level and "schema" not in said.replace("json_schema", "")):
        return None
    return tuple({*without, *_VAGUE})


def is_about_format(complaint: str) -> bool:
    return _FORMATS.search(complaint.lower()) is not None
