"""Passwords as they are kept: scrypt hashes (RFC 7914), each with a salt of its own and the cost that it was made with."""

import base64
import hashlib
import hmac
import secrets
import threading
from functools import cache

from data.errors import MistakebookError

COST = 2**15  # N; with r = 8 a hash takes 32 MB and about a tenth of a second
BLOCK, LANES, BYTES = 8, 1, 32  # r, p, and the length of a hash
SHORTEST, LONGEST = 10, 1024  # characters of a password
_at_once = threading.Semaphore(2)  # hashes in work: guesses must not fill the memory


class WeakPassword(MistakebookError):
    """A password that is too short or too long to be kept."""


def hashed(password: str) -> str:
    """A password as it is kept, "scrypt$N$r$p$salt$hash". Raises WeakPassword."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise WeakPassword(f"the password has {len(password)} characters, expected {SHORTEST} to {LONGEST}: choose another")
    salt = secrets.token_bytes(16)
    numbers = "$".join(map(str, (COST, BLOCK, LANES)))
    return f"scrypt${numbers}${_text(salt)}${_text(_scrypt(password, salt, COST, BLOCK, LANES))}"


def matches(password: str, kept: str | None) -> bool:
    """Whether a password is the one that is kept. Takes as long where there is none (None), so that the time tells nothing."""
    _, cost, block, lanes, salt, expected = (kept or nobodys()).split("$")
    given = _scrypt(password[:LONGEST], base64.b64decode(salt), int(cost), int(block), int(lanes))
    return hmac.compare_digest(given, base64.b64decode(expected)) and kept is not None


@cache
def nobodys() -> str:
    """The hash that unknown names are compared with."""
    return hashed(secrets.token_hex())


def _scrypt(password: str, salt: bytes, cost: int, block: int, lanes: int) -> bytes:
    with _at_once:
        words = password.encode("utf-8", "surrogatepass")
        return hashlib.scrypt(words, salt=salt, n=cost, r=block, p=lanes, maxmem=2 * 128 * cost * block, dklen=BYTES)


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
