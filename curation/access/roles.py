"""What people may do. Each role may do what those before it may; the table of routes (curation/ui/server/route_table.py) says what that is.

reader    looks at everything
reviewer  decides on samples, triages failures, tries checkpoints
editor    launches jobs, changes clusters, prompts, error types and filters, hands out reviews
admin     sets endpoints, keys' names, prices, budgets, backups, users; reads and writes folders of the server
"""

from typing import Literal, get_args

from data.errors import MistakebookError

Role = Literal["anybody", "reader", "reviewer", "editor", "admin"]  # anybody: needs no login, what the page of the login itself needs
ROLES: tuple[Role, ...] = get_args(Role)
GIVEN = ROLES[1:]  # those that users have


class NotAllowed(MistakebookError):
    """The role of whoever asks does not cover it; the text says which role would."""

    status = 403


def covers(role: Role, needed: Role) -> bool:
    return ROLES.index(role) >= ROLES.index(needed)


def too_little(role: Role, needed: Role, what: str) -> str:
    return f"{what} needs the role {needed}, and yours is {role}; ask an admin (mistakebook users role NAME {needed})"
