"""`mistakebook experiment plan|start|status|report`: the arms of an honest comparison."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from curation.commands.app_client import App, CommandFailed, check_settings
from curation.commands.flags import add_flags, add_reviewer, pairs, parser, validated
from curation.commands.follow import follow, in_words
from curation.commands.output import show, table
from curation.jobs.chains import StepView
from curation.jobs.views import JobView

if TYPE_CHECKING:
    from argparse import Namespace

    from rich.table import Table

    from curation.experiments.analysis import Report
    from curation.experiments.answers import ExperimentShown, PlanShown
    from curation.statistics.intervals import Difference

PATIENCE = 60  # seconds that the next job of a chain may take to come
ACTIONS = ("plan", "start", "status", "report")
ABOUT = """Compares arms: the same checkpoint, number of samples, steps, replay and seeds; only what is trained on differs.

plan    what each arm has, and what the whole will take; nothing is written
start   train and measure all arms as one job; stopped or killed, `mistakebook jobs resume` goes on
status  the experiments there are, and how far they are
report  what the runs that are done show (--html and --markdown write files)"""


def run(name: str, arguments: list[str]) -> int:
    check_settings()
    from curation.experiments.planning import ExperimentOptions

    made = parser(name, ABOUT)
    made.formatter_class = _formatter()
    add_reviewer(made)
    made.add_argument("action", choices=ACTIONS)
    made.add_argument("number", nargs="?", type=int, help="of status and report: the experiment's job (default: the latest)")
    made.add_argument("--no-wait", action="store_true", help="of start: return at once and leave the job running")
    made.add_argument("--score", choices=("strict", "lenient"), default="strict", help="of report (default: %(default)s)")
    made.add_argument("--reference", metavar="ARM", help="of report: the arm that others are compared with (default: real)")
    made.add_argument("--html", type=Path, metavar="FILE", help="of report: write one HTML page that needs no network")
    made.add_argument("--markdown", type=Path, metavar="FILE", help="of report: write Markdown")
    add_flags(made.add_argument_group("of plan and start"), ExperimentOptions)
    missing = made.add_argument_group("of plan and start, where an arm has too few samples")
    missing.add_argument("--generate", action="store_true", help="generate what is missing first, with draw and filter behind it")
    missing.add_argument(
        "--budget", type=float, metavar="USD", help="hard limit on all of that together, in dollars; training costs none and has no limit"
    )
    for name in ("generate", "draw", "filter"):
        about = f"further options of {name}, such as model=…"
        flag: dict[str, Any] = {"nargs": "*", "action": "extend", "metavar": "NAME=VALUE", "type": pairs, "help": about}
        missing.add_argument(f"--{name}-options", **flag)
    given = made.parse_args(arguments)
    app = App(given.workspace, given.reviewer)
    if given.action in ("plan", "start"):
        return _plan_or_start(app, given, validated(ExperimentOptions, given))
    if given.action == "status":
        return _status(app, given)
    return _report(app, given)


def _formatter() -> Any:
    import argparse

    return argparse.RawDescriptionHelpFormatter


def _plan_or_start(app: App, given: "Namespace", options: dict[str, Any]) -> int:
    generation = {name: _merged(getattr(given, f"{name}_options")) for name in ("generate", "draw", "filter")}
    wanted = {**generation, "budget_usd": given.budget} if given.generate or given.action == "plan" else None
    body = {"options": options, "generation": wanted}
    from curation.experiments.answers import PlanShown, Started

    planned = app.post("/api/experiments/plan", body, PlanShown)
    if given.action == "plan" or (planned.obstacle and not given.generate):
        show(planned, given.json, lambda: _plan_in_words(planned))
        return 1 if given.action == "start" else 0
    started = app.post("/api/experiments/start", body, Started)
    job = app.get(f"/api/jobs/{started.job_id}", JobView)
    status = 0
    following: JobView | None = job
    while not given.no_wait and not status and following is not None:
        job, status = follow(app, following)
        following = None if status or job.stage == "experiment" else _next(app, job)
    show(job, given.json, lambda: in_words(job))
    return status


def _next(app: App, job: JobView) -> JobView | None:
    """The job that follows this one by itself; None where there is none. Raises CommandFailed where the chain has ended early."""
    for _ in range(PATIENCE):
        steps = app.get(f"/api/jobs/{job.job_id}/chain", list[StepView])
        launched = next((step for step in steps if step.job_id), None)
        if launched:
            return app.get(f"/api/jobs/{launched.job_id}", JobView)
        if notes := [step.note for step in steps if step.note]:
            raise CommandFailed(notes[0])
        if not steps:
            return None
        time.sleep(1)
    return None


def _merged(parts: list[dict[str, Any]] | None) -> dict[str, Any]:
    return {name: value for part in parts or [] for name, value in part.items()}


def _plan_in_words(planned: "PlanShown") -> "list[str | Table]":
    plan = planned.plan
    hours = f"about {plan.seconds / 60:.0f} min" + ("" if plan.measured else " (not measured on this machine yet)")
    asked = "" if plan.asked == plan.samples else f" ({plan.asked:,} asked for)"
    head = f"{plan.checkpoint}: N = {plan.samples:,}{asked}, {plan.replay:,} replay rows, {plan.steps:,} steps, "
    head += f"seeds {', '.join(map(str, plan.seeds))}; "
    head += f"{plan.runs} runs, {plan.parallel} at a time, on {plan.eval:,} eval examples: {hours}"
    rows = [{**vars(arm), "have": "" if arm.have is None else arm.have, "short": arm.short or ""} for arm in plan.arms]
    parts: list[str | Table] = [head, table(rows, ["arm", "title", "have", "short", "about"])]
    if plan.lacking:
        missing = "; ".join(f"{lack.title}: {lack.missing:,} of {lack.quota:,}" for lack in plan.lacking)
        parts.append(f"samples missing for the quotas of +N targeted, others take their place (start --generate makes them): {missing}")
    if not planned.obstacle:
        return parts
    ahead = planned.generation
    lines = [f"  {batch.source}: {batch.asked:,} samples asked for, {batch.missing:,} are missing" for batch in ahead.batches]
    if lines:
        price = "unpriced" if ahead.usd is None else f"${ahead.usd[0]:.2f} to ${ahead.usd[1]:.2f}"
        cost = price if ahead.billed else "free: the built-in teacher is used"
        lines = [f"generating what is missing (start --generate): about {ahead.calls:,} calls, {cost}", *lines]
    return [*parts, planned.obstacle, *lines, *([ahead.obstacle] if ahead.obstacle else [])]


def _status(app: App, given: "Namespace") -> int:
    known = _known(app)
    if given.number is not None:
        known = [row for row in known if row.job_id == given.number]
    rows = [{**vars(row), "arms": " ".join(row.arms), "seeds": len(row.seeds)} for row in known]
    columns = ["job_id", "checkpoint", "status", "done", "failed", "total", "samples", "replay", "steps", "seeds", "arms"]
    show(known, given.json, lambda: table(rows, columns) if rows else "there is no experiment yet: mistakebook experiment plan")
    return 0


def _report(app: App, given: "Namespace") -> int:
    number = given.number or _latest(app)
    query = urlencode({name: value for name in ("score", "reference") if (value := getattr(given, name))})
    from curation.experiments.analysis import Report  # not at the top: numpy and scipy take as long as the rest of a command

    report = app.get(f"/api/experiments/{number}/report?{query}", Report)
    for form, path in (("markdown", given.markdown), ("html", given.html)):
        if path is not None:
            written = app.get(f"/api/experiments/{number}/written?form={form}&{query}", dict[str, str])
            path.write_text(written["content"], encoding="utf-8")
    show(report, given.json, lambda: _report_in_words(report))
    return 0


def _latest(app: App) -> int:
    known = _known(app)
    if not known:
        raise CommandFailed("there is no experiment yet; start one: mistakebook experiment start")
    return known[0].job_id


def _known(app: App) -> "list[ExperimentShown]":
    from curation.experiments.answers import ExperimentShown

    return app.get("/api/experiments/list", list[ExperimentShown])


def _report_in_words(report: "Report") -> "list[str | Table]":
    figures = {arm.arm: arm for arm in report.overall.arms}
    rows = []
    for arm in report.arms:
        shown = figures.get(arm.arm)
        runs = [("–" if run.accuracy is None else f"{run.accuracy:.3f}") + ("!" if run.diverged else "") for run in arm.runs]
        row: dict[str, Any] = {"arm": arm.arm, "seeds": " ".join(runs), "failed": len(arm.failed) or ""}
        if shown:
            row |= {"accuracy": round(shown.accuracy, 3), "balanced": round(shown.balanced, 3)}
            against = ((report.base, shown.to_base), (report.reference, shown.to_reference))
            row |= {f"to {arm_before}": _change(difference) for arm_before, difference in against if arm_before}
        rows.append(row)
    columns = list(dict.fromkeys(column for row in rows for column in row))
    title = f"experiment {report.job_id}: N = {report.samples:,}, {report.done_runs} of {report.planned_runs} runs done, "
    title += f"{report.items:,} eval examples, majority answers {report.overall.majority:.3f}"
    pairs = [{**vars(pair), "difference": _change(pair.difference), "balanced": _change(pair.balanced)} for pair in report.pairs]
    parts: list[str | Table] = [title, table(rows, columns)]
    if pairs:
        parts += ["", table(pairs, ["after", "before", "difference", "balanced"])]
    parts += [f"{each.arm} lost {', '.join(each.lost)} against {report.base}" for each in report.turned if each.lost]
    return [*parts, "! diverged, not counted"] if any(run.diverged for arm in report.arms for run in arm.runs) else parts


def _change(difference: "Difference | None") -> str:
    return "" if difference is None else f"{difference.value:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]"
