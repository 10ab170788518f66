"""The commands that launch a stage: its flags are the fields of its Options."""

from curation.commands.answers import Cost, Estimate, Job
from curation.commands.app_client import App, check_settings
from curation.commands.flags import add_flags, add_reviewer, parser, validated
from curation.commands.follow import follow, in_words
from curation.commands.output import show
from curation.stages import stage_class
from curation.workspaces.owner import Refused


def run(name: str, arguments: list[str]) -> int:
    check_settings()
    stage = stage_class(name.replace("-", "_"))
    made = parser(name, f"{stage.title}. Runs as a job and waits for its end; Ctrl-C asks it to stop.")
    add_reviewer(made)
    made.add_argument("--estimate", action="store_true", help="print calls, cost and time; launch nothing")
    made.add_argument("--no-wait", action="store_true", help="return at once and leave the job running")
    add_flags(made.add_argument_group("options of the stage"), stage.Options)
    given = made.parse_args(arguments)
    body = {"stage": stage.name, "options": validated(stage.Options, given)}
    app = App(given.workspace, given.reviewer)
    if given.estimate:
        estimate: Estimate = app.post("/api/estimate", body)
        show(estimate, given.json, lambda: estimate_in_words(estimate))
        return 0
    try:
        job: Job = app.post("/api/jobs", body)
    except Refused as refused:
        if refused.kind != "NothingLeft":
            raise
        text = str(refused)
        show({"nothing_left": text}, given.json, lambda: f"nothing to do: {text}")
        return 0
    status = 0
    if not given.no_wait:
        job, status = follow(app, job)
    show(job, given.json, lambda: in_words(job))
    return status


def estimate_in_words(estimate: Estimate) -> str:
    """An estimate in one line, and one for each filter where filters run."""
    whole = _line(f"{estimate['rows']:,} rows", estimate, estimate["billed"])
    if "words" in estimate["detail"]:  # a report in words, and the first lines that it is about
        return "\n".join([f"{whole} · {estimate['detail']['words']}", *(f"  {line}" for line in estimate["detail"]["first"])])
    whole += "".join(f" · {name} {value:,}" for name, value in estimate["detail"].items() if isinstance(value, int))
    filters = [
        _line(f"  {part['filter']}: {part['samples']:,} samples", part, estimate["billed"])
        for part in estimate["detail"].get("filters", [])
    ]
    return "\n".join([whole, *filters])


def _line(what: str, cost: Cost, billed: bool) -> str:
    parts = [what]
    if cost["calls"]:
        parts.append(f"about {cost['calls']:,} calls")
        price = "unpriced" if cost["usd"] is None else f"${cost['usd'][0]:.2f} to ${cost['usd'][1]:.2f}"
        parts.append(price if billed else "free: the built-in teacher is used")
    if cost["seconds"]:
        parts.append(f"about {cost['seconds']:.0f} s")
    return " · ".join(parts)
