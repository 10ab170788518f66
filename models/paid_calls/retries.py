"""How often a paid call is sent before it is given up, and how long to wait in between. Chat calls wait by models/frontier/retries.py."""

import random
from dataclasses import dataclass

from models.paid_calls.http_failures import Failure


def backoff(rounds: int) -> float:
    """Seconds until the next try, after so many failed ones: exponential, with jitter, at most 30."""
    return random.uniform(0.4, 1.0) * min(30.0, 0.5 * 2.0**rounds)


@dataclass(frozen=True)
class RetryPolicy:
    """How often a call is sent before it is given up, and how long to wait in between."""

    attempts: int  # HTTP calls
    timeouts: int | None = None  # of these, may go without a reply in time: each may be billed
    unreachable: int | None = None  # in a row that may find nobody listening, before the run stops

    def pause(self, failure: Failure, sent: int, failed_rounds: int) -> float:
        """Seconds until the next call, after `sent` of them; `failed_rounds`: in which every row of the run failed."""
        return backoff(sent - 1) if failure.retry_after is None else failure.retry_after
