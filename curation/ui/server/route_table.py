"""All routes that the app answers: who may use each, and how large a request's body may be.

Of our own (/api/…) what isn't listed is for admins; of all others what isn't listed is not there.

A role may do what those before it may (curation/access/roles.py). Gradio's routes are listed as
far as its page asks for them: no upload, no queue, no proxy. `tests/ui/server/test_route_table.py` walks all routes.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.routing import compile_path

from curation.access.roles import Role
from curation.imports import uploads
from data import images

MOST_JSON = 2 * 2**20  # bytes of a request's body, unless BODIES says otherwise

# Routes that only show something are POST too: what is asked for goes into the body.
ROUTES: dict[Role, str] = {
    "anybody": """
        GET /login
        POST /login
        POST /logout
        GET /ui/{name:path}
        GET /favicon.ico
        GET /robots.txt
        """,
    "reader": """
        GET /api/health
        GET /api/workspace
        GET /api/stages
        POST /api/estimate
        GET /api/jobs
        GET /api/jobs/{job_id}
        GET /api/jobs/{job_id}/chain
        GET /api/jobs/{job_id}/log
        GET /api/jobs/{job_id}/events
        GET /api/jobs/{job_id}/errors
        GET /api/jobs/{job_id}/skipped
        GET /api/jobs/{job_id}/skipped.jsonl
        GET /api/command/results
        GET /api/command/side_by_side
        GET /api/command/predictions
        GET /api/command/summary
        GET /api/command/rounds
        GET /api/command/checkpoints
        GET /api/datasets
        GET /api/datasets/{name:path}/items
        GET /api/datasets/{name:path}/skipped
        GET /api/datasets/{name:path}/skipped.csv
        GET /api/datasets/removed
        POST /api/datasets/use
        POST /api/command/review/preview
        GET /api/search/progress
        POST /api/clusters/evidence
        POST /api/clusters/typical
        POST /api/clusters/history
        POST /api/endpoints/list
        POST /api/results/returns
        POST /api/results/split
        POST /api/error_types
        POST /api/failures/summary
        POST /api/failures/clusters
        POST /api/failures/facets
        POST /api/failures/points
        POST /api/failures/shown
        POST /api/failures/page
        POST /api/failures/card
        POST /api/failures/neighbours
        POST /api/failures/triage/history
        POST /api/slices/table
        POST /api/views/list
        POST /api/views/one
        POST /api/generate/choices
        POST /api/generate/plan
        POST /api/generate/job
        POST /api/generate/undrawn
        POST /api/review/people
        POST /api/review/agreement
        POST /api/review/facets
        POST /api/review/next
        POST /api/review/page
        POST /api/review/card
        GET /api/review/history
        POST /api/review/bulk/preview
        POST /api/review/pictures
        POST /api/finetune/choices
        POST /api/finetune/plan
        POST /api/finetune/runs
        POST /api/finetune/run
        POST /api/results/summary
        POST /api/results/ledger
        POST /api/results/behind
        POST /api/results/detectable
        GET /api/results/evidence.zip
        POST /api/experiments/choices
        GET /api/experiments/list
        POST /api/experiments/plan
        POST /api/experiments/experiment
        GET /api/experiments/{job_id}/report
        GET /api/experiments/{job_id}/written
        GET /api/experiments/{job_id}/report.md
        GET /api/experiments/{job_id}/report.html
        POST /api/jobs/page
        POST /api/jobs/spend
        POST /api/jobs/spend_over_time
        POST /api/jobs/detail
        POST /api/calibration/overview
        POST /api/calibration/joint
        POST /api/calibration/interval
        POST /api/calibration/propose
        POST /api/data/overview
        POST /api/data/plugins
        POST /api/prompts/list
        POST /api/prompts/show
        POST /api/prompts/check
        POST /api/prompts/failures
        POST /api/prompts/preview
        POST /api/prompts/comparison
        POST /api/try/choices
        POST /api/settings/overview
        POST /api/settings/filter_preview
        POST /api/settings/disk
        GET /media/{sha256}/{size}
        GET /ui/plotly.min.js
        GET /
        GET /theme.css
        GET /static/{path:path}
        GET /assets/{path:path}
        """,
    "reviewer": """
        POST /api/command/review
        POST /api/command/undo
        POST /api/failures/triage
        POST /api/failures/triage/undo
        POST /api/views/save
        POST /api/views/delete
        POST /api/review/reveal
        POST /api/review/decide
        POST /api/review/decisions
        POST /api/review/edit
        POST /api/review/undo
        POST /api/review/bulk
        POST /api/review/upload
        POST /api/review/by_hand
        POST /api/calibration/draw
        POST /api/try/picture
        POST /api/try/ask
        """,
    "editor": """
        POST /api/damage/read
        POST /api/jobs
        POST /api/jobs/{job_id}/{action}
        POST /api/jobs/budget
        POST /api/command/begin
        POST /api/command/rounds
        POST /api/clusters/rename
        POST /api/clusters/merge
        POST /api/clusters/split
        POST /api/clusters/make
        POST /api/clusters/move
        POST /api/clusters/undo
        POST /api/results/split/accept
        POST /api/results/split/clear
        POST /api/error_types/add
        POST /api/error_types/change
        POST /api/error_types/rename
        POST /api/error_types/merge
        POST /api/error_types/hide
        POST /api/error_types/show
        POST /api/error_types/order
        POST /api/review/assign/preview
        POST /api/review/assign
        POST /api/review/reassign
        POST /api/review/blind
        POST /api/review/target
        POST /api/results/gate
        POST /api/results/verdict
        POST /api/results/next_round
        POST /api/experiments/start
        POST /api/calibration/check
        POST /api/calibration/on
        POST /api/calibration/off
        POST /api/data/preview
        POST /api/datasets/remove
        POST /api/datasets/restore
        POST /api/datasets/rename
        POST /api/data/upload/{batch}/{name:path}
        POST /api/prompts/save
        POST /api/prompts/use
        POST /api/prompts/ask
        POST /api/settings/filter
        """,
    "admin": """
        POST /api/access/users
        POST /api/access/role
        POST /api/access/revoke
        POST /api/access/events
        GET /api/access/events.{form}
        POST /api/quit
        POST /api/command/recover
        POST /api/command/backup
        POST /api/command/checkpoints/remove
        POST /api/endpoints/save
        POST /api/endpoints/remove
        POST /api/endpoints/use
        POST /api/endpoints/test
        POST /api/data/checkpoint
        POST /api/data/checkpoint/test
        POST /api/settings/prices
        POST /api/settings/backup_hours
        POST /api/settings/budget
        POST /api/settings/backup
        POST /api/settings/new_workspace
        POST /api/settings/archive
        POST /api/settings/clean
        """,
}
BODIES = {
    "POST /login": 8 * 2**10,  # bytes; a picture's are counted by its decoder too
    "POST /api/data/upload/{batch}/{name:path}": uploads.MOST_BYTES,
    "POST /api/review/upload": images.MAX_BYTES,
    "POST /api/try/picture": images.MAX_BYTES,
    "POST /api/review/decisions": 16 * 2**20,  # all that has queued up in a browser
    "POST /api/command/review": 16 * 2**20,  # a list of samples
    "POST /api/command/review/preview": 16 * 2**20,
}


@dataclass(frozen=True)
class Rule:
    """What is asked of a request: `route` is its line in ROUTES, `body` the most bytes it may bring."""

    route: str
    role: Role
    body: int


def rules() -> list[Rule]:
    """All routes, in the order of the table."""
    return [
        Rule(line.strip(), role, BODIES.get(line.strip(), MOST_JSON))
        for role, text in ROUTES.items()
        for line in text.splitlines()
        if line.strip()
    ]


class RouteTable:
    """Finds the rule of a request."""

    def __init__(self, known: Sequence[Rule]) -> None:
        self._plain: dict[str, dict[str, Rule]] = {}  # by path, by method
        self._patterns: list[tuple[re.Pattern[str], str, Rule]] = []
        for rule in known:
            method, _, path = rule.route.partition(" ")
            if "{" in path:
                self._patterns.append((compile_path(path)[0], method, rule))
            else:
                self._plain.setdefault(path, {})[method] = rule

    def find(self, method: str, path: str) -> Rule | None:
        """The rule of a path and method, HEAD being as GET; None where there is nothing."""
        method = "GET" if method == "HEAD" else method
        if found := self._plain.get(path, {}).get(method):
            return found
        found = next((rule for pattern, known, rule in self._patterns if known == method and pattern.match(path)), None)
        return found or (Rule(f"{method} {path}", "admin", MOST_JSON) if path.startswith("/api/") else None)
