"""`mistakebook export`: approved samples in the format of a trainer. Runs as a job, and says what was left out and why."""

import sys
from pathlib import Path

from curation.commands.app_client import App, check_settings
from curation.commands.exit_codes import FAILED
from curation.commands.flags import add_reviewer, add_upload, pairs, parser, validated
from curation.commands.follow import follow, in_words
from curation.commands.output import show
from curation.jobs.views import JobView
from curation.stages.export_samples import ExportOptions
from data.records import RowError, SampleStatus
from data.registry import EXPORTS
from data.statuses import TRAINED_ON

DESCRIPTION = """Writes the approved samples, with their images, where they come from and a card, into a folder in a trainer's format.
The folder is made equal to the list: files that an earlier export wrote and that are no longer listed are removed, others stay."""
SHOWN = 5  # errors


def run(name: str, arguments: list[str]) -> int:
    check_settings()
    made = parser(name, DESCRIPTION)
    add_reviewer(made)
    formats = EXPORTS.names()
    listed = "; ".join(f"{form}: {_about(form)}" for form in formats).replace("%", "%%")
    made.add_argument("format", choices=formats, help=listed)
    made.add_argument("folder", type=Path, help="folder to write to; made if it is missing")
    made.add_argument(
        "--status", nargs="+", choices=list(SampleStatus), default=list(TRAINED_ON), metavar="STATUS",
        help=f"statuses of the samples: {', '.join(SampleStatus)} (default: {' '.join(TRAINED_ON)})",
    )  # fmt: skip
    made.add_argument("--set", nargs="*", action="extend", default=[], type=pairs, metavar="NAME=VALUE", help="options of the format")
    add_upload(made)
    made.add_argument("--no-wait", action="store_true", help="return at once and leave the job running")
    given = made.parse_args(arguments)
    given.folder, given.format_options = given.folder.expanduser().resolve(), given.set or None
    body = {"stage": name, "options": validated(ExportOptions, given)}
    app = App(given.workspace, given.reviewer)
    job = app.post("/api/jobs", body, JobView)
    if given.no_wait:
        show(job, given.json, lambda: in_words(job))
        return 0
    job, status = follow(app, job)
    errors = app.get(f"/api/jobs/{job.job_id}/errors?limit={SHOWN}", list[RowError]) if job.failed else []
    for error in errors:
        print(error.error, file=sys.stderr)
    if job.failed > len(errors) > 0:
        print(f"… and {job.failed - len(errors):,} more: mistakebook jobs errors {job.job_id}", file=sys.stderr)
    show(job, given.json, lambda: job.message or in_words(job))
    return status or (FAILED if job.failed else 0)


def _about(form: str) -> str:
    """What a format is, in a sentence."""
    return (EXPORTS.load(form).__doc__ or "").strip().rstrip(".")
