"""The commands that launch a stage: its flags are the fields of its Options."""

from curation.commands.common import App, add_reviewer, configure, parser, show
from curation.commands.flags import add_flags, validated
from curation.commands.follow import follow, in_words
from curation.stages import stage_class


def run(name: str, arguments: list[str]) -> int:
    configure()
    stage = stage_class(name.replace("-", "_"))
    made = parser(name, f"{stage.title}. Runs as a job and waits for its end; Ctrl-C asks it to stop.")
    add_reviewer(made)
    made.add_argument("--estimate", action="store_true", help="say what it would take, and launch nothing")
    made.add_argument("--no-wait", action="store_true", help="leave the job running and return at once")
    add_flags(made.add_argument_group("options of the stage"), stage.Options)
    given = made.parse_args(arguments)
    body = {"stage": stage.name, "options": validated(stage.Options, given)}
    app = App(given.workspace, given.reviewer)
    if given.estimate:
        estimate = app.post("/api/estimate", body)
        show(estimate, given.json, lambda: estimate_in_words(estimate))
        return 0
    job = app.post("/api/jobs", body)
    status = 0
    if not given.no_wait:
        job, status = follow(app, job)
    show(job, given.json, lambda: in_words(job))
    return status


def estimate_in_words(estimate: dict) -> str:
    """An estimate in one line."""
    parts = [f"{estimate['rows']:,} rows"]
    if estimate["calls"]:
        parts.append(f"about {estimate['calls']:,} calls")
        parts.append("unpriced" if estimate["usd"] is None else f"${estimate['usd'][0]:.2f} to ${estimate['usd'][1]:.2f}")
    if estimate["seconds"]:
        parts.append(f"about {estimate['seconds']:.0f} s")
    parts += [f"{name} {value:,}" for name, value in estimate["detail"].items() if isinstance(value, int)]
    return " · ".join(parts)
