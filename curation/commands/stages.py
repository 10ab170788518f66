"""The commands that launch a stage: its flags are the fields of its Options."""

from collections.abc import Sequence

from curation.commands.app_client import App, check_settings
from curation.commands.flags import add_flags, add_reviewer, from_here, parser, validated
from curation.commands.follow import follow, in_words
from curation.commands.output import show
from curation.jobs.estimates import EstimateView
from curation.jobs.views import JobView
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
    options = validated(stage.Options, given)
    if "source" in options:
        options["source"] = from_here(options["source"])
    body = {"stage": stage.name, "options": options}
    app = App(given.workspace, given.reviewer)
    if given.estimate:
        estimate = app.post("/api/estimate", body, EstimateView)
        show(estimate, given.json, lambda: estimate_in_words(estimate))
        return 0
    try:
        job = app.post("/api/jobs", body, JobView)
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


def estimate_in_words(estimate: EstimateView) -> str:
    """An estimate in one line, and one for each filter where filters run."""
    whole = _line(f"{estimate.rows:,} rows", estimate.calls, estimate.usd, estimate.seconds, estimate.billed)
    if "words" in estimate.detail:  # a report in words, and the first lines that it is about
        return "\n".join([f"{whole} · {estimate.detail['words']}", *(f"  {line}" for line in estimate.detail["first"])])
    whole += "".join(f" · {name} {value:,}" for name, value in estimate.detail.items() if isinstance(value, int))
    filters = [
        _line(f"  {part['filter']}: {part['samples']:,} samples", part["calls"], part["usd"], part["seconds"], estimate.billed)
        for part in estimate.detail.get("filters", [])
    ]
    return "\n".join([whole, *filters])


def _line(what: str, calls: int, usd: Sequence[float] | None, seconds: float | None, billed: bool) -> str:
    """`usd`: at least and at most; None: it has no price."""
    parts = [what]
    if calls:
        parts.append(f"about {calls:,} calls")
        price = "unpriced" if usd is None else f"${usd[0]:.2f} to ${usd[1]:.2f}"
        parts.append(price if billed else "free: the built-in teacher is used")
    if seconds:
        parts.append(f"about {seconds:.0f} s")
    return " · ".join(parts)
