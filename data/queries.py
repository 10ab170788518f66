"""Named SQL of the store: every query lives in data/sql/*.sql under a name and a sentence (data/named_sql.py says how).

`{other_name}` stands for the text of another named query (a shared condition, say); `$field` is a parameter.
A condition `($field IS NULL OR …)` is settled before DuckDB sees the statement, which would plan and run what stands in it all the same.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from data.named_sql import read_queries

FOLDER = Path(__file__).parent / "sql"
_FRAGMENT = re.compile(r"\{(\w+)\}")
_PARAMETER = re.compile(r"\$([a-z_]\w*)")
_OPTIONAL = re.compile(r"\(\s*\$([a-z_]\w*) IS NULL OR ")


@dataclass(frozen=True)
class Query:
    text: str
    parameters: frozenset[str]

    def values(self, given: Mapping[str, object]) -> dict[str, object]:
        """Just the parameters that the query has; those not given are NULL. Raises TypeError on unknown ones."""
        unknown = given.keys() - self.parameters
        if unknown:
            raise TypeError(f"the query has no parameter {', '.join(sorted(unknown))}; it has {', '.join(sorted(self.parameters))}")
        return {name: given.get(name) for name in self.parameters}

    def bound(self, given: Mapping[str, object]) -> tuple[str, dict[str, object]]:
        """The statement without the conditions that let everything through, and values for the parameters left. Raises TypeError."""
        values = self.values(given)
        text, left = _settled(self.text, frozenset(name for name, value in values.items() if value is None))
        return text, {name: values[name] for name in left}


@cache
def query(name: str) -> Query:
    """The query of that name. Raises KeyError if no file has it."""
    text = _texts()[name]
    while _FRAGMENT.search(text):  # a fragment may hold further ones
        text = _FRAGMENT.sub(lambda match: _texts()[match[1]], text)
    return Query(text, frozenset(_PARAMETER.findall(text)))


@cache
def _settled(text: str, absent: frozenset[str]) -> tuple[str, frozenset[str]]:
    """A statement with its optional conditions decided, and the parameters that are left."""
    start = 0
    while match := _OPTIONAL.search(text, start):
        end = _closing(text, match.start())
        rest = "true" if match[1] in absent else f"({text[match.end() : end]})"
        text = text[: match.start()] + rest + text[end + 1 :]
        start = match.start()
    return text, frozenset(_PARAMETER.findall(text))


def _closing(text: str, opening: int) -> int:
    """Where the parenthesis is that closes the one at `opening`."""
    depth, quoted = 0, False
    for place in range(opening, len(text)):
        match text[place]:
            case "'":
                quoted = not quoted
            case "(" if not quoted:
                depth += 1
            case ")" if not quoted:
                depth -= 1
                if depth == 0:
                    return place
    raise ValueError(f"a parenthesis is not closed: {text[opening : opening + 60]}")


@cache
def _texts() -> dict[str, str]:
    return read_queries(sorted(FOLDER.glob("*.sql")))
