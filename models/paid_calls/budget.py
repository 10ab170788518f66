"""The cap on what the calls of a scope cost: one is refused when what is spent, in flight and reserved for it exceed that."""

import sqlite3
from dataclasses import dataclass

from models.paid_calls.queries import SQL
from models.paid_calls.records import FrontierStopped


@dataclass(frozen=True)
class OverBudget:
    """The budget has no room for a call now; with nothing in flight it never will."""

    reserved_usd: float  # the most that the call may be billed
    cap_usd: float
    spent_usd: float
    in_flight_usd: float

    def stop(self) -> FrontierStopped:
        cap = f"{self.cap_usd:.{2 if self.cap_usd >= 0.01 else 4}f}"
        return FrontierStopped(
            f"the budget of ${cap} is reached: ${self.spent_usd:.4f} is spent and the next call may cost up to "
            f"${self.reserved_usd:.4f}; raise the budget and resume",
            resumable=True,
        )


def over_budget(db: sqlite3.Connection, scope: str, reserved_usd: float, cap_usd: float) -> OverBudget | None:
    """The refusal of a call with this reserved cost, in USD; None where the budget of the scope ("": everyone's) has room for it."""
    spent = db.execute(SQL["spent"], (scope,)).fetchone()
    (in_flight,) = db.execute(SQL["reserved"], (scope, scope)).fetchone()
    full = OverBudget(reserved_usd, cap_usd, spent[0] if spent else 0.0, in_flight)
    has_room = full.spent_usd + full.in_flight_usd + reserved_usd <= cap_usd + 1e-9  # sums of cents are not exact
    return None if has_room else full
