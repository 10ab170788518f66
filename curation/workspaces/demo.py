"""The loop on the built-in parts, without a browser: `mistakebook demo` and `make demo`.

Every step is what a person would click, sent to the process that owns the workspace; reviews are decided by the stated rule
"approve what passes every filter". Progress goes to the callback, the result is the summary of the round.
"""

import time
from collections.abc import Callable
from typing import Any

from curation.jobs.views import JobView
from curation.workspaces.builtin import POCKET_LLAVA, Begun
from curation.workspaces.owner import Owner
from data.errors import MistakebookError
from data.statuses import ENDED, JobStatus

FRONTIER = {"endpoint": "pocket-teacher", "model": "pocket-teacher"}
PROPOSALS = {"limit": 96, "per_failure": 3, "split": "sqrt"}  # a failure in twenty-one; what fails seldom isn't drowned: some 400 pass
TRAINING = {"epochs": 6}  # the recipe has 8
POLL = 0.5  # seconds


class DemoFailed(MistakebookError):
    """A step of the loop did not end well; the text says which and why."""


def run(owner: Owner, say: Callable[[str], None]) -> dict[str, Any]:
    """Turns the loop once; returns the summary (curation/results/summary.py). Raises DemoFailed, owner.Refused."""
    say("importing easy-VQA and PocketVQA")
    begun = Begun.model_validate(owner.request("POST", "/api/command/begin"))
    if begun.job_id:
        _follow(owner, begun.job_id, say)
    _stage(owner, "diagnose", FRONTIER, say)
    _stage(owner, "cluster", FRONTIER, say)
    _stage(owner, "generate", {**FRONTIER, **PROPOSALS}, say)
    _stage(owner, "draw", {"model": "pocket-flux"}, say)
    _stage(owner, "filter", FRONTIER, say)
    rule = {"matching": {"statuses": ["pending"]}, "action": "approve", "reason": "passes every filter"}
    approved = owner.request("POST", "/api/command/review", rule, reviewer="demo rule")
    say(f"review: approved the {approved['count']:,} samples that pass every filter")
    trained = _stage(owner, "finetune", TRAINING, say)
    name = (trained.message or "").removeprefix("checkpoint ")
    _stage(owner, "evaluate", {"checkpoint": name, "splits": ["eval"]}, say)
    return owner.request("GET", f"/api/command/summary?before={POCKET_LLAVA.name}&after={name}")


def _stage(owner: Owner, stage: str, options: dict[str, Any], say: Callable[[str], None]) -> JobView:
    job = JobView.model_validate(owner.request("POST", "/api/jobs", {"stage": stage, "options": options}))
    return _follow(owner, job.job_id, say)


def _follow(owner: Owner, job_id: int, say: Callable[[str], None]) -> JobView:
    """Waits for a job; says how far it is whenever that changed."""
    last = ""
    while True:
        job = JobView.model_validate(owner.request("GET", f"/api/jobs/{job_id}"))
        fresh = job.progress or {}
        line = f"{job.stage}: {job.status} {fresh.get('done', job.done):,}/{fresh.get('total', job.total):,}"
        line += f", {job.failed:,} failed" if job.failed else ""
        if line != last:
            say(line)
            last = line
        if job.status is JobStatus.DONE:
            return job
        if job.status in ENDED:
            raise DemoFailed(f"job {job_id} ({job.stage}) is {job.status}: {job.message or 'see its log'}")
        time.sleep(POLL)
