"""Rate limits in requests and tokens a minute: the user's own, and those that an endpoint reports in its headers before it answers 429."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

_LONGEST = 60.0  # seconds; what an endpoint reports beyond that is tried out
_HEADERS = {  # by what is counted: (limit, remaining, reset) as vendors call them
    "requests": (
        ("x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
        ("anthropic-ratelimit-requests-limit", "anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"),
        ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"),
        ("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"),
    ),
    "tokens": (
        ("x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
        ("anthropic-ratelimit-tokens-limit", "anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"),
        (
            "anthropic-ratelimit-input-tokens-limit",
            "anthropic-ratelimit-input-tokens-remaining",
            "anthropic-ratelimit-input-tokens-reset",
        ),
    ),
}
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"([\d.]+)\s*(ms|s|m|h|d)(?![a-z])|([\d.]+)\s*(second|minute|hour)")


@dataclass
class Bucket:
    """Token bucket: fills by `per_second` up to `capacity`; may be overdrawn."""

    level: float
    per_second: float
    capacity: float
    at: float  # when the level was that
    until: float = float("inf")  # after this it is unknown, and holds nobody up

    def wait(self, amount: float, now: float) -> float:
        """Seconds until `amount` can be taken (or all of it, if it never holds so much)."""
        self._fill(now)
        missing = min(amount, self.capacity) - self.level
        if missing <= 0 or now >= self.until:
            return 0.0
        return min(missing / self.per_second if self.per_second else float("inf"), self.until - now)

    def take(self, amount: float, now: float) -> None:
        self._fill(now)
        self.level -= amount

    def _fill(self, now: float) -> None:
        self.level = min(self.capacity, self.level + (now - self.at) * self.per_second)
        self.at = now


def _user_limit(per_minute: int | None, now: float) -> Bucket | None:
    """A bucket for a limit of the user: a burst of one second's worth, then evenly."""
    if per_minute is None:
        return None
    capacity = max(1.0, per_minute / 60)
    return Bucket(capacity, per_minute / 60, capacity, now)


@dataclass(frozen=True)
class Ticket:
    """The estimate that a call was sent with, to be settled by what it really took."""

    number: int  # how many were sent before it
    tokens: float
    all_tokens: float  # of the calls sent before it


class RateLimiter:
    """Token buckets for requests and tokens; one limiter for a client, shared by its runs. Times are time.monotonic()'s."""

    def __init__(self, requests_per_minute: int | None, tokens_per_minute: int | None):
        now = time.monotonic()
        self._user = {"requests": _user_limit(requests_per_minute, now), "tokens": _user_limit(tokens_per_minute, now)}
        self._reported: dict[str, Bucket] = {}
        self._windowed: set[str] = set()  # limits that fill up all at once, not bit by bit
        self._sent, self._tokens = 0, 0.0
        self._ratio = 1.0  # tokens that calls took of those estimated

    def wait(self, tokens: float) -> float:
        """Seconds until a call of so many tokens, by estimate, may be sent."""
        now = time.monotonic()
        amounts = {"requests": 1.0, "tokens": tokens * self._ratio}
        user = [bucket.wait(amounts[name], now) for name, bucket in self._user.items() if bucket]
        reported = [min(bucket.wait(amounts[name], now), _LONGEST) for name, bucket in self._reported.items()]
        return max([0.0, *user, *reported])

    def take(self, tokens: float) -> Ticket:
        """A call is sent now."""
        now = time.monotonic()
        ticket = Ticket(self._sent, tokens * self._ratio, self._tokens)
        self._sent += 1
        self._tokens += ticket.tokens
        for name, amount in (("requests", 1.0), ("tokens", ticket.tokens)):
            for bucket in (self._user[name], self._reported.get(name)):
                if bucket:
                    bucket.take(amount, now)
        return ticket

    def settle(self, ticket: Ticket, tokens: int) -> None:
        """A call took so many tokens: the difference is given back, or taken too."""
        now = time.monotonic()
        if bucket := self._user["tokens"]:
            bucket.take(tokens - ticket.tokens, now)
        self._tokens += tokens - ticket.tokens
        if ticket.tokens > 0:
            self._ratio *= 0.9 + 0.1 * tokens / ticket.tokens

    def observe(self, headers: Mapping[str, str], ticket: Ticket, retry_after: float | None = None) -> None:
        """Takes in the headers of a response. What was sent after its call isn't in them yet. `retry_after`: it was a 429."""
        now = time.monotonic()
        later = {"requests": self._sent - ticket.number - 1, "tokens": self._tokens - ticket.all_tokens - ticket.tokens}
        for name, forms in _HEADERS.items():
            for limit_name, remaining_name, reset_name in forms:
                remaining, seconds = number(headers.get(remaining_name)), reset(headers.get(reset_name, ""))
                if remaining is None or seconds is None:
                    continue
                if remaining <= 0 and retry_after is not None and retry_after > 1 and retry_after >= 0.8 * seconds:
                    self._windowed.add(name)
                limit = number(headers.get(limit_name))
                per_second = 0.0
                if limit and limit > remaining and seconds > 0 and name not in self._windowed:
                    per_second = (limit - remaining) / seconds
                self._reported[name] = Bucket(remaining - later[name], per_second, limit or remaining or 1.0, now, now + seconds)
                break


def number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def reset(text: str) -> float | None:
    """Seconds from now of "1m30.5s", "20ms", "12" (seconds), a time since 1970 in seconds or milliseconds, or an RFC 3339 time."""
    value = number(text)
    if value is not None:
        if value > 1e9:  # a point in time
            value = (value / 1000 if value > 1e11 else value) - time.time()
        return max(0.0, value)
    try:
        return max(0.0, datetime.fromisoformat(text).timestamp() - time.time())
    except ValueError:
        return duration(text)


def duration(text: str) -> float | None:
    """Seconds of "7m12s", "31.44s", "6ms" or "20 seconds" in a text."""
    parts = [(float(a or b), unit or word[0]) for a, unit, b, word in _DURATION.findall(text) if (a or b).strip(".")]
    return sum(value * _UNITS[unit] for value, unit in parts) if parts else None
