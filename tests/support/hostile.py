"""Values and requests that no page sends: put into bodies that the routes' schemas allow, and into paths, queries and headers."""

import json
import random
from typing import Any
from urllib.parse import quote

DEEP = 3000  # levels: more than a parser that calls itself stands
VALUES: tuple[Any, ...] = (
    "\x00",
    "a\x00b",
    "\ud800",  # half a character: JSON can say it, UTF-8 can't
    "\udcff.png",
    "\u202e\ufeff\u2028",
    "../../etc/passwd",
    "/dev/zero",
    "~root",
    "=1+1",
    "x\r\nSet-Cookie: a=b",
    "%00%2e%2e",
    "'; DROP TABLE sample; --",
    "{{7*7}}{% raise %}",
    "a" * 70_000,
    "",
    " ",
    "NaN",
    "1e400",
    float("nan"),
    float("inf"),
    float("-inf"),
    1e308,
    -0.0,
    2**31,
    2**63,
    -(2**63) - 1,
    10**40,
    -1,
    0,
    True,
    None,
    [],
    {},
    [None],
    {"": None},
    [[[[]]]],
)
QUERIES = ("%00", "%ff%fe", "%ED%A0%80", "NaN", "1e400", "-1", "9" * 30, "9" * 5000, "true", "", "%0d%0aX:%201", "..%2f..", "a" * 5000)
PATHS = (
    "%00",
    "a%00b",
    "%ff",
    "%ED%A0%80",
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e",
    "-1",
    "9" * 30,
    "1.5",
    "NaN",
    "%0d%0aX:%201",
    "a" * 5000,
    "%",
)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where a JSON value can be replaced: the keys and indexes that lead there; the whole of it too."""
    found = [path]
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        found += leaves(child, (*path, key))
    return found


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy with another value at one place."""
    if not path:
        return new
    copied = dict(value) if isinstance(value, dict) else list(value)
    copied[path[0]] = replaced(value[path[0]], path[1:], new)
    return copied


def spoiled(body: Any, drawn: random.Random) -> bytes:
    """The bytes of a JSON body, one place of which is hostile."""
    at = drawn.choice(leaves(body)[1:] or [()])
    return dumped(replaced(body, at, drawn.choice(VALUES)))


def dumped(body: Any) -> bytes:
    """JSON as Python writes it: NaN and halves of characters included."""
    return json.dumps(body).encode()


def broken_bodies(body: Any) -> list[tuple[bytes, dict[str, str]]]:
    """Bodies that are no JSON, or not what their headers say, with these headers."""
    text, kind = dumped(body), {"Content-Type": "application/json"}
    twice = text[:-1] + b', "round": 1, "round": {}}' if isinstance(body, dict) and body else text + text
    return [
        (b"[" * DEEP + b"]" * DEEP, kind),
        (b'{"a":' * DEEP + b"1" + b"}" * DEEP, kind),
        (b"\xff\xfe" + text, kind),
        (text.decode().encode("utf-16"), kind),
        (twice, kind),
        (text[: len(text) // 2], kind),
        (b"", kind),
        (b"null", kind),
        (b"1" * 5000, kind),  # more digits than Python makes a number of
        (text, {"Content-Type": "text/plain"}),
        (text, {"Content-Type": "application/x-www-form-urlencoded"}),
        (text, {"Content-Type": "multipart/form-data; boundary=x"}),
        (text, {"Content-Type": "application/json; charset=nonsense"}),
        (text, {"Content-Type": "\xff"}),
        (text, {"Content-Type": "application/json", "Content-Encoding": "gzip"}),
        (text, {}),
    ]


def queries(names: list[str], drawn: random.Random) -> str:
    """A query string that gives each parameter a hostile value, once or twice."""
    return "&".join(f"{quote(name)}={drawn.choice(QUERIES)}" for name in names for _ in range(drawn.choice((1, 1, 2))))
