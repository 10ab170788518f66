"""How long a chat call waits before it is sent again; what all paid calls share of it is in models/paid_calls/retries.py."""

from models.paid_calls.http_failures import Failure, FailureKind
from models.paid_calls.retries import RetryPolicy, backoff


class ChatRetries(RetryPolicy):
    """Waits by how all rows of the run fare: as long as some get their replies, waiting long would only idle the slots.

    No more than by a row's own failures: while the limit is still sought, hundreds are turned away within a second.
    """

    def pause(self, failure: Failure, sent: int, failed_rounds: int) -> float:
        longest = 2.0 if failure.kind == FailureKind.UNREACHABLE else 30.0
        return max(failure.retry_after or 0.0, min(backoff(min(sent - 1, failed_rounds)), longest))
