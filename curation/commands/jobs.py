"""`mistakebook jobs [ACTION JOB]`: lists jobs; follows, stops, resumes and retries them; shows logs and errors."""

import argparse

from curation.commands.app_client import App, CommandFailed
from curation.commands.flags import add_reviewer, parser
from curation.commands.follow import follow, in_words
from curation.commands.output import show, table
from curation.jobs.job_folder import SkippedLine
from curation.jobs.views import JobView, LogTail
from data.records import RowError
from data.statuses import ACTIVE

ACTIONS = ("list", "show", "wait", "cancel", "pause", "resume", "retry", "log", "errors", "skipped")
COLUMNS = ["job_id", "stage", "status", "done", "failed", "total", "spend_usd", "seconds", "author", "message"]


def run(name: str, arguments: list[str]) -> int:
    about = (
        "Lists jobs, or acts on one: resume goes on with the rows that are left, retry runs the failed rows again; "
        "skipped lists the lines of its source that gave no row."
    )
    made = parser(name, about)
    add_reviewer(made)
    made.add_argument("action", nargs="?", default="list", choices=ACTIONS)
    made.add_argument("job", nargs="?", type=int, help="number of the job (default: the latest)")
    made.add_argument("--limit", type=int, default=30, help="number of jobs to list (default: %(default)s)")
    made.add_argument("--budget", type=float, metavar="USD", help="with resume: a new hard limit on the whole spend of the job")
    given = made.parse_args(arguments)
    if given.budget is not None and given.action != "resume":
        raise CommandFailed("--budget is only for resume: mistakebook jobs resume JOB --budget USD")
    app = App(given.workspace, given.reviewer)
    jobs = app.get(f"/api/jobs?limit={given.limit}", list[JobView])
    if given.action == "list":
        show(jobs, given.json, lambda: table(jobs, COLUMNS) if jobs else "no jobs yet")
        return 0
    if given.job is None and not jobs:
        raise CommandFailed("there are no jobs yet")
    number = given.job or jobs[0].job_id
    path = f"/api/jobs/{number}"
    if given.action == "log":
        log = app.get(f"{path}/log", LogTail)
        show(log, given.json, lambda: log.text.rstrip())
    elif given.action == "errors":
        errors = app.get(f"{path}/errors?limit=1000", list[RowError])
        show(errors, given.json, lambda: table(errors, ["key", "error"]) if errors else "no errors")
    elif given.action == "skipped":
        lines = app.get(f"{path}/skipped?limit=1000", list[SkippedLine])
        show(lines, given.json, lambda: table(lines, ["source", "reason", "error"]) if lines else "no lines were left out")
    else:
        job, status = _act(app, given, number)
        show(job, given.json, lambda: in_words(job))
        return status
    return 0


def _act(app: App, given: argparse.Namespace, number: int) -> tuple[JobView, int]:
    """Shows, follows or changes a job; the job with the exit status."""
    path = f"/api/jobs/{number}"
    if given.action in ("show", "wait"):
        job = app.get(path, JobView)
        return (job, 0) if given.action == "show" else follow(app, job)
    if given.budget is not None:
        app.post("/api/jobs/budget", {"job_id": number, "usd": given.budget}, JobView)
    job, status = app.post(f"{path}/{given.action}", {}, JobView), 0
    if given.action in ("resume", "retry") or job.status in ACTIVE:
        job, status = follow(app, job)
    return job, 0 if given.action in ("cancel", "pause") else status
